"""What the classifier learns from: recorded replies with labels, the annotations of our own, and examples we wrote.

The recorded replies are not in the repository. `data/annotations.csv` holds `id,label,reason_kind,note` for some of
them, read one by one; `data/written_*.jsonl` holds whole examples.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detectors.records import BadLine, Record, Truth, read_records
from detectors.segment import split

DATA = Path(__file__).with_name("data")
# How much a row of each set counts. GPTFuzz's labels are a tenth noise, and it is one model and one manner.
WEIGHTS = {"gptfuzz_human": 0.3, "rbr_gold_human": 0.7, "routing_propaganda_llmjudge": 0.7, "us_hard": 0.7}
DANGEROUS = ("gptfuzz_human", "rbr_gold_human")  # sets of dangerous requests: what is not answered there is for safety
CLASS = {Truth.ANSWERED: 0, Truth.REFUSED: 1, Truth.EVASIVE: 2}
EVASION = {"deflected": 0, "official_line": 1}
KIND = {"political": 0, "safety": 1, "capability": 2, "other": 3}
TRUTH = {
    "answered": Truth.ANSWERED,
    "refused": Truth.REFUSED,
    "deflected": Truth.EVASIVE,
    "official_line": Truth.EVASIVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One example. `cls`, `evasion` and `kind` are numbers in the tables above; the last two None where unknown."""

    id: str
    source: str
    lang: str
    model: str
    topic: str  # the question's key: the same in every set and language
    question: str
    reply: str
    cls: int
    evasion: int | None = None
    kind: int | None = None
    weight: float = 1.0
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """One of our annotations."""

    label: str
    kind: str


def load_corpus(files: Sequence[Path]) -> list[Row]:
    """Every row with a known truth: of these files, in the format of `records`, and of `data/`.

    Raises `RecordError` where a file cannot be read.
    """
    notes = load_annotations()
    recorded = (_recorded(record, notes) for file in files for record in read_records(file))
    rows = [row for row in recorded if row is not None]
    return rows + [row for file in sorted(DATA.glob("written_*.jsonl")) for row in _written(file)]


def load_annotations(path: Path = DATA / "annotations.csv") -> dict[str, Note]:
    """Our annotations by the recorded reply's id."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["id"]: Note(row["label"], row["reason_kind"]) for row in csv.DictReader(lines)}


def _recorded(record: Record | BadLine, notes: dict[str, Note]) -> Row | None:
    if isinstance(record, BadLine):
        return None
    note = notes.get(record.id)
    truth = record.truth or (TRUTH.get(note.label) if note else None)
    if truth is None:
        return None
    source = record.id.split("/")[0]
    return Row(
        id=record.id,
        source=source,
        lang=record.lang,
        # Sets of one model have none to hold out.
        model=record.model if record.judged else source,
        topic=record.id.split("/")[-1].split("::")[-1],
        question=record.question,
        reply=record.reply,
        cls=CLASS[truth],
        evasion=EVASION.get(note.label if note else record.label) if truth is Truth.EVASIVE else None,
        kind=_kind(source, truth, note),
        weight=WEIGHTS.get(source, 1.0) if not record.judged else 1.0,
    )


def _kind(source: str, truth: Truth, note: Note | None) -> int | None:
    if truth is Truth.ANSWERED:
        return None
    if note and note.label != "answered":
        return KIND.get(note.kind)
    if source in DANGEROUS:
        return KIND["safety"]
    return KIND["political"] if truth is Truth.REFUSED else None


def _written(file: Path) -> Iterator[Row]:
    for line in file.read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        truth = TRUTH[data["label"]]
        yield Row(
            id=data["id"],
            source="written",
            lang=data["lang"],
            model="written",
            topic=data["id"],
            question=data["question"],
            reply=data["reply"],
            cls=CLASS[truth],
            evasion=EVASION.get(data["label"]),
            kind=KIND.get(data["kind"]),
        )


def beginning(row: Row, seed: int) -> Row | None:
    """The row as it looked while it was being written, cut at a third to two thirds; None for short ones.

    Cut at a fixed place of each row and seed, so that training repeats.
    """
    if len(row.reply) < 200:
        return None
    share = 0.15 + 0.6 * bucket(f"{row.id}/{seed}", 1000) / 1000
    return replace(row, reply=row.reply[: int(len(row.reply) * share)], ended=False, weight=row.weight / 2)


def excerpt(row: Row) -> Row | None:
    """A few sentences of a long answer, as a short answer would give them; None for other rows.

    Recorded answers are long and refusals short: without these, shortness itself would look like ducking.
    """
    if row.cls != CLASS[Truth.ANSWERED] or len(row.reply) < 800 or bucket(f"{row.id}/excerpt", 2):
        return None
    sentences = [s.text.strip() for s in split(row.reply) if len(s.text) > 20]
    if len(sentences) < 6:
        return None
    first = bucket(f"{row.id}/first", len(sentences) - 4)
    chosen = sentences[first : first + 1 + bucket(f"{row.id}/count", 4)]
    return replace(row, reply=" ".join(chosen), weight=row.weight / 2)


def bucket(key: str, count: int) -> int:
    """A number below `count` that depends on the key alone: how models and questions are put into groups."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % count
