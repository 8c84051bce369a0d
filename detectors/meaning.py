"""Which sensitive subject a question is about, where none of its names stands in it.

"What happened in Beijing in June 1989?" names nothing, and no list holds all such questions. A multinomial logistic
regression over the question's words and pairs of words tells, learned from questions that we wrote for every subject
and beside it (`data/topic_questions.jsonl`): it is the words together that make the subject.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

BITS = 15  # 2 ** BITS buckets
STEM = 7  # characters of a word that are read: a crude stem, good enough for English and Finnish
HAN_RUNS = (1, 2, 3)  # lengths of the runs of Chinese characters
LONGEST = 2000  # characters of a question that are read
SURE = 0.8  # probability from which a subject is named: one named wrongly is worse than one not named
NONE = ""  # the class of questions about no such subject

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_SMALL = frozenset(
    _WORD.findall(
        "a an the of in to is was were are be it its that this and or on at by for with as from what which who when "
        "where why how did do does can could would will have has had i me my you your tell about please s"
    )
)

Floats = NDArray[np.float32]


def buckets(text: str) -> NDArray[np.int64]:
    """The buckets of a folded text's words, pairs of words, and runs of Chinese characters; in order, each once."""
    return np.unique(np.array([crc32(f.encode()) % (1 << BITS) for f in _features(text[:LONGEST])], np.int64))


def _features(text: str) -> Iterator[str]:
    words = [word[:STEM] for word in _WORD.findall(_HAN.sub(" ", text))]
    telling = [word for word in words if word not in _SMALL]
    yield from words
    yield from (f"{one} {two}" for one, two in pairwise(words))
    yield from (f"{one}~{two}" for one, two in pairwise(telling))
    for run in _HAN.findall(text):
        yield from (run[at : at + size] for size in HAN_RUNS for at in range(len(run) - size + 1))


def values(rarity: Floats, found: NDArray[np.int64]) -> Floats:
    """What each bucket counts for: the rarer the more. One never seen in training counts most, and says nothing."""
    weights = rarity[found]
    length = float(np.linalg.norm(weights))
    return weights / length if length else weights


@dataclass(frozen=True)
class TopicReader:
    """`rarity` [buckets] is the inverse document frequency, `weights` [buckets, topics], `bias` [topics]."""

    topics: tuple[str, ...]
    rarity: Floats
    weights: NDArray[np.float16]
    bias: Floats

    @classmethod
    def load(cls, path: Path) -> TopicReader:
        """Reads what `save` wrote. Raises `OSError` where it is missing."""
        with safe_open(path, "numpy") as file:
            topics = tuple(json.loads(file.metadata()["topics"]))
            return cls(topics, *(file.get_tensor(name) for name in ("rarity", "weights", "bias")))

    def save(self, path: Path) -> None:
        """Writes everything to one file."""
        tensors: dict[str, NDArray[Any]] = {"rarity": self.rarity, "weights": self.weights, "bias": self.bias}
        save_file(tensors, path, metadata={"topics": json.dumps(self.topics)})

    def find(self, text: str) -> str | None:
        """The id of the subject that a folded text is surely about, or None."""
        found = buckets(text)
        logits = values(self.rarity, found) @ self.weights[found].astype(np.float32) + self.bias
        chances = np.exp(logits - logits.max())
        best = int(chances.argmax())
        sure = chances[best] >= SURE * chances.sum()
        return (self.topics[best] or None) if sure else None
