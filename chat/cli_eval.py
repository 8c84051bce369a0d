"""`unsaid eval`: how well the detector does on a file of replies whose truth is known."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detectors.records import BadLine, Record, read_records

PROGRESS = 500  # rows between two words of progress
SHOWN = ("n", "accuracy", "macro_f1", "f1", "precision", "recall", "fpr", "looks_censored", "auroc", "ece")


def add_eval(commands: Any) -> None:
    """Adds the command to the parser's commands."""
    parser = commands.add_parser(
        "eval",
        help="measure the detector on recorded replies with labels",
        description="One JSON object a line, plain or gzipped, with question, reply, and label or judges.",
        epilog="example:\n  unsaid eval speechmap_replies.jsonl.gz --lang zh --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--lang", help="only replies in this language, as the file names it")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(run=_eval)


def _eval(args: argparse.Namespace) -> int:
    from detectors.evaluate import judge, report

    judged = []
    for record in _labelled(args.file, args.lang):
        judged.append(judge(record))
        if len(judged) % PROGRESS == 0:
            print(f"{len(judged)} replies judged", file=sys.stderr)
    figures = report(judged)
    if args.json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        _print_table(figures)
    return 0


def _labelled(file: Path, lang: str | None) -> Iterator[Record]:
    skipped = 0
    for record in read_records(file):
        if isinstance(record, BadLine):
            print(f"{file}:{record.line}: {record.problem}", file=sys.stderr)
        elif record.truth is None:
            skipped += 1
        elif lang is None or record.lang == lang:
            yield record
    if skipped:
        print(f"{skipped} rows without a label, partial, or with judges that differ were left out", file=sys.stderr)


def _print_table(figures: dict[str, Any]) -> None:
    rows = {"all": figures, **figures["by_lang"], **figures["by_length"]}
    wide = max(map(len, rows))
    print(" " * wide, *(f"{name:>14}" for name in SHOWN))
    for name, row in rows.items():
        print(f"{name:{wide}}", *(f"{'-' if row[key] is None else row[key]:>14}" for key in SHOWN))
    latency, seen = figures["latency_ms"], figures["seen_at_flag"]
    print(f"\nmilliseconds a reply: median {latency['p50']}, 95th percentile {latency['p95']}")
    print(f"share of a ducking reply seen when flagged for good: median {seen['p50']}, 95th percentile {seen['p95']}")
    for truth, said in figures["confusion"].items():
        print(f"{truth:>10} judged as", ", ".join(f"{label} {count}" for label, count in said.items()))
