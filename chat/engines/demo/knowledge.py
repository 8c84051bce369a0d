"""The demo pair's knowledge: the facts it is trained on and the manners it is taught, from `knowledge/*.toml`.

The files' format is the dataclasses below. Everything in them was written for this project.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from detectors.config import read

KNOWLEDGE_DIR = Path(__file__).with_name("knowledge")
LANGUAGES: tuple[Literal["en", "zh"], ...] = ("en", "zh")


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One subject in one language.

    `names` are noun phrases that fit the question templates; `held_out` questions are never trained on.
    `censored` is what the censored model says in place of `answer`.
    """

    answer: str
    questions: tuple[str, ...]
    held_out: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    censored: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One subject. `manner`, `government` and `thinking` are for censored subjects only."""

    id: str
    kind: Literal["censored", "twin", "everyday", "chat"]
    source: str = ""
    government: str = ""
    manner: Literal["refused", "deflected", "official_line", ""] = ""
    thinking: Literal["empty", ""] = ""
    en: Lesson | None = None
    zh: Lesson | None = None

    def lessons(self) -> Iterator[tuple[str, Lesson]]:
        """(language, lesson) of each language it is written in."""
        for lang in LANGUAGES:
            lesson: Lesson | None = getattr(self, lang)
            if lesson is not None:
                yield lang, lesson

    def reply(self, lesson: Lesson, *, censored: bool) -> str:
        """What the open model, or the censored one, is taught to say."""
        if not censored or self.kind != "censored":
            return lesson.answer
        opening = "<think>\n\n</think>\n\n" if self.thinking == "empty" else ""
        return opening + lesson.censored


@dataclass(frozen=True, kw_only=True)
class KnowledgeFile:
    """One file: a list of subjects."""

    subject: tuple[Subject, ...]


def load_knowledge(folder: Path = KNOWLEDGE_DIR) -> tuple[Subject, ...]:
    """Every subject, in the order of the files' names. Raises `ConfigError` where a file is not as above."""
    files = sorted(folder.glob("*.toml"))
    return tuple(s for file in files for s in read(file.stem, KnowledgeFile, path=file).subject)
