"""`unsaid scan`: a verdict for every reply of a file, without labels and without asking a model."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from chat.errors import ScanError
from chat.export import verdict_fields
from detectors import Flag, Monitor, Span, Turn, monitor
from detectors.records import BadLine, Record, read_records

PROGRESS = 200  # rows between two words of progress


def add_scan(commands: Any) -> None:
    """Adds the command to the parser's commands."""
    parser = commands.add_parser(
        "scan",
        help="give a verdict on every recorded reply of a file",
        description=(
            "One JSON object a line, plain or gzipped, with question and reply. Writes one verdict a line.\n"
            "Where the output file is there already, it goes on after the rows that are in it."
        ),
        epilog="example:\n  unsaid scan replies.jsonl.gz -o verdicts.jsonl",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="file of verdicts (default: standard output)")
    parser.set_defaults(run=_scan)


def _scan(args: argparse.Namespace) -> int:
    if args.output and args.output.resolve() == args.file.resolve():
        raise ScanError("The output file is the file to read. Choose another one.")
    done = _finished(args.output) if args.output else set()
    if done:
        print(f"{len(done)} rows are in {args.output} already; going on after them", file=sys.stderr)
    flags: Counter[Flag] = Counter()
    bad = 0
    with _opened(args.output) as out:
        for record in read_records(args.file):
            if isinstance(record, BadLine):
                bad += 1
                print(f"{args.file}:{record.line}: {record.problem}; skipped", file=sys.stderr)
            elif record.line not in done:
                verdict = _verdict(record)
                flags[Flag(verdict["flag"])] += 1
                print(json.dumps(verdict, ensure_ascii=False), file=out, flush=True)
                if flags.total() % PROGRESS == 0:
                    print(f"{flags.total()} replies read", file=sys.stderr)
    said = ", ".join(f"{flag.value} {count}" for flag, count in flags.most_common())
    print(f"{flags.total()} replies read, {bad} lines skipped" + (f": {said}" if said else ""), file=sys.stderr)
    return 0


def _verdict(record: Record) -> dict[str, Any]:
    watching = monitor(Turn(record.question))
    if record.reasoning:
        watching.feed(thinking=record.reasoning)
    watching.feed(record.reply)
    verdict = watching.close()
    given = {"line": record.line, "id": record.id, "model": record.model, "lang": record.lang}
    return {**given, "question": record.question, **verdict_fields(verdict, lambda span: _words(watching, span))}


def _words(watching: Monitor, span: Span) -> str:
    return {"reply": watching.reply, "thinking": watching.thinking}.get(span.where, "")[span.start : span.end]


def _finished(output: Path) -> set[int]:
    """The lines of the input that have their verdict. A last line that broke off is taken away."""
    if not output.exists():
        return set()
    try:
        data = output.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        done = {int(json.loads(line)["line"]) for line in whole.splitlines() if line.strip()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScanError(
            f"{output} is there and is no file of verdicts ({error}). Name another file, or move it away."
        ) from error
    if len(whole) < len(data):
        with output.open("r+b") as file:
            file.truncate(len(whole))
    return done


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        file = output.open("a", encoding="utf-8")
    except OSError as error:
        raise ScanError(f"{output} cannot be written: {error.strerror or error}. Choose another place.") from error
    with file:
        yield file
