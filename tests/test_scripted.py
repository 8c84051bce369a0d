"""The engine that says what it is told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import GREEDY, ask, text_of

from chat.engines.scripted import ScriptedEngine
from chat.engines.types import HEARTBEAT, Chunk
from detectors import Outcome


@pytest.mark.parametrize(
    "script",
    [["Hel", "lo"], {"Hi?": ["Hello"]}, lambda turn: [Chunk(text="Hello" if turn.question == "Hi?" else "")]],
)
def test_scripts(script: list[Any] | Mapping[str, Any] | Callable[[Any], Any]) -> None:
    """A script is a list, or looked up by question, or made from the turn; it ends complete."""
    chunks = list(ScriptedEngine(script).stream(ask("Hi?"), GREEDY))
    assert text_of(chunks) == "Hello"
    assert chunks[-1] == Chunk(outcome=Outcome.COMPLETE)


def test_last_chunk_ends_the_reply() -> None:
    """A chunk with an outcome is the last one."""
    engine = ScriptedEngine([Chunk(text="No", outcome=Outcome.FILTERED), "never said"])
    assert list(engine.stream(ask(), GREEDY)) == [Chunk(text="No", outcome=Outcome.FILTERED)]


def test_exceptions_are_raised() -> None:
    """An exception in the script is raised after what comes before it."""
    stream = ScriptedEngine(["So", OSError("gone")]).stream(ask(), GREEDY)
    assert next(stream).text == "So"
    with pytest.raises(OSError, match="gone"):
        next(stream)


def test_streams_and_turns_are_counted() -> None:
    """Streams count while they are open, however they end; every turn is kept."""
    engine = ScriptedEngine(["a", "b"])
    streams = [engine.stream(ask(question), GREEDY) for question in ("one", "two")]
    for stream in streams:
        next(stream)
    assert engine.open_streams == 2
    list(streams[0])
    streams[1].close()
    assert engine.open_streams == 0
    assert engine.turns == [ask("one"), ask("two")]


def test_delay_beats() -> None:
    """A slow script gives a sign of life at every heartbeat."""
    began = time.monotonic()
    chunks = list(ScriptedEngine(["late"], delay=3 * HEARTBEAT).stream(ask(), GREEDY))
    assert time.monotonic() - began >= 3 * HEARTBEAT
    assert chunks.index(Chunk(text="late")) >= 2
