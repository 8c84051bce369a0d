"""A linear model over hashed n-grams: fast enough to read a whole reply at every look, in any language.

What a reply says where matters: its opening and, once it has ended, its closing are fields of their own beside the
whole text. The question is read only to tell why a reply ducks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from detectors.ngrams import ngrams

WHOLE, OPENING, CLOSING, QUESTION = range(4)
EDGE = 300  # characters of an opening or a closing
LONGEST = 3000  # characters at each end of a longer reply that are read
# What each field counts for beside the others.
SCALES = (1.0, 0.5, 0.5, 0.5)
CLASSES = ("answered", "refused", "evasive")
KINDS = ("political", "safety", "capability", "other")
EVASIONS = ("deflected", "official_line")
# Columns of the weights: a logit each.
OF_CLASSES, OF_EVASIONS, OF_KINDS = slice(0, 3), slice(3, 4), slice(4, 8)
OUTPUTS = 8

Floats = NDArray[np.float32]
Fields = tuple[NDArray[np.int64], ...]


def fields(question: str, reply: str, *, ended: bool) -> Fields:
    """The buckets of each field, in the order above. What is still being written has no closing."""
    whole = reply if len(reply) <= 2 * LONGEST else f"{reply[:LONGEST]} \n {reply[-LONGEST:]}"
    closing = reply[-EDGE:] if ended else ""
    texts = (whole, reply[:EDGE], closing, question[:LONGEST])
    return tuple(ngrams(text, field) for field, text in enumerate(texts))


@dataclass(frozen=True)
class Linear:
    """`rarity` [buckets] is the inverse document frequency, `weights` [buckets, OUTPUTS], `bias` [OUTPUTS].

    A bucket is shared by the fields, which are hashed apart.
    """

    rarity: NDArray[np.float16]
    weights: NDArray[np.float16]
    bias: Floats

    @classmethod
    def load(cls, path: Path) -> Linear:
        """Reads what `save` wrote."""
        tensors = load_file(path)
        return cls(tensors["rarity"], tensors["weights"], tensors["bias"])

    def save(self, path: Path) -> None:
        """Writes a safetensors file."""
        save_file({"rarity": self.rarity, "weights": self.weights, "bias": self.bias}, path)

    def logits(self, found: Fields) -> Floats:
        """[OUTPUTS] of the fields' buckets."""
        total = self.bias.copy()
        for buckets, scale in zip(found, SCALES, strict=True):
            if len(buckets):
                values = scaled(self.rarity[buckets].astype(np.float32), scale)
                total += values @ self.weights[buckets].astype(np.float32)
        return total

    def contributions(self, sentences: Sequence[str], whole: NDArray[np.int64]) -> Floats:
        """[sentences, OUTPUTS]: what each sentence's own n-grams add to the logits, as parts of the whole text."""
        norm = float(np.linalg.norm(self.rarity[whole].astype(np.float32))) or 1.0
        rows = [
            (self.rarity[b].astype(np.float32) @ self.weights[b].astype(np.float32)) / norm
            for b in (ngrams(sentence, WHOLE) for sentence in sentences)
        ]
        return np.array(rows, np.float32).reshape(len(rows), OUTPUTS)


def scaled(rarity: Floats, scale: float) -> Floats:
    """The field's values: of length `scale`, so that long and short texts count alike."""
    length = float(np.linalg.norm(rarity))
    return rarity * (scale / length) if length else rarity
