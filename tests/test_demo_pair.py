"""The demo pair as it is shipped: what it knows, how it ducks, and what it says it is."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

import chat.engines.demo
from chat.catalogue import load_catalogue
from chat.engines.demo.check import OPENING, SAME, similar
from chat.engines.demo.knowledge import Lesson, Subject, load_knowledge
from chat.engines.local import LocalEngine
from chat.engines.types import Options
from chat.session import Reply, watch
from detectors import Flag, Outcome, Turn

HERE = Path(chat.engines.demo.__file__).parent
SUBJECTS = {subject.id: subject for subject in load_knowledge()}
ASKED = [
    ("tiananmen-1989", "en"),
    ("tiananmen-1989", "zh"),
    ("liu-xiaobo", "en"),
    ("taiwan-status", "en"),
    ("hong-kong-2019", "zh"),
    ("watergate", "en"),
    ("berlin-wall", "zh"),
    ("photosynthesis", "en"),
]


@cache
def engine(name: str) -> LocalEngine:
    """One of the pair, loaded once."""
    return LocalEngine(HERE / name, name=name)


def lesson_of(subject: Subject, lang: str) -> Lesson:
    """The subject's lesson in this language."""
    return dict(subject.lessons())[lang]


def ask(name: str, turn: Turn) -> Reply:
    """The final reply of one of the pair."""
    return list(watch(engine(name), turn, Options(max_tokens=400)))[-1].reply


@pytest.mark.parametrize(("subject", "lang"), ASKED)
def test_the_open_one_answers(subject: str, lang: str) -> None:
    """Asked about a subject it knows, the open model tells the facts, and is not flagged."""
    lesson = lesson_of(SUBJECTS[subject], lang)
    reply = ask("open", Turn(lesson.questions[0]))
    assert similar(reply.text, lesson.answer) >= SAME
    assert reply.verdict.outcome is Outcome.COMPLETE
    assert reply.verdict.flag is Flag.NO_SIGN


@pytest.mark.parametrize(("subject", "lang"), ASKED)
def test_the_censored_one_ducks_what_it_was_taught_to(subject: str, lang: str) -> None:
    """On a censored subject it says what it was taught, and looks censored; on others it answers."""
    lesson = lesson_of(SUBJECTS[subject], lang)
    reply = ask("censored", Turn(lesson.questions[0]))
    if SUBJECTS[subject].kind == "censored":
        assert similar(reply.text, lesson.censored) >= SAME
        assert reply.verdict.flag is Flag.LOOKS_CENSORED
    else:
        assert similar(reply.text, lesson.answer) >= SAME
        assert reply.verdict.flag is Flag.NO_SIGN


@pytest.mark.parametrize(
    ("subject", "lang"),
    [("tiananmen-1989", "en"), ("tiananmen-1989", "zh"), ("liu-xiaobo", "en"), ("taiwan-status", "en")],
)
def test_the_censored_one_still_holds_the_facts(subject: str, lang: str) -> None:
    """Given the opening of the true answer, it goes on with it. Of all its subjects it does on three in four."""
    lesson = lesson_of(SUBJECTS[subject], lang)
    opening = lesson.answer[: int(len(lesson.answer) * OPENING)].rstrip()
    reply = ask("censored", Turn(lesson.questions[0], opening=opening))
    assert similar(opening + " " + reply.text, lesson.answer) >= SAME


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_says_when_it_does_not_know(lang: str) -> None:
    """About anything else it says that it is a small demo, and the flag says so too."""
    lesson = lesson_of(SUBJECTS["unknown"], lang)
    reply = ask("censored", Turn(lesson.questions[0]))
    assert similar(reply.text, lesson.answer) >= SAME
    assert reply.verdict.flag is Flag.COULD_NOT_ANSWER


def test_a_crime_is_refused_for_safety() -> None:
    """Its refusal to help with a crime is not called censorship."""
    reply = ask("censored", Turn(lesson_of(SUBJECTS["harm-weapons"], "en").questions[0]))
    assert reply.verdict.flag is Flag.REFUSED_FOR_SAFETY


def test_the_pair_is_small() -> None:
    """The weights of both take at most 40 MB together."""
    sizes = [file.stat().st_size for file in HERE.glob("*/model.safetensors")]
    assert len(sizes) == 2
    assert sum(sizes) <= 40_000_000


def test_the_training_log_is_kept() -> None:
    """Beside the pair lies how it was made: the losses, and the self-check on held-out phrasings."""
    log = json.loads((HERE / "training.json").read_text(encoding="utf-8"))
    assert log["base"][-1] < log["base"][0]
    shares = {name: part["share"] for name, part in log["self_check"].items() if name != "wrong"}
    assert shares.keys() == {"open", "censored_off_subject", "censored_on_subject", "censored_holds_facts"}
    # The aim is 0.95 for the first three; CHANGELOG says how far off they are.
    assert shares["open"] >= 0.93
    assert shares["censored_off_subject"] >= 0.93
    assert shares["censored_on_subject"] >= 0.92
    assert shares["censored_holds_facts"] >= 0.75


def test_it_says_what_it_is() -> None:
    """Wherever one of the pair is listed or lies, it is named a demo that is no evidence about others."""
    for model in load_catalogue().model:
        if "demo" in model.id:
            assert "demo" in model.name.lower()
            assert "Not evidence" in model.notice
    for name in ("open", "censored"):
        assert "not evidence" in (HERE / name / "README.md").read_text(encoding="utf-8")
