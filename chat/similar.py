"""Which of some questions is the one that was typed, or asks the same in other words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.config import WEIGHTS
from detectors.topics import fold

LONGEST = 2000  # characters of a question that are read
COVERED = 0.84  # share of each question that must have its like in the other
ALONE = 0.62  # what a word without its like may count for, at most
SAME = 0.84  # from this likeness on, two questions are taken for the same
_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_NUMBER = re.compile(r"\d+")
# A name, by its first letters (China, Chinese): it has to be in both questions, however it is written.
_NAME = re.compile(r"(?<!^)(?<![.?!]\s)\b[A-Z][a-z]{1,3}")
_NOT = re.compile(r"\b(?:not|no|never|without|nor|cannot)\b|n['’]t\b|[不没無无]", re.IGNORECASE)
_WHETHER = re.compile(r"(.)[不没]\1")  # 是不是: a question, and no denial
# How one asks, which may be left out or be said otherwise.
_ASKING = frozenset(
    (
        *("analyse", "analyze", "answer", "briefly", "could", "describe", "detail", "detailed", "discuss", "do"),
        *("does", "exactly", "explain", "give", "is", "list", "name", "outline", "please", "provide", "say", "some"),
        *("summarise", "summarize", "tell", "would", "write", "you", "its", "own", *"请问吗呢"),
    )
)
# The table's words are in the order of their frequency, from this one on; by Zipf's law that gives the weights of the
# "smooth inverse frequency" (Arora et al. 2017): the commonest words count for next to nothing, rare ones for 1.
FIRST_WORD = 1996
SMOOTH = 300  # the rank at which a word counts for a half

Floats = NDArray[np.float32]


class Questions:
    """Questions to be found again. Made once; finding reads only."""

    def __init__(self, questions: Sequence[str]) -> None:
        self.questions = tuple(questions)
        numbered = list(reversed(list(enumerate(self.questions))))
        self._exact = {question: at for at, question in numbered}
        self._keys = {key: at for at, question in numbered if (key := _key(question))}

    def same(self, question: str) -> int | None:
        """The number of the question that differs from this one in case, spaces and punctuation at most."""
        return self._exact.get(question, self._keys.get(_key(question)))

    def nearest(self, question: str, count: int = 1) -> list[tuple[int, float]]:
        """The numbers of the likest questions, and how like each is, from 0 to 1; the likest first."""
        asked = self._vector(question)
        likeness = self._vectors @ asked
        order = np.argsort(-likeness, kind="stable")[:count]
        return [(int(at), self._checked(question, int(at), float(likeness[at]))) for at in order]

    def _checked(self, question: str, at: int, likeness: float) -> float:
        """A year, a name or a denial more or less makes another question, however alike the rest.

        So does a word that has no like.
        """
        other = self.questions[at]
        same = (
            _all(_NUMBER, question) == _all(_NUMBER, other)
            and _names(question, other)
            and _names(other, question)
            and _denials(question) == _denials(other)
            and self._reader.covered(question, other)
        )
        return likeness if same else min(likeness, SAME / 2)

    @cached_property
    def _vectors(self) -> Floats:
        return np.stack([self._vector(question) for question in self.questions])

    @cached_property
    def _reader(self) -> _Words:
        return _Words()

    def _vector(self, text: str) -> Floats:
        """The mean of the words' meanings, the rarer the more; of length 1."""
        return self._reader.meaning(text)


class _Words:
    """The meanings of words, from the classifier's own table."""

    def __init__(self) -> None:
        from safetensors import safe_open
        from tokenizers import Tokenizer

        folder = WEIGHTS / "encoder"
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        with safe_open(folder / "model.safetensors", "numpy") as file:
            table: Floats = file.get_tensor("embeddings.word_embeddings.weight").astype(np.float32)
        table -= table.mean(0)  # what all words have in common says nothing
        self._table = table / np.linalg.norm(table, axis=1, keepdims=True).clip(1e-6)

    def meaning(self, text: str) -> Floats:
        """[width], of length 1 unless there are no words."""
        words, weights = self._words(text)
        mean = weights @ words
        return np.asarray(mean / (np.linalg.norm(mean) or 1.0), np.float32)

    def covered(self, one: str, other: str) -> bool:
        """Whether each text has its like in the other: by far the most of it, and every word that counts."""
        (words, weights), (others, their_weights) = self._words(one), self._words(other)
        if not (weights.any() and their_weights.any()):
            return False
        alike = words @ others.T
        return self._has_like(one, weights, alike.max(1)) and self._has_like(other, their_weights, alike.max(0))

    def _has_like(self, text: str, weights: Floats, likeness: Floats) -> bool:
        counting = np.array([token.strip() not in _ASKING for token in self._encoded(text).tokens])
        weights = weights * counting if (weights * counting).any() else weights
        return bool(weights @ likeness / weights.sum() >= COVERED and (weights * (1 - likeness)).max() < ALONE)

    def _encoded(self, text: str) -> Any:
        return self._tokenizer.encode(text[:LONGEST], add_special_tokens=False)

    def _words(self, text: str) -> tuple[Floats, Floats]:
        """([words, width], [words]): what each means, and what it counts for."""
        ids = np.array(self._encoded(text).ids, np.int64)
        rank = np.maximum(ids - FIRST_WORD, 0).astype(np.float32)
        return self._table[ids], rank / (rank + SMOOTH)


def _all(pattern: re.Pattern[str], text: str) -> set[str]:
    return set(pattern.findall(text))


def _names(question: str, other: str) -> bool:
    """Whether the other question has every name of this one."""
    words = tuple(word.lower() for word in _WORD.findall(other))
    return all(any(word.startswith(name.lower()) for word in words) for name in _all(_NAME, question))


def _denials(question: str) -> int:
    return len(_NOT.findall(_WHETHER.sub(r"\1", question)))


def _key(question: str) -> str:
    text = fold(question)[0]
    return " ".join(_WORD.findall(_HAN.sub(lambda found: f" {found[0]} ", text)))
