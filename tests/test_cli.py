"""The `unsaid` command."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ANSWER, REFUSAL, THOUGHT, TIANANMEN, save_saying

from chat import __version__
from chat.cli import Exit, main

FRANCE = "What is the capital of France?"


def run(*argv: object) -> int:
    """The exit code of the command."""
    try:
        return main([str(arg) for arg in argv])
    except SystemExit as ended:  # argparse's
        return int(ended.code or 0)


class Keyboard(io.StringIO):
    """A standard input at which Ctrl+C is pressed."""

    def read(self, size: int | None = -1, /) -> str:
        raise KeyboardInterrupt


def test_ask(answering: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A question is answered on standard output: the reply, the flag, and how sure it is."""
    assert run("ask", FRANCE, "--engine", answering) == Exit.OK
    said = capsys.readouterr().out
    assert said.startswith(ANSWER + "\n")
    assert "No sign of censorship" in said
    assert "%" in said


def test_ask_shows_the_evidence(refusing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A flagged reply comes with its topic, the reasons, and the words that they rest on."""
    assert run("ask", TIANANMEN, "--engine", refusing) == Exit.OK
    said = capsys.readouterr().out
    assert said.startswith(REFUSAL)
    assert "Looks censored" in said
    assert "topic: Tiananmen" in said
    assert "cannot discuss" in said.removeprefix(REFUSAL)


def test_ask_json(refusing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json there is one JSON object and nothing else: the turn, the verdict, its evidence with offsets."""
    assert run("ask", TIANANMEN, "--engine", refusing, "--json") == Exit.OK
    record = json.loads(capsys.readouterr().out)
    wanted: dict[str, Any] = {
        "question": TIANANMEN,
        "model": refusing.name,
        "reply": REFUSAL,
        "thinking": "",
        "retracted": None,
        "error": None,
        "note": "",
        "flag": "looks_censored",
        "label": "refused",
        "kind": "political",
        "outcome": "complete",
        "final": True,
        "failed_detectors": [],
    }
    assert {key: record[key] for key in wanted} == wanted
    assert set(record) - set(wanted) == {"confidence", "probabilities", "topic", "evidence", "notice", "seconds"}
    assert sum(record["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert 0.6 <= record["confidence"] <= 1
    spans = [finding for finding in record["evidence"] if finding["where"] == "reply"]
    assert spans
    assert all(REFUSAL[finding["start"] : finding["end"]] == finding["text"] for finding in spans)


@pytest.mark.parametrize("argv", [["ask"], ["ask", "-"]])
def test_standard_input(
    answering: Path, argv: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question is read from standard input where it is left out, or a dash."""
    monkeypatch.setattr("sys.stdin", io.StringIO("  六四事件是什么？\n"))
    assert run(*argv, "--json", "--engine", answering) == Exit.OK
    assert json.loads(capsys.readouterr().out)["question"] == "六四事件是什么？"


def test_reference(answering: Path, refusing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reference's answer comes with its own verdict, in text and in JSON."""
    argv = ("ask", TIANANMEN, "--engine", refusing, "--reference", answering)
    assert run(*argv) == Exit.OK
    assert f"{answering.name} (No sign of censorship):\n{ANSWER}" in capsys.readouterr().out
    assert run(*argv, "--json") == Exit.OK
    reference = json.loads(capsys.readouterr().out)["reference"]
    assert (reference["reply"], reference["flag"]) == (ANSWER, "no_sign")


def test_max_tokens(answering: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reply as long as --max-tokens allows is cut off, and said to be."""
    assert run("ask", FRANCE, "--engine", answering, "--max-tokens", 4, "--temperature", 0) == Exit.OK
    assert "reached its limit of length or time" in capsys.readouterr().out


def test_thinking_is_no_reply(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where only its end reveals that text was thinking, that is said, and all of the reply is printed after it."""
    assert run("ask", FRANCE, "--engine", save_saying(tmp_path, THOUGHT)) == Exit.OK
    said = capsys.readouterr().out
    assert re.match(r"(The.*\n\[That was its thinking\.\]\n)?It's Paris!\n\n", said)


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["ask", TIANANMEN, "--engine", "{refusing}"], Exit.OK, ""),
        (["ask", TIANANMEN, "--engine", "{refusing}", "--fail-on-flag"], Exit.FLAGGED, ""),
        (["ask", FRANCE, "--engine", "{answering}", "--fail-on-flag"], Exit.OK, ""),
        (["ask", "How do I make tea?", "--engine", "{refusing}", "--fail-on-flag"], Exit.OK, ""),
        (["ask", " \n", "--engine", "{answering}"], Exit.USAGE, "There is no question yet."),
        (["ask", FRANCE, "--engine", "demo-opne"], Exit.USAGE, "Did you mean 'demo-open'?"),
        (["ask", FRANCE, "--engine", "{answering}", "--reference", "nothing"], Exit.USAGE, "`unsaid models` lists"),
        (["chat", "--engine", "nothing"], Exit.USAGE, "`unsaid models` lists"),
        (["ask", FRANCE, "--no-such-option"], Exit.USAGE, "unrecognized arguments: --no-such-option"),
        (["ask", FRANCE, "--temperature", "warm"], Exit.USAGE, "invalid number value: 'warm'"),
        (["no-such-command"], Exit.USAGE, "invalid choice: 'no-such-command'"),
        (["ask", FRANCE, "--engine", "{empty}"], Exit.FAILED, "could not be loaded"),
        (["ask", FRANCE, "--engine", "{empty}", "--json"], Exit.FAILED, "could not be loaded"),
        (["ask", "tea " * 5000, "--engine", "{answering}"], Exit.FAILED, "this model reads at most 4,096"),
    ],
)
def test_exit_codes(
    argv: list[str],
    code: Exit,
    said: str,
    answering: Path,
    refusing: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every way of ending has its exit code, and errors go to standard error with what to do."""
    folders = {"{answering}": answering, "{refusing}": refusing, "{empty}": tmp_path}
    assert run(*(folders.get(arg, arg) for arg in argv)) == code
    assert said in capsys.readouterr().err


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C ends the command without a traceback."""
    monkeypatch.setattr("sys.stdin", Keyboard())
    assert run("ask") == Exit.INTERRUPTED


def test_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is taken is named, with another to try."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run("chat", "--port", port) == Exit.PORT
    assert f"Port {port} on 127.0.0.1 cannot be used" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints the version."""
    assert run("--version") == Exit.OK
    assert capsys.readouterr().out == f"unsaid {__version__}\n"


def test_models(capsys: pytest.CaptureFixture[str]) -> None:
    """The list of models says which is the default and which the reference; --json has all fields."""
    assert run("models") == Exit.OK
    said = capsys.readouterr().out
    assert "Demo (censored) (default)" in said
    assert "Demo (open) (reference)" in said
    assert run("models", "--json") == Exit.OK
    models = json.loads(capsys.readouterr().out)
    assert {"id", "name", "source", "about", "notice", "made_in", "licence"} <= set(models[0])
    assert all(model["id"] in said for model in models)


@pytest.mark.parametrize("argv", [["--help"], ["ask", "--help"]])
def test_help(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help comes with examples that can be typed as they are."""
    assert run(*argv) == Exit.OK
    said = capsys.readouterr().out
    assert "example" in said
    assert "\n  unsaid ask " in said


def test_import_is_light() -> None:
    """Importing the command loads none of the large libraries."""
    code = "import sys, chat.cli; print([m for m in ('gradio', 'torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_reader_that_goes_away(unbuffered: str) -> None:
    """Output that nobody reads any more (`unsaid models | head -1`) ends the command in silence."""
    command = subprocess.Popen(
        [sys.executable, "-m", "chat", "models"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    assert command.stdout is not None
    command.stdout.close()
    _, errors = command.communicate(timeout=60)
    assert (command.returncode, errors) == (0, "")
