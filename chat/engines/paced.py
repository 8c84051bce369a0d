"""Slows an engine down to what the eye can follow."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

from chat.engines.types import HEARTBEAT, Chunk, Engine, Options
from detectors import Turn

BEAT = HEARTBEAT / 2  # how often a chunk is shown
READING_PACE = 160  # characters a second, about as fast as a model types


class PacedEngine:
    """Another engine's replies, at no more than `pace` characters a second."""

    def __init__(self, engine: Engine, pace: int) -> None:
        self.name = engine.name
        self.engine = engine
        self._pace = pace

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The engine's chunks, their text cut into pieces that come at the pace."""
        stream = self.engine.stream(turn, options)
        try:
            for chunk in stream:
                if chunk.retract:
                    yield Chunk(retract=True)
                for text in paced(chunk.text, self._pace):
                    yield Chunk(text=text)
                yield dataclasses.replace(chunk, text="", retract=False)
        finally:
            if close := getattr(stream, "close", None):
                close()


def paced(text: str, pace: int) -> Iterator[str]:
    """The text in pieces, a beat apart, at `pace` characters a second.

    Whoever is slow to ask for the next piece gets a longer one: two replies that are shown side by side each keep their
    pace. Where the next one is far off, empty ones come first.
    """
    began, at = time.monotonic(), 0
    while at < len(text):
        due = max(at + 1, round(pace * (time.monotonic() - began + BEAT)))
        yield text[at:due]
        at = due
        while (early := began + at / pace - time.monotonic()) > 0:
            time.sleep(min(early, HEARTBEAT))
            if early > HEARTBEAT:
                yield ""  # so that who reads can stop
