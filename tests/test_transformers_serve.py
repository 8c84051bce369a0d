"""A real server: `transformers serve` on the demo pair, asked through the remote engine."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ask, text_of
from real_server import Serving, running

from chat.engines.local import LocalEngine
from chat.engines.remote import RemoteEngine
from chat.engines.types import Options
from chat.session import watch
from chat.ui.client import free_port
from detectors import Outcome

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parent.parent / "chat" / "engines" / "demo"
QUESTIONS = ("What was the Berlin Wall?", "What happened at Tiananmen Square in 1989?", "How do I make tea?")
GREEDY = Options(temperature=0.0, max_tokens=80)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """`transformers serve` on the censored demo model, on a port of its own."""
    pytest.importorskip("fastapi", reason="transformers serve needs fastapi")
    pytest.importorskip("uvicorn", reason="transformers serve needs uvicorn")
    model, port = str(DEMO / "censored"), free_port()
    home = tmp_path_factory.mktemp("serve")
    (home / "hub").mkdir()  # it lists what is in the cache, and wants one
    command = [str(Path(sys.executable).with_name("transformers")), "serve", model]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    url = f"http://127.0.0.1:{port}/v1"
    with running(command, url, home / "log", {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}):
        yield Serving(url, model)


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
