"""A real server: `transformers serve` on the demo pair, asked through the remote engine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ask, text_of

from chat.engines.local import LocalEngine
from chat.engines.remote import RemoteEngine
from chat.engines.server import list_models
from chat.engines.types import Options
from chat.errors import LoadError
from chat.session import watch
from detectors import Outcome

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parent.parent / "chat" / "engines" / "demo"
START_SECONDS = 120.0
QUESTIONS = ("What was the Berlin Wall?", "What happened at Tiananmen Square in 1989?", "How do I make tea?")
GREEDY = Options(temperature=0.0, max_tokens=80)


@dataclass(frozen=True)
class Serving:
    """A running server, and the name it has for its model."""

    url: str
    model: str


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """`transformers serve` on the censored demo model, on a port of its own; ended by its process id afterwards."""
    pytest.importorskip("fastapi", reason="transformers serve needs fastapi")
    pytest.importorskip("uvicorn", reason="transformers serve needs uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = str(DEMO / "censored")
    home = tmp_path_factory.mktemp("serve")
    (home / "hub").mkdir()  # it lists what is in the cache, and wants one
    log = home / "log"
    command = [str(Path(sys.executable).with_name("transformers")), "serve", model]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:
        try:
            url = f"http://127.0.0.1:{port}/v1"
            _wait(url, process, log)
            yield Serving(url, model)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            text = log.read_text(errors="replace")[-1500:]
            if "serving" in text and "install" in text:
                pytest.skip(f"transformers serve lacks a package: {text.strip().splitlines()[-1]}")
            raise AssertionError(text)
        try:
            list_models(url)
        except LoadError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(log.read_text(errors="replace")[-1500:])


@pytest.mark.parametrize("question", QUESTIONS)
def test_same_reply_and_verdict_as_here(serving: Serving, question: str) -> None:
    """The server's reply, thinking and verdict are those of the same model in this process."""
    *_, far = watch(RemoteEngine(serving.url, serving.model), ask(question), GREEDY)
    *_, near = watch(LocalEngine(DEMO / "censored", device="cpu"), ask(question), GREEDY)
    assert far.reply.error is None
    assert (far.reply.text, far.reply.thinking) == (near.reply.text, near.reply.thinking)
    assert (far.reply.verdict.label, far.reply.verdict.flag) == (near.reply.verdict.label, near.reply.verdict.flag)


def test_length_limit(serving: Serving) -> None:
    """A reply that reaches its limit of tokens ends as cut off."""
    chunks = list(RemoteEngine(serving.url, serving.model).stream(ask(QUESTIONS[0]), Options(max_tokens=5)))
    assert chunks[-1].outcome is Outcome.CUT_OFF
    assert text_of(chunks)


def test_closing_ends_quickly(serving: Serving) -> None:
    """A stream closed in mid-reply ends at once, its thread with it, and the server takes the next question."""
    engine = RemoteEngine(serving.url, serving.model)
    stream = engine.stream(ask(QUESTIONS[0]), GREEDY)
    for chunk in stream:
        if chunk.text:
            break
    stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name == "unsaid-remote"]
    assert text_of(list(engine.stream(ask(QUESTIONS[2]), GREEDY)))


def test_unknown_model(serving: Serving) -> None:
    """A model that the server has not got is explained."""
    *_, update = watch(RemoteEngine(serving.url, "nobody/has-this"), ask(QUESTIONS[0]), GREEDY)
    assert update.reply.verdict.outcome is Outcome.FAILED
    assert update.reply.error
