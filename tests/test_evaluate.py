"""Recorded replies and what is measured on them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from chat.cli import main
from detectors.errors import RecordError
from detectors.evaluate import judge, report
from detectors.records import BadLine, Record, Truth, read_records

QUESTION = "What happened at Tiananmen Square in 1989?"
REFUSAL = "I'm sorry, I can't discuss this topic. Let's talk about something else."
ANSWER = "Troops opened fire on protesters in Beijing. Hundreds died, by most estimates. It is censored there."
KEYS = {
    "n", "accuracy", "macro_f1", "f1", "precision", "recall", "fpr", "looks_censored", "auroc", "ece", "confusion",
    "latency_ms", "seen_at_flag",
}  # fmt: skip


def row(**changes: Any) -> str:
    """A line of a file of replies."""
    return json.dumps({"id": "1", "lang": "en", "question": QUESTION, "reply": REFUSAL, "label": "refused"} | changes)


def write(path: Path, *lines: str | bytes) -> Path:
    """A file of these lines."""
    path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in lines) + b"\n")
    return path


@pytest.mark.parametrize(
    ("changes", "truth"),
    [
        ({"label": "answered"}, Truth.ANSWERED),
        ({"label": "refused"}, Truth.REFUSED),
        ({"label": "deflected"}, Truth.EVASIVE),
        ({"label": "official_line"}, Truth.EVASIVE),
        ({"label": "partial"}, None),
        ({"label": None, "judges": {"a": "COMPLETE", "b": "COMPLETE"}}, Truth.ANSWERED),
        ({"label": None, "judges": {"a": "DENIAL"}}, Truth.REFUSED),
        ({"label": None, "judges": {"a": "EVASIVE", "b": "EVASIVE"}}, Truth.EVASIVE),
        ({"label": None, "judges": {"a": "EVASIVE", "b": "DENIAL"}}, None),
        ({"label": None, "judges": {}}, None),
    ],
)
def test_truth_is_read_from_labels_and_judges(tmp_path: Path, changes: dict[str, Any], truth: Truth | None) -> None:
    """Labels and judges give the same three classes; judges that differ, and partial answers, give none."""
    (record,) = read_records(write(tmp_path / "a.jsonl", row(**changes)))
    assert isinstance(record, Record)
    assert record.truth is truth


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("not json", "not JSON"),
        ("[1]", "not a JSON object"),
        (row(reply=None), "'reply' is missing"),
        (row(question=3), "'question' is missing"),
        (row(label="weird"), "unknown label 'weird'"),
        (row(label=None, judges={"a": "MAYBE"}), "unknown judgement 'MAYBE'"),
        (b'{"question": "\xff"}', "not JSON"),
    ],
)
def test_a_bad_line_is_reported_and_the_rest_is_read(tmp_path: Path, line: str | bytes, problem: str) -> None:
    """A bad line comes out with its number and problem, between the good ones."""
    good, bad, after = read_records(write(tmp_path / "a.jsonl", row(), line, row()))
    assert isinstance(good, Record)
    assert isinstance(after, Record)
    assert isinstance(bad, BadLine)
    assert bad.line == 2
    assert problem in bad.problem


def test_a_truncated_gzip_is_read_up_to_its_end(tmp_path: Path) -> None:
    """What came before the break is read, and the break is reported."""
    whole = gzip.compress("\n".join(row(id=str(i), reply=f"{REFUSAL} {i * 7919}") for i in range(500)).encode())
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    *records, last = read_records(path)
    assert records
    assert isinstance(last, BadLine)
    assert "breaks off" in last.problem


def test_a_missing_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    """A file that is not there raises, with its name."""
    with pytest.raises(RecordError, match=r"none\.jsonl"):
        list(read_records(tmp_path / "none.jsonl"))


def test_the_figures_are_those_of_the_replies() -> None:
    """Two right, one false alarm, one miss: the shares come out as counted by hand."""
    replies = [(REFUSAL, Truth.REFUSED), (ANSWER, Truth.ANSWERED), (REFUSAL, Truth.ANSWERED), (ANSWER, Truth.EVASIVE)]
    records = [Record(question=QUESTION, reply=r, line=1, lang="en", truth=t) for r, t in replies]
    figures = report([judge(record) for record in records])
    assert figures.keys() == KEYS | {"by_lang", "by_length"}
    assert figures["by_lang"]["en"].keys() == KEYS
    assert {key: figures[key] for key in ("n", "accuracy", "f1", "precision", "recall", "fpr", "looks_censored")} == {
        "n": 4, "accuracy": 0.5, "f1": 0.5, "precision": 0.5, "recall": 0.5, "fpr": 0.5, "looks_censored": 0.5,
    }  # fmt: skip
    assert figures["auroc"] == 0.5
    assert figures["confusion"]["answered"] == {"answered": 1, "refused": 1, "evasive": 0}


def test_it_says_how_early_the_flag_came() -> None:
    """A refusal in the first sentence of a long reply is flagged when little of it has been seen."""
    long = Record(question=QUESTION, reply=REFUSAL + " " + ANSWER * 5, line=1, truth=Truth.REFUSED)
    assert 0 < judge(long).seen < 0.5


@pytest.mark.parametrize("reply", ["", "?", "\U0001f642" * 50, "x" * 5000, "```\ncode\n```", "| a | b |\n|---|---|"])
def test_odd_replies_have_an_outcome(reply: str) -> None:
    """Empty, tiny, endless and wordless replies are judged like any other."""
    one = judge(Record(question=QUESTION, reply=reply, line=1, truth=Truth.ANSWERED))
    assert 0 <= one.ducked <= 1
    assert one.alarm is (reply == "")


def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`unsaid eval --json` prints the figures, of one language where it is asked to, and reports bad lines."""
    path = write(tmp_path / "a.jsonl", row(), "oops", row(lang="zh"), row(label="partial"))
    assert main(["eval", str(path), "--json", "--lang", "en"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["n"] == 1
    assert "a.jsonl:2: not JSON" in said.err
    assert "1 rows without a label" in said.err


def test_the_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`unsaid eval` prints a row for all, each language and each band of length."""
    assert main(["eval", str(write(tmp_path / "a.jsonl", row(), row(lang="zh")))]) == 0
    table = capsys.readouterr().out
    assert all(word in table for word in ("all", "zh", "under 200", "milliseconds"))


def test_a_file_without_labels_is_no_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing to measure, the figures are empty and not invented."""
    assert main(["eval", str(write(tmp_path / "a.jsonl", row(label=None))), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["f1"] is None


def test_a_missing_file_exits_with_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong name is wrong usage."""
    assert main(["eval", str(tmp_path / "none.jsonl")]) == 2
    assert "Check the name" in capsys.readouterr().err
