"""How often streamed replies are shown."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from conftest import ask

from chat.engines.scripted import ScriptedEngine
from chat.session import Update, watch
from chat.ui.rate import Rate

ANSWER = "Troops opened fire on protesters in Beijing, and hundreds died by most estimates. "
REFUSAL = "I cannot discuss this topic. Let's talk about something else. "


def updates(*said: str) -> list[Update]:
    """The updates of a reply that says this, a piece at a time."""
    return list(watch(ScriptedEngine(said, delay=0.06), ask("What happened at Tiananmen Square in 1989?")))


class Clock:
    """Tells the time that it is set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("streams", "shown"), [(1, 20), (2, 10), (5, 4), (20, 1)])
def test_the_more_streams_the_less_often(streams: int, shown: int) -> None:
    """In twenty units of time as many views are shown as there is time for, whoever of the streams they are of."""
    clock = Clock()
    rate, running = Rate(1.0, clock=clock), updates(ANSWER, ANSWER)[1]
    with ExitStack() as stack:
        due, *_ = [stack.enter_context(rate.stream()) for _ in range(streams)]
        count = 0
        for clock.now in range(20):  # type: ignore[assignment]
            count += due(running)
        assert count == shown


def test_who_has_gone_is_not_counted() -> None:
    """A stream that has ended leaves its time to the others."""
    clock = Clock()
    rate, running = Rate(1.0, clock=clock), updates(ANSWER, ANSWER)[1]
    with rate.stream() as due:
        gone = rate.stream()
        gone.__enter__()
        assert due(running)
        clock.now = 1.0
        assert not due(running)
        gone.__exit__(None, None, None)
        assert due(running)


def test_a_flag_is_shown_at_once() -> None:
    """However busy the page is, a change of the flag does not wait; the last update is left to who ends the stream."""
    seen = updates("That is a matter of history. ", REFUSAL, ANSWER)
    with Rate(1000.0, clock=Clock()).stream() as due:
        shown = [update for update in seen if due(update)]
    flags = [update.reply.verdict.flag for update in shown]
    assert flags == ["too_early", "looks_censored"]
    assert not any(update.final for update in shown)
