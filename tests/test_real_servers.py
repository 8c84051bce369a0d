"""Real servers on the demo pair, asked through the remote engine: `transformers serve`, and llama.cpp's where it is."""

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
from chat.engines.server import list_models
from chat.engines.types import Options
from chat.session import watch
from chat.ui.client import free_port
from detectors import Outcome

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parent.parent / "chat" / "engines" / "demo"
QUESTIONS = (
    "What was the Berlin Wall?",
    "What happened at Tiananmen Square in 1989?",
    "How do I make tea?",
    "六四事件是什么？",
)
GREEDY = Options(temperature=0.0, max_tokens=200)


@pytest.fixture(scope="module")
def transformers_serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
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


@pytest.fixture(scope="module")
def llama_cpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """`python -m llama_cpp.server` on the censored demo model as a GGUF file, on a port of its own."""
    pytest.importorskip("llama_cpp.server.app", reason="llama-cpp-python[server] is not installed")
    pytest.importorskip("gguf", reason="gguf is not installed")
    from gguf_folder import write_gguf

    folder, port = tmp_path_factory.mktemp("llama"), free_port()
    write_gguf(DEMO / "censored", folder / "censored.gguf")
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(folder / "censored.gguf")]
    command += ["--model_alias", "censored", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--n_ctx", "1024", "--n_threads", "1"]
    url = f"http://127.0.0.1:{port}"
    with running(command, url, folder / "log", {}):
        yield Serving(url, "censored")


@pytest.fixture(params=["transformers_serve", "llama_cpp"])
def serving(request: pytest.FixtureRequest) -> Serving:
    """Each of the servers."""
    server: Serving = request.getfixturevalue(request.param)
    return server


@pytest.mark.parametrize("question", QUESTIONS)
def test_same_reply_and_verdict_as_here(serving: Serving, question: str) -> None:
    """The server's reply, thinking and verdict are those of the same model in this process."""
    *_, far = watch(RemoteEngine(serving.url, serving.model), ask(question), GREEDY)
    *_, near = watch(LocalEngine(DEMO / "censored", device="cpu"), ask(question), GREEDY)
    assert far.reply.error is None
    assert (far.reply.text, far.reply.thinking) == (near.reply.text, near.reply.thinking)
    assert (far.reply.verdict.label, far.reply.verdict.flag) == (near.reply.verdict.label, near.reply.verdict.flag)
    assert far.reply.verdict.outcome is near.reply.verdict.outcome


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


def test_unknown_model(transformers_serve: Serving) -> None:
    """A model that the server has not got is explained."""
    *_, update = watch(RemoteEngine(transformers_serve.url, "nobody/has-this"), ask(QUESTIONS[0]), GREEDY)
    assert update.reply.verdict.outcome is Outcome.FAILED
    assert update.reply.error


def test_models_are_listed(llama_cpp: Serving) -> None:
    """Its model is there to choose, by the name that it was given."""
    assert list_models(llama_cpp.url) == ("censored",)


def test_too_long_a_question(llama_cpp: Serving) -> None:
    """To a question longer than the model reads this server says nothing at all; what to do is said all the same."""
    *_, update = watch(RemoteEngine(llama_cpp.url, llama_cpp.model), ask("What is tea? " * 2000), GREEDY)
    assert update.reply.verdict.outcome is Outcome.FAILED
    assert "without a word" in (update.reply.error or "")
    assert "Shorten the question" in (update.reply.error or "")
