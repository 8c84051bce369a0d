"""An engine that says what it is told to: the fake that tests and demonstrations use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from chat.engines.types import HEARTBEAT, Chunk, Options
from detectors import Outcome, Turn

Script = Sequence[Chunk | str | Exception]


class ScriptedEngine:
    """Plays a script: text and chunks are yielded, exceptions raised, `delay` seconds before each.

    The script is the same for every question, or looked up by question, or made by a function of the turn.
    `open_streams` counts the streams that have begun and not ended; `turns` keeps every turn asked, and `options` with
    what options.
    """

    def __init__(
        self,
        script: Script | Mapping[str, Script] | Callable[[Turn], Script],
        *,
        name: str = "scripted",
        delay: float = 0.0,
    ) -> None:
        self.name = name
        self.delay = delay
        self.open_streams = 0
        self.turns: list[Turn] = []
        self.options: list[Options] = []
        self._script = script

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The script's chunks; the last one ends the reply, as complete if the script does not say."""
        self.turns.append(turn)
        self.options.append(options)
        self.open_streams += 1
        try:
            for step in self._steps(turn):
                yield from self._wait()
                if isinstance(step, Exception):
                    raise step
                chunk = Chunk(text=step) if isinstance(step, str) else step
                yield chunk
                if chunk.outcome is not None:
                    return
            yield Chunk(outcome=Outcome.COMPLETE)
        finally:
            self.open_streams -= 1

    def _steps(self, turn: Turn) -> Script:
        if callable(self._script):
            return self._script(turn)
        if isinstance(self._script, Mapping):
            return self._script[turn.question]
        return self._script

    def _wait(self) -> Iterator[Chunk]:
        until = time.monotonic() + self.delay
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, HEARTBEAT))
            yield Chunk()
