"""The engine that slows another one down."""

from __future__ import annotations

import itertools
import time

import pytest
from conftest import GREEDY, ask, text_of

from chat.engines.paced import PacedEngine, paced
from chat.engines.scripted import ScriptedEngine
from chat.engines.types import HEARTBEAT, Chunk
from detectors import Outcome

TEXT = "A line of forty characters, or about so."


@pytest.mark.parametrize("pace", [30, 60, 100, 160])
def test_pace(pace: int) -> None:
    """Text comes whole, no faster than the pace, with a sign of life at every heartbeat."""
    said, times = "", [time.monotonic()]
    for chunk in PacedEngine(ScriptedEngine([TEXT]), pace).stream(ask(), GREEDY):
        said += chunk.text
        times.append(time.monotonic())
    assert said == TEXT
    assert times[-1] - times[0] >= len(TEXT) / pace * 0.9
    assert sorted(after - before for before, after in itertools.pairwise(times))[len(times) // 2] <= HEARTBEAT + 0.02


def test_a_slow_reader_gets_longer_pieces() -> None:
    """Whoever is busy elsewhere for two beats out of three does not slow the reply down."""
    text, pace = TEXT * 5, 200
    began = time.monotonic()
    for _ in PacedEngine(ScriptedEngine([text]), pace).stream(ask(), GREEDY):
        time.sleep(HEARTBEAT)
    assert 0.9 * len(text) / pace <= time.monotonic() - began < 1.5 * len(text) / pace


def test_a_slow_pace_keeps_yielding() -> None:
    """However far off the next piece is, who reads can stop within a heartbeat or so."""
    began = time.monotonic()
    assert list(itertools.islice(paced("slow", 1), 4)) == ["s", "", "", ""]
    assert time.monotonic() - began < 0.9


def test_everything_else_passes() -> None:
    """Thinking, waiting, taking back and the ending come through as the engine gave them."""
    script = [
        Chunk(waiting=2),
        Chunk(loading=0.5),
        Chunk(thinking="Hm."),
        "Yes",
        Chunk(retract=True, text="No"),
        Chunk(outcome=Outcome.FILTERED),
    ]
    engine = PacedEngine(ScriptedEngine(script, name="slow"), 1000)
    chunks = [chunk for chunk in engine.stream(ask(), GREEDY) if chunk != Chunk()]
    assert chunks == [
        Chunk(waiting=2),
        Chunk(loading=0.5),
        Chunk(thinking="Hm."),
        Chunk(text="Yes"),
        Chunk(retract=True),
        Chunk(text="No"),
        Chunk(outcome=Outcome.FILTERED),
    ]
    assert engine.name == "slow"


def test_closing_closes_the_engine() -> None:
    """Closing in the middle of a slow text closes the engine's stream too."""
    inner = ScriptedEngine([TEXT * 10])
    stream = PacedEngine(inner, 160).stream(ask(), GREEDY)
    assert text_of([next(stream)])
    assert inner.open_streams == 1
    stream.close()
    assert inner.open_streams == 0
