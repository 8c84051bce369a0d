"""Topics found by meaning, where no name of theirs stands in the question."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors import default_topics, load_topics
from detectors.fit_topics import QUESTIONS, Asked, check, fit_topics, load_questions
from detectors.meaning import LONGEST, TopicReader
from detectors.topics import TopicEntry, TopicIndex
from detectors.types import Span

# None of these was learned; a test below says so. Some like them are missed: detectors/README.md has the share.
MEANT = [
    ("What happened in Beijing in June 1989?", "tiananmen-1989"),
    ("1989年6月北京的学生后来怎么样了", "tiananmen-1989"),
    ("Why are a million Muslims held in re-education centres in western China?", "uyghurs-xinjiang"),
    ("为什么很多维族人被送去再教育", "uyghurs-xinjiang"),
    ("How did people in Hong Kong protest against the extradition law?", "hong-kong-2019"),
    ("Which tennis player vanished after accusing a Chinese vice premier?", "peng-shuai"),
    ("How many peasants starved in China between 1959 and 1961?", "great-leap-famine"),
    ("Who killed the Saudi journalist in the consulate in Istanbul?", "khashoggi"),
    ("Why did Russian tanks roll towards Kyiv in February 2022?", "ukraine-invasion"),
    ("What did American guards do to the inmates at the prison in Cuba?", "guantanamo"),
]
NEAR_MISSES = [
    "Give me a recipe for Xinjiang lamb skewers.",
    "新疆大盘鸡怎么做？",
    "When is the cheapest flight to Taipei?",
    "台北有什么好吃的夜市？",
    "What happened in Berlin in November 1989?",
    "Which album by Taylor Swift is called 1989?",
    "How do I clean a fish tank?",
    "What is the weather like in Beijing in June?",
    "六月去北京穿什么？",
    "Which students won the maths olympiad in Hong Kong?",
    "Where can I hike in Hong Kong?",
    "Who plays tennis at the China Open?",
    "How do peasants in China grow rice?",
    "What is the best hotel in Istanbul?",
    "What did the Roman army do in Gaul?",
    "How do I extradite a variable from a closure?",
    "Hello!",
    "早上好",
    "",
    "?!",
    "🙂🙂🙂",
]


@pytest.mark.parametrize(("question", "topic"), MEANT)
def test_meant(question: str, topic: str) -> None:
    """A question that describes a subject without its name is about it; all of the question says so."""
    found = default_topics().find(question)
    assert found is not None
    assert found.id == topic


@pytest.mark.parametrize("question", NEAR_MISSES)
def test_near_misses(question: str) -> None:
    """A question that shares a place, a year or a word with a subject is not about it."""
    assert default_topics().find(question) is None


def test_not_learned_by_heart() -> None:
    """The cases above are not in the training set."""
    learned = {asked.question.casefold() for asked in load_questions(QUESTIONS)}
    assert not learned & {question.casefold() for question, _ in MEANT}


def test_names_come_first() -> None:
    """What is named needs no reading, and has the name for its span; what is meant has the whole question."""
    named, meant = (default_topics().find(q) for q in ("Who was Liu Xiaobo?", MEANT[0][0]))
    assert named is not None
    assert meant is not None
    assert named.span == Span(8, 18, "question")
    assert meant.span == Span(0, len(MEANT[0][0]), "question")


def test_a_topic_taken_off_the_list_is_not_found() -> None:
    """The reader knows more subjects than a host's list may have: those are nobody's."""
    index = load_topics()
    reader = fit_topics(
        [*[Asked(f"rivers {n}", "rivers") for n in range(9)], *[Asked(f"songs {n}", "") for n in range(9)]]
    )
    assert TopicIndex(index.entries, reader).find("rivers 3") is None


RIVERS = "which boats go on the water"


def small() -> TopicReader:
    """A reader of rivers and bridges."""
    asked = [Asked(f"which boats go on the water in spring {n}", "rivers") for n in range(20)]
    asked += [Asked(f"which carts go over the arch in spring {n}", "bridges") for n in range(20)]
    return fit_topics([*asked, *(Asked(f"tell me of number {n}", "") for n in range(40))])


def test_reader_says_nothing_of_what_it_does_not_know() -> None:
    """Words never seen make a subject less sure, not more."""
    reader = small()
    assert reader.find(RIVERS) == "rivers"
    assert reader.find(f"{RIVERS} with quilts zebras yoghurt opera violins lanterns mustard") is None
    assert reader.find("quilts zebras yoghurt opera") is None


def test_saved_and_loaded(tmp_path: Path) -> None:
    """A reader reads the same after it was written and read."""
    small().save(tmp_path / "topics.safetensors")
    assert TopicReader.load(tmp_path / "topics.safetensors").find(RIVERS) == "rivers"


def test_long_questions_are_read_in_part() -> None:
    """Of a question of a hundred thousand characters the beginning is read."""
    assert small().find(RIVERS + " " * LONGEST + "carts over the arch " * 5000) == "rivers"


def test_check_counts() -> None:
    """The share found, the share taken for another topic, and the share found where there is none."""
    entries = [TopicEntry(id=name, region="World", name={"en": name}, strong=(name,)) for name in ("rivers", "bridges")]
    asked = [Asked("rivers", "rivers"), Asked("bridges", "rivers"), Asked("nothing", "rivers"), Asked("rivers", "")]
    assert check(asked, TopicIndex(entries)) == {"n": 3, "found": 0.3333, "another": 0.3333, "n_none": 1, "false": 1.0}
