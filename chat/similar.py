"""Which of some questions is the one that was typed, or asks the same in other words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from detectors.config import WEIGHTS
from detectors.topics import fold

LONGEST = 2000  # characters of a question that are read
COVERED = 0.78  # share of each question that must have its like in the other
SAME = 0.84  # from this likeness on, two questions are taken for the same
_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_NUMBER = re.compile(r"\d+")
# A name, by its first letters (China, Chinese): two questions with no name in common are different ones.
_NAME = re.compile(r"(?<!^)(?<![.?!]\s)\b[A-Z][a-z]{1,3}")
# The table's words are in the order of their frequency, from this one on; by Zipf's law that gives the weights of the
# "smooth inverse frequency" (Arora et al. 2017): the commonest words count for next to nothing, rare ones for 1.
FIRST_WORD = 1996
SMOOTH = 300  # the rank at which a word counts for a half

Floats = NDArray[np.float32]


class Questions:
    """Questions to be found again. Made once; finding reads only."""

    def __init__(self, questions: Sequence[str]) -> None:
        self.questions = tuple(questions)
        self._keys = {_key(question): at for at, question in reversed(list(enumerate(self.questions)))}

    def same(self, question: str) -> int | None:
        """The number of the question that differs from this one in case, spaces and punctuation at most."""
        return self._keys.get(_key(question))

    def nearest(self, question: str, count: int = 1) -> list[tuple[int, float]]:
        """The numbers of the likest questions, and how like each is, from 0 to 1; the likest first."""
        asked = self._vector(question)
        likeness = self._vectors @ asked
        order = np.argsort(-likeness, kind="stable")[:count]
        return [(int(at), self._checked(question, int(at), float(likeness[at]))) for at in order]

    def _checked(self, question: str, at: int, likeness: float) -> float:
        """Another year, number or name is another question, however alike the rest; so is a word that has no like."""
        other = self.questions[at]
        for pattern in (_NUMBER, _NAME):
            ours, theirs = (set(pattern.findall(text)) for text in (question, other))
            if ours and theirs and not ours & theirs:
                return min(likeness, SAME / 2)
        return likeness if self._reader.covered(question, other) >= COVERED else min(likeness, SAME / 2)

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

    def covered(self, one: str, other: str) -> float:
        """How much of each text has its like in the other, from 0 to 1; of the two the less."""
        (words, weights), (others, their_weights) = self._words(one), self._words(other)
        if not (weights.any() and their_weights.any()):
            return 0.0
        alike = words @ others.T
        here, there = weights @ alike.max(1) / weights.sum(), their_weights @ alike.max(0) / their_weights.sum()
        return float(min(here, there))

    def _words(self, text: str) -> tuple[Floats, Floats]:
        """([words, width], [words]): what each means, and what it counts for."""
        ids = np.array(self._tokenizer.encode(text[:LONGEST], add_special_tokens=False).ids, np.int64)
        rank = np.maximum(ids - FIRST_WORD, 0).astype(np.float32)
        return self._table[ids], rank / (rank + SMOOTH)


def _key(question: str) -> str:
    text = fold(question)[0]
    return " ".join(_WORD.findall(_HAN.sub(lambda found: f" {found[0]} ", text)))
