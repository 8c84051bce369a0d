"""A text as hashed n-grams of characters and words: what a linear model reads.

Hashing needs no vocabulary and knows no language (Weinberger et al. 2009, "Feature hashing for large scale multitask
learning"). Presence counts, not frequency: a long reply repeats its subject, which says nothing about what it does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from detectors.fold import fold

BITS = 18  # 2 ** BITS buckets
CHARACTERS = (2, 3, 4)  # lengths of the n-grams of characters
WORDS = (1, 2, 3)  # and of words
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 over the golden ratio, as in Fibonacci hashing
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d")


def ngrams(text: str, field: int = 0) -> NDArray[np.int64]:
    """The buckets of the text's n-grams, in order, each once. The same n-gram of another `field` is another feature."""
    folded = _SPACE.sub(" ", fold(text)).strip()
    characters = np.frombuffer(f" {folded} ".encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    words = np.array([_hash(word) for word in _WORD.findall(folded)], np.uint64)
    runs = [_runs(characters, length, seed=1) for length in CHARACTERS]
    runs += [_runs(words, length, seed=2) for length in WORDS]
    return np.unique(_bucket(np.concatenate(runs) + np.uint64(field)))


@lru_cache(maxsize=20_000)
def _hash(word: str) -> int:
    return crc32(word.encode("utf-8", "replace"))


def _runs(values: NDArray[np.uint64], length: int, seed: int) -> NDArray[np.uint64]:
    """A hash of every run of `length` values."""
    count = max(0, len(values) - length + 1)
    hashed = np.full(count, seed * 31 + length, np.uint64)
    for at in range(length):
        hashed = (hashed ^ values[at : at + count]) * _MULTIPLIER
        hashed ^= hashed >> np.uint64(29)
    return hashed


def _bucket(hashed: NDArray[np.uint64]) -> NDArray[np.int64]:
    return ((hashed * _MULTIPLIER) >> np.uint64(64 - BITS)).astype(np.int64)
