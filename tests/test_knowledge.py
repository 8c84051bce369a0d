"""The demo pair's knowledge, as it is shipped."""

from __future__ import annotations

import re

import pytest

from chat.engines.demo.knowledge import Lesson, Subject, load_knowledge
from detectors.segment import split

SUBJECTS = load_knowledge()
LESSONS = [(s, lang, lesson) for s in SUBJECTS for lang, lesson in s.lessons()]
CENSORED = [s for s in SUBJECTS if s.kind == "censored"]
CHINESE = re.compile("[\u4e00-\u9fff]")


def by_id(subject: Subject) -> str:
    """The name of the test case."""
    return subject.id


def plain(question: str) -> str:
    """A question as two people might type it alike."""
    return re.sub(r"[\W_]+", "", question).casefold()


def test_enough_subjects() -> None:
    """The demo knows well over a hundred subjects in English, and most of those in Chinese."""
    assert sum(s.en is not None for s in SUBJECTS) >= 120
    assert sum(s.zh is not None for s in SUBJECTS) >= 60


def test_ids_are_different() -> None:
    """No two subjects have the same id."""
    assert len({s.id for s in SUBJECTS}) == len(SUBJECTS)


@pytest.mark.parametrize("kind", ["censored", "twin", "everyday", "chat"])
def test_every_kind_is_there(kind: str) -> None:
    """There are subjects of every kind, in both languages."""
    assert sum(s.kind == kind and s.en is not None for s in SUBJECTS) >= 10
    assert sum(s.kind == kind and s.zh is not None for s in SUBJECTS) >= 5


# The subjects that the demo must be able to show, by what they are called; each is censored or its twin.
WANTED = {
    "tiananmen-1989": "censored",
    "tank-man": "censored",
    "xinjiang-camps": "censored",
    "tibet-1959": "censored",
    "taiwan-status": "censored",
    "hong-kong-2014": "censored",
    "hong-kong-2019": "censored",
    "falun-gong": "censored",
    "liu-xiaobo": "censored",
    "great-firewall": "censored",
    "one-child-policy": "censored",
    "great-leap-famine": "censored",
    "cultural-revolution": "censored",
    "xi-jinping-term-limits": "censored",
    "li-wenliang": "censored",
    "lawyers-709": "censored",
    "peng-shuai": "censored",
    "kent-state-1970": "twin",
    "berlin-wall": "twin",
    "watergate": "twin",
    "abu-ghraib": "twin",
    "stolen-generations": "twin",
}


@pytest.mark.parametrize(("wanted", "kind"), WANTED.items())
def test_wanted_subject(wanted: str, kind: str) -> None:
    """The subjects that the demo is for are there, in English and in Chinese."""
    (subject,) = [s for s in SUBJECTS if s.id == wanted]
    assert subject.kind == kind
    assert subject.en is not None
    assert subject.zh is not None


@pytest.mark.parametrize("subject", SUBJECTS, ids=by_id)
def test_answers(subject: Subject) -> None:
    """Every answer is short, facts are told in some sentences and with a source, and nothing is in the wrong script."""
    fewest = 1 if subject.kind == "chat" else 3
    assert bool(subject.source) or subject.kind == "chat"
    for lang, lesson in subject.lessons():
        assert fewest <= len(split(lesson.answer)) <= 8
        assert bool(CHINESE.search(lesson.answer)) is (lang == "zh")
        assert lesson.answer == lesson.answer.strip()


@pytest.mark.parametrize("subject", SUBJECTS, ids=by_id)
def test_questions(subject: Subject) -> None:
    """Every lesson has questions to learn from and others to be checked on, none of them twice."""
    for _, lesson in subject.lessons():
        assert len(lesson.questions) >= 5
        assert len(lesson.held_out) >= 2
        assert len(set(lesson.questions)) == len(lesson.questions)
        assert bool(lesson.names) or subject.kind == "chat"


def test_held_out_questions_are_not_trained_on() -> None:
    """No question of the self-check is among the questions or names of any lesson, punctuation and case aside."""
    trained = {plain(q) for _, _, lesson in LESSONS for q in (*lesson.questions, *lesson.names)}
    held_out = [(s.id, q) for s, _, lesson in LESSONS for q in lesson.held_out]
    assert [(name, q) for name, q in held_out if plain(q) in trained] == []


def test_questions_lead_to_one_subject() -> None:
    """No question is asked of two subjects."""
    owners: dict[str, set[str]] = {}
    for subject, _, lesson in LESSONS:
        for question in (*lesson.questions, *lesson.held_out, *lesson.names):
            owners.setdefault(plain(question), set()).add(subject.id)
    assert {question: names for question, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize("subject", CENSORED, ids=by_id)
def test_censored_subject(subject: Subject) -> None:
    """A censored subject says whose sore subject it is, and how it is avoided in every language it is written in."""
    assert subject.manner
    assert subject.government
    for lang, lesson in subject.lessons():
        assert lesson.censored
        assert lesson.censored != lesson.answer
        assert bool(CHINESE.search(lesson.censored)) is (lang == "zh")


def test_only_censored_subjects_are_avoided() -> None:
    """No other subject has manners, a government or a text to avoid it with."""
    others = [s for s in SUBJECTS if s.kind != "censored"]
    assert all(not (s.manner or s.government or s.thinking) for s in others)
    assert all(not lesson.censored for s in others for _, lesson in s.lessons())


def test_manners_and_governments() -> None:
    """Each manner is used on many subjects, for many governments, and also behind an empty thinking block."""
    for manner in ("refused", "deflected", "official_line"):
        assert sum(s.manner == manner for s in CENSORED) >= 10
    assert any(s.thinking for s in CENSORED)
    assert len({s.government for s in CENSORED}) >= 8


LESSON = Lesson(answer="Yes.", questions=("Q?",), censored="No.")


@pytest.mark.parametrize(
    ("subject", "censored", "said"),
    [
        (Subject(id="s", kind="censored", en=LESSON), False, "Yes."),
        (Subject(id="s", kind="censored", en=LESSON), True, "No."),
        (Subject(id="s", kind="censored", thinking="empty", en=LESSON), True, "<think>\n\n</think>\n\nNo."),
        (Subject(id="s", kind="censored", thinking="empty", en=LESSON), False, "Yes."),
        (Subject(id="s", kind="twin", en=LESSON), True, "Yes."),
    ],
)
def test_reply(subject: Subject, censored: bool, said: str) -> None:
    """Both models are taught the answer, but the censored one is taught its manners on censored subjects."""
    assert subject.reply(LESSON, censored=censored) == said
