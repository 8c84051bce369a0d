"""Fits the linear model: logistic regressions over the hashed n-grams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from detectors.corpus import Row
from detectors.linear import (
    OF_CLASSES,
    OF_EVASIONS,
    OF_KINDS,
    OUTPUTS,
    QUESTION,
    SCALES,
    Fields,
    Floats,
    Linear,
    fields,
    scaled,
)
from detectors.ngrams import BITS

STRENGTH = 30.0  # inverse of the L2 penalty
STEPS = 120
TOLERANCE = 1e-3
RARE = 2  # replies that an n-gram must be in


def featurize(rows: Sequence[Row]) -> list[Fields]:
    """The buckets of every row."""
    return [fields(row.question, row.reply, ended=row.ended) for row in rows]


def fit_linear(rows: Sequence[Row], found: Sequence[Fields]) -> Linear:
    """One multinomial regression for the classes, one for the evasions, one for the kinds."""
    rarity = _rarity(found)
    weights, bias = np.zeros((1 << BITS, OUTPUTS), np.float32), np.zeros(OUTPUTS, np.float32)
    text = _matrix(found, rarity, question=False)
    both = _matrix(found, rarity, question=True)
    targets = (
        (OF_CLASSES, text, [row.cls for row in rows]),
        (OF_EVASIONS, text, [row.evasion for row in rows]),
        (OF_KINDS, both, [row.kind for row in rows]),
    )
    for columns, values, target in targets:
        known = [at for at, number in enumerate(target) if number is not None]
        model = LogisticRegression(C=STRENGTH, max_iter=STEPS, tol=TOLERANCE)
        model.fit(values[known], [target[at] for at in known], sample_weight=[rows[at].weight for at in known])
        weights[:, columns], bias[columns] = model.coef_.T, model.intercept_
    return Linear(rarity.astype(np.float16), weights.astype(np.float16), bias)


def _rarity(found: Sequence[Fields]) -> Floats:
    counts = np.zeros(1 << BITS, np.int64)
    for buckets in found:
        for field in buckets:
            counts[field] += 1
    rarity = np.log((len(found) + 1) / (counts + 1)).astype(np.float32)
    rarity[counts < RARE] = 0
    return rarity


def _matrix(found: Sequence[Fields], rarity: Floats, *, question: bool) -> csr_matrix:
    """[rows, buckets]"""
    ends, columns, values = [0], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    for row in found:
        kept = [(b, s) for at, (b, s) in enumerate(zip(row, SCALES, strict=True)) if question or at != QUESTION]
        columns += [buckets.astype(np.int32) for buckets, _ in kept]
        values += [scaled(rarity[buckets], scale) for buckets, scale in kept]
        ends.append(ends[-1] + sum(len(buckets) for buckets, _ in kept))
    parts: tuple[NDArray[np.float32], NDArray[np.int32], list[int]] = (
        np.concatenate(values),
        np.concatenate(columns),
        ends,
    )
    return csr_matrix(parts, shape=(len(found), 1 << BITS))
