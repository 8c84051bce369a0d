"""Fits the reader of topics: `python -m detectors.fit_topics`, a minute on one core.

With `--check FILE` it prints how it does on questions that it has not learned from, beside the names alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from detectors.corpus import DATA
from detectors.meaning import BITS, NONE, TopicReader, buckets, values
from detectors.topics import READER, TopicIndex, fold, load_topics

QUESTIONS = DATA / "topic_questions.jsonl"
STRENGTH = 300.0  # inverse of the L2 penalty
STEPS = 300
NAMES_WEIGHT = 0.3  # of a subject's name, beside a question


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the id of its topic; `NONE` for no such topic."""

    question: str
    topic: str
    weight: float = 1.0


def load_questions(path: Path) -> list[Asked]:
    """The questions of a JSON Lines file, `question` and `topic` (or null) in each line."""
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Asked(line["question"], line["topic"] or NONE) for line in lines]


def names_of(index: TopicIndex) -> list[Asked]:
    """Every topic's names and strong aliases, as the shortest of questions."""
    return [
        Asked(name.replace("*", ""), entry.id, NAMES_WEIGHT)
        for entry in index.entries
        for name in (*entry.name.values(), *entry.strong)
    ]


def fit_topics(asked: Sequence[Asked]) -> TopicReader:
    """One multinomial regression over all topics and none."""
    found = [buckets(fold(one.question)[0]) for one in asked]
    counts = np.zeros(1 << BITS, np.int64)
    for row in found:
        counts[row] += 1
    rarity = np.log((len(found) + 1) / (counts + 1)).astype(np.float32)
    ends = np.cumsum([0, *map(len, found)])
    matrix = csr_matrix(
        (np.concatenate([values(rarity, row) for row in found]), np.concatenate(found), ends), (len(found), 1 << BITS)
    )
    model = LogisticRegression(C=STRENGTH, max_iter=STEPS, tol=1e-3)
    model.fit(matrix, [one.topic for one in asked], sample_weight=[one.weight for one in asked])
    weights, bias = model.coef_.T.astype(np.float16), model.intercept_.astype(np.float32)
    return TopicReader(tuple(map(str, model.classes_)), rarity, np.ascontiguousarray(weights), bias)


def check(asked: Sequence[Asked], index: TopicIndex) -> dict[str, Any]:
    """Shares of the questions on a topic for which it is found, another is, and of the others for which any is."""
    said = [topic.id if (topic := index.find(one.question)) else NONE for one in asked]
    on = [(one.topic, found) for one, found in zip(asked, said, strict=True) if one.topic]
    off = [found for one, found in zip(asked, said, strict=True) if not one.topic]
    return {
        "n": len(on),
        "found": round(sum(right == found for right, found in on) / max(1, len(on)), 4),
        "another": round(sum(found not in (right, NONE) for right, found in on) / max(1, len(on)), 4),
        "n_none": len(off),
        "false": round(sum(map(bool, off)) / max(1, len(off)), 4),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Fits on our questions and the topics' names, and writes the weights or checks."""
    parser = argparse.ArgumentParser(prog="python -m detectors.fit_topics", description=__doc__)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    parser.add_argument("--out", type=Path, default=READER)
    parser.add_argument("--check", type=Path, help="print figures on this file's questions")
    args = parser.parse_args(argv)
    index = load_topics()
    known = {entry.id for entry in index.entries} | {NONE}
    asked = [one for one in load_questions(args.questions) if one.topic in known]
    reader = fit_topics([*asked, *names_of(index)])
    reader.save(args.out)
    if args.check:
        others = load_questions(args.check)
        print("names alone      ", check(others, index))
        print("names and meaning", check(others, TopicIndex(index.entries, reader)))


if __name__ == "__main__":
    main()
