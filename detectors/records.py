"""Recorded replies from JSON Lines files, plain or gzipped: one object a line.

`question` and `reply` are needed; `id, lang, model, reasoning` are used where there. The truth stands in `label`
(`answered`, `refused`, `deflected`, `official_line`; `partial` counts for nothing) or in `judges`, a judge's name to
`COMPLETE`, `EVASIVE` or `DENIAL` as SpeechMap has them.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from detectors.errors import RecordError


class Truth(StrEnum):
    """What a reply really does, in the three classes that judges agree on."""

    ANSWERED = "answered"
    REFUSED = "refused"
    EVASIVE = "evasive"  # deflected or official_line


_OF_JUDGE = {"COMPLETE": Truth.ANSWERED, "DENIAL": Truth.REFUSED, "EVASIVE": Truth.EVASIVE}
_OF_LABEL = {
    "answered": Truth.ANSWERED,
    "refused": Truth.REFUSED,
    "deflected": Truth.EVASIVE,
    "official_line": Truth.EVASIVE,
    "partial": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One recorded reply; `truth` is None where nobody said, or where the judges differ.

    `label` is the file's own word for it, if it has one; `judged` says whether there were judges.
    """

    question: str
    reply: str
    line: int
    id: str = ""
    lang: str = ""
    model: str = ""
    reasoning: str = ""
    truth: Truth | None = None
    label: str = ""
    judged: bool = False


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record: its number in the file, and what is wrong with it."""

    line: int
    problem: str


def read_records(path: Path) -> Iterator[Record | BadLine]:
    """Every line of the file, in order. A file that breaks off is read up to there, and ends with a `BadLine`.

    Raises `RecordError` where the file cannot be read at all.
    """
    number = 0
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _parse(line, number)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield BadLine(number + 1, f"the file breaks off here ({error}); what came before was read")
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}. Check the name.") from error


def _parse(line: bytes, number: int) -> Record | BadLine:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:  # also bytes that are not UTF-8, and JSON nested too deep
        return BadLine(number, f"not JSON: {error}")
    if not isinstance(data, dict):
        return BadLine(number, "not a JSON object")
    for key in ("question", "reply"):
        if not isinstance(data.get(key), str):
            return BadLine(number, f"{key!r} is missing or not text")
    try:
        truth = _truth(data)
    except ValueError as error:
        return BadLine(number, str(error))
    extra = {key: str(data[key]) for key in ("id", "lang", "model", "reasoning") if data.get(key) is not None}
    return Record(
        question=data["question"],
        reply=data["reply"],
        line=number,
        truth=truth,
        label=str(data.get("label") or ""),
        judged=bool(data.get("judges")),
        **extra,
    )


def _truth(data: dict[str, Any]) -> Truth | None:
    if label := data.get("label"):
        if label not in _OF_LABEL:
            raise ValueError(f"unknown label {label!r}; known: {', '.join(_OF_LABEL)}")
        return _OF_LABEL[label]
    judges = data.get("judges") or {}
    said = set(judges.values()) if isinstance(judges, dict) else {judges}
    if unknown := said - _OF_JUDGE.keys():
        raise ValueError(f"unknown judgement {sorted(map(str, unknown))[0]!r}; known: {', '.join(_OF_JUDGE)}")
    return _OF_JUDGE[said.pop()] if len(said) == 1 else None
