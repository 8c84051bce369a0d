"""`unsaid scan`: a verdict for every recorded reply, whatever befalls the run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from chat.cli import main

QUESTION = "What happened at Tiananmen Square in 1989?"
REFUSAL = "I'm sorry, I can't discuss this topic. Let's talk about something else."


def row(**changes: Any) -> str:
    """A line of a file of replies."""
    return json.dumps({"id": "1", "lang": "en", "question": QUESTION, "reply": REFUSAL} | changes, ensure_ascii=False)


def written(path: Path) -> list[dict[str, Any]]:
    """The verdicts in a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_verdict_for_every_row(tmp_path: Path) -> None:
    """Rows need no label; each verdict carries the row's line and id, the flag and the words it rests on."""
    source, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_text("\n".join([row(id="x"), "", row(id="y", reply="四川菜很辣。", question="四川菜辣吗？")]))
    assert main(["scan", str(source), "-o", str(out)]) == 0
    first, second = written(out)
    assert (first["line"], first["id"], first["flag"]) == (1, "x", "looks_censored")
    assert any(e["text"] and e["text"] in REFUSAL for e in first["evidence"])
    assert (second["line"], second["id"], second["flag"]) == (3, "y", "no_sign")


def test_to_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without -o the verdicts go to standard output, and what is said of the run does not."""
    source = tmp_path / "a.jsonl.gz"
    source.write_bytes(gzip.compress(row().encode()))
    assert main(["scan", str(source)]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["flag"] == "looks_censored"
    assert "1 replies read, 0 lines skipped: looks_censored 1" in err


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("not json", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"question": "x"}', "'reply' is missing"),
        ('{"question": 3, "reply": "x"}', "'question' is missing or not text"),
        (row(label="sideways"), "unknown label 'sideways'"),
    ],
)
def test_a_bad_line_costs_only_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, problem: str
) -> None:
    """It is named with its number and what is wrong, and the rows around it are read."""
    source, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_text("\n".join([row(), line, row()]))
    assert main(["scan", str(source), "-o", str(out)]) == 0
    assert [v["line"] for v in written(out)] == [1, 3]
    assert f"{source}:2: {problem}" in capsys.readouterr().err


def test_a_truncated_archive_is_read_as_far_as_it_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What came before the break has its verdicts."""
    source, out = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"
    lines = "\n".join(row(id=str(n), reply=f"{n} " + REFUSAL * (1 + n % 7)) for n in range(400)).encode()
    source.write_bytes(gzip.compress(lines)[:-40])
    assert main(["scan", str(source), "-o", str(out)]) == 0
    assert len(written(out)) > 100
    assert "breaks off here" in capsys.readouterr().err


def test_an_interrupted_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows that have their verdict are not read again; a verdict that was cut in half is written anew."""
    source, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_text("\n".join(row(id=str(n)) for n in range(4)))
    main(["scan", str(source), "-o", str(out)])
    whole = out.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    out.write_text("".join(lines[:2]) + lines[2][:50], encoding="utf-8")
    assert main(["scan", str(source), "-o", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == whole
    assert "2 rows are in" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["a letter to a friend\n", '{"no": "line"}\n', "[]\n"])
def test_another_file_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    """An output file that holds no verdicts is left as it is."""
    source, out = tmp_path / "a.jsonl", tmp_path / "b.txt"
    source.write_text(row())
    out.write_text(content)
    assert main(["scan", str(source), "-o", str(out)]) == 2
    assert out.read_text() == content
    assert "Name another file" in capsys.readouterr().err


def test_the_input_is_not_the_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody loses their replies by a slip of the hand."""
    source = tmp_path / "a.jsonl"
    source.write_text(row())
    assert main(["scan", str(source), "-o", str(source)]) == 2
    assert source.read_text() == row()
    assert "Choose another one" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["file", "folder"])
def test_places_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str) -> None:
    """A file that cannot be read or written is named with what to do."""
    source = tmp_path / "a.jsonl"
    if missing == "folder":
        source.write_text(row())
    assert (
        main(["scan", str(source), "-o", str(tmp_path / "no" / "b.jsonl" if missing == "folder" else tmp_path / "b")])
        == 2
    )
    assert ("Choose another place" if missing == "folder" else "Check the name") in capsys.readouterr().err
