"""Slows an engine down to what the eye can follow."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

from chat.engines.types import HEARTBEAT, Chunk, Engine, Options
from detectors import Turn

BEAT = HEARTBEAT / 2  # about how often a chunk is shown


class PacedEngine:
    """Another engine's replies, at no more than `pace` characters a second."""

    def __init__(self, engine: Engine, pace: int) -> None:
        self.name = engine.name
        self.engine = engine
        self._size = max(1, round(pace * BEAT))  # characters in a chunk
        self._beat = self._size / pace  # seconds from one chunk to the next

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The engine's chunks, cut into smaller ones, a beat apart."""
        stream = self.engine.stream(turn, options)
        try:
            for chunk in stream:
                if chunk.retract:
                    yield Chunk(retract=True)
                for start in range(0, len(chunk.text), self._size):
                    began = time.monotonic()
                    yield Chunk(text=chunk.text[start : start + self._size])
                    time.sleep(max(0.0, self._beat - (time.monotonic() - began)))
                yield dataclasses.replace(chunk, text="", retract=False)
        finally:
            if close := getattr(stream, "close", None):
                close()
