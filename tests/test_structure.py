"""Findings from the shape of a reply: its thinking, and how it ended."""

from __future__ import annotations

import pytest

from detectors import watch_text
from detectors.structure import CANNED_THINKING_CHARACTERS, Structure
from detectors.types import Detector, Evidence, Flag, Label, Outcome, Seen, Span, Turn

REFUSED, UNDECIDED = Label.REFUSED, Label.UNDECIDED
PAGE = "The question is about a bridge, so I go through what is known of it, year by year. " * 3


def inspect(seen: Seen) -> list[Evidence]:
    """All that is found in the shape of this reply."""
    detector: Detector = Structure()
    return list(detector.inspect(Turn("What happened?"), seen))


# (thinking, reply, thought, is something found, the words it rests on)
THINKING: list[tuple[str, str, bool, bool, str | None]] = [
    ("", "It fell.", True, True, None),
    ("\n\n", "It fell.", True, True, None),
    ("Easy.", "It fell.", True, True, "Easy."),
    ("\n Easy. \n", "It fell.", True, True, "Easy."),
    ("想一下。", "塌了。", True, True, "想一下。"),
    ("x" * (CANNED_THINKING_CHARACTERS - 1), "It fell.", True, True, "x" * (CANNED_THINKING_CHARACTERS - 1)),
    # Near-misses
    ("", "It fell.", False, False, None),  # no thinking block at all
    ("x" * CANNED_THINKING_CHARACTERS, "It fell.", True, False, None),
    (PAGE, "It fell.", True, False, None),
    ("", "", True, False, None),  # nothing said yet: the thinking may still come
    ("Easy.", "", True, False, None),
]


@pytest.mark.parametrize(("thinking", "reply", "thought", "found", "words"), THINKING)
def test_thinking(thinking: str, reply: str, thought: bool, found: bool, words: str | None) -> None:
    """Empty or one-line thinking before a reply is a hint, and rests on that line."""
    findings = inspect(Seen(reply=reply, thinking=thinking, thought=thought))
    assert [e.label for e in findings] == [REFUSED] * found
    for finding in findings:
        span = finding.span
        assert (thinking[span.start : span.end] if span else None) == words
        assert span is None or span.where == "thinking"


@pytest.mark.parametrize("thinking", ["", "Easy."])
def test_thinking_alone_decides_nothing(thinking: str) -> None:
    """A model that does not think, because it was told not to, is not called a censor."""
    verdict = watch_text("What happened at Tiananmen Square in 1989?", f"<think>{thinking}</think>The army shot.")
    assert (verdict.label, verdict.flag) == (Label.ANSWERED, Flag.NO_SIGN)
    assert [e.detector for e in verdict.evidence] == ["structure"]


ENDS: list[tuple[Outcome, Label | None, str]] = [
    (Outcome.RUNNING, None, ""),
    (Outcome.COMPLETE, None, ""),
    (Outcome.EMPTY, UNDECIDED, "without a word"),
    (Outcome.CUT_OFF, UNDECIDED, "cut off"),
    (Outcome.STOPPED, UNDECIDED, "stopped by the reader"),
    (Outcome.FAILED, UNDECIDED, "error"),
    (Outcome.FILTERED, REFUSED, "filter"),
    (Outcome.RETRACTED, REFUSED, "taken back"),
]


@pytest.mark.parametrize(("outcome", "label", "words"), ENDS)
@pytest.mark.parametrize("reply", ["", "It fell."])
def test_ends(outcome: Outcome, label: Label | None, words: str, reply: str) -> None:
    """What ended a reply other than its own full stop is said; only an end from outside is a refusal."""
    findings = inspect(Seen(reply=reply, outcome=outcome))
    assert [e.label for e in findings] == ([label] if label else [])
    assert all(words in e.reason and e.span is None for e in findings)


def test_every_outcome_is_listed() -> None:
    """The table above leaves out no way in which a reply may end."""
    assert {outcome for outcome, _, _ in ENDS} == set(Outcome)


def test_both_at_once() -> None:
    """Canned thinking and a filtered end are two findings."""
    findings = inspect(Seen(reply="It", thinking="Easy.", thought=True, outcome=Outcome.FILTERED))
    assert [e.span for e in findings] == [Span(0, 5, "thinking"), None]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_scores_are_probabilities(outcome: Outcome) -> None:
    """Every score lies between 0 and 1, every reason is a sentence, and it speaks of the whole each time."""
    detector = Structure()
    assert not detector.accumulates
    for finding in inspect(Seen(reply="It fell.", thought=True, outcome=outcome)):
        assert finding.detector == detector.name
        assert 0 <= finding.score <= 1
        assert finding.reason[0].isupper()
        assert finding.reason.endswith(".")
