"""A model behind a URL: what servers send, how they fail, and that closing a stream closes the connection."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from conftest import GREEDY, ask, text_of
from fake_server import REPLY, THOUGHT, FakeServer

from chat.engines.remote import RemoteEngine
from chat.engines.scripted import ScriptedEngine
from chat.engines.server import address, choose_model, list_models
from chat.engines.types import Chunk, Options
from chat.errors import EngineError, LoadError
from chat.session import watch
from detectors import Flag, Message, Outcome, Turn

AT_ONCE = 0.2  # seconds within which a server is to see that its client has gone


def reply(server: FakeServer, model: str, **options: float) -> list[Chunk]:
    """All chunks of the model's reply."""
    return list(RemoteEngine(server.url, model, **options).stream(ask(), GREEDY))  # type: ignore[arg-type]


def thinking_of(chunks: list[Chunk]) -> str:
    """The thinking that came in a field of its own."""
    return "".join(chunk.thinking for chunk in chunks)


def nobody() -> str:
    """An address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    ("model", "text", "thinking", "outcome"),
    [
        ("plain", REPLY, "", Outcome.COMPLETE),
        ("reasoning", REPLY, THOUGHT, Outcome.COMPLETE),
        ("reasoning_content", REPLY, THOUGHT, Outcome.COMPLETE),
        ("thinking", REPLY, THOUGHT, Outcome.COMPLETE),
        ("tags", f"<think>{THOUGHT}</think>{REPLY}", "", Outcome.COMPLETE),
        ("parts", REPLY, "", Outcome.COMPLETE),
        ("refusal", "I cannot help with that.", "", Outcome.COMPLETE),
        ("usage", REPLY, "", Outcome.COMPLETE),
        ("no-done", REPLY, "", Outcome.COMPLETE),
        ("comments", REPLY, "", Outcome.COMPLETE),
        ("slow", REPLY, "", Outcome.COMPLETE),
        ("length", REPLY, "", Outcome.CUT_OFF),
        ("no-reason", REPLY, "", Outcome.COMPLETE),
        ("filtered", "The events of 1989 ", "", Outcome.FILTERED),
        ("stopped-after-filter", "The events ", "", Outcome.FILTERED),
        ("filtered-error", "The events ", "", Outcome.FILTERED),
        ("azure", "", "", Outcome.FILTERED),
        ("forbidden-by-filter", "", "", Outcome.FILTERED),
        ("separator", "one\u2028two", "", Outcome.COMPLETE),
        ("spaceless", REPLY, "", Outcome.COMPLETE),
        ("mark", REPLY, "", Outcome.COMPLETE),
        ("whole", REPLY, THOUGHT, Outcome.CUT_OFF),
    ],
)
def test_replies(server: FakeServer, model: str, text: str, thinking: str, outcome: Outcome) -> None:
    """Text, thinking under each of its names, and how the reply ended."""
    chunks = reply(server, model)
    assert text_of(chunks) == text
    assert thinking_of(chunks) == thinking
    assert [chunk.outcome for chunk in chunks if chunk.outcome] == [outcome]


@pytest.mark.parametrize(
    ("model", "said", "problem"),
    [
        ("wordless", "", "without a word and without a reason"),
        ("dropped", "Paris has been ", "broke the connection in mid-reply"),
        ("hang-up", "", "broke the connection before it said a word"),
        ("malformed", "Paris ", "no reply"),
        ("not-utf8", "Paris ", "no reply"),
        ("error", "Paris ", "out of memory"),
        ("closed", REPLY, "ended the connection in mid-reply without saying why"),
        ("unwell", "Paris ", "broke off the reply, and gave as its reason 'network_error'"),
        ("page", "", "is no OpenAI-compatible server: it sent a web page"),
        ("too-long", "", "did not take the request .400: too long for the content filter"),
        ("filter-is-down", "", "failed .503"),
        ("listed-key", "", "wants a key.* .401: no key"),
        ("listed-busy", "", "failed .503: busy"),
        ("text", "", "wants a key.* .401: no key"),
        ("number", "", "wants a key.* .401."),
        ("null", "", "wants a key.* .401."),
        ("locked", "", "wants a key.*UNSAID_API_KEY"),
        ("forbidden", "", "wants a key"),
        ("wrong", "", "did not take the request .400: wrong it is"),
        ("poor", "", "wants to be paid"),
        ("broken", "", "failed .500: broken it is"),
        ("no-such-model", "", "no model called 'no-such-model'.*unsaid models --engine"),
    ],
)
def test_failures(server: FakeServer, model: str, said: str, problem: str) -> None:
    """What was said is kept, and the error says what failed and what to do."""
    chunks: list[Chunk] = []
    with pytest.raises(EngineError, match=problem):
        chunks.extend(RemoteEngine(server.url, model).stream(ask(), GREEDY))
    assert text_of(chunks) == said


@pytest.mark.parametrize(("model", "said"), [("silent", ""), ("stalled", "Paris ")])
def test_a_server_that_falls_silent(server: FakeServer, model: str, said: str) -> None:
    """It is given up after a while, whether it had begun or not; until then there are signs of life."""
    chunks: list[Chunk] = []
    with pytest.raises(EngineError, match="sent nothing for too long"):
        chunks.extend(RemoteEngine(server.url, model, silence=0.4).stream(ask(), GREEDY))
    assert text_of(chunks) == said
    assert chunks.count(Chunk()) > 2


@pytest.mark.parametrize("model", ["busy", "starting"])
def test_tried_again_before_the_first_token(server: FakeServer, model: str) -> None:
    """A server that is busy or starting is asked again, twice at most."""
    server.failures[model] = 2
    assert text_of(reply(server, model)) == REPLY
    server.failures[model] = 3
    with pytest.raises(EngineError):
        reply(server, model)
    assert len(server.asked) == 6


def test_a_list_as_an_error_is_tried_again(server: FakeServer) -> None:
    """A status counts, whatever JSON comes with it."""
    with pytest.raises(EngineError):
        reply(server, "listed-busy")
    assert len(server.asked) == 3


@pytest.mark.parametrize("model", ["dropped", "locked", "wrong", "malformed"])
def test_not_tried_again(server: FakeServer, model: str) -> None:
    """What had begun, or was refused for a reason, is not asked a second time."""
    with pytest.raises(EngineError):
        reply(server, model)
    assert len(server.asked) == 1


def test_endless_streams_end(server: FakeServer) -> None:
    """A server that does not keep to the limit of tokens is cut off; so is one that takes for ever to begin."""
    chunks = list(RemoteEngine(server.url, "endless").stream(ask(), Options(max_tokens=20)))
    assert chunks[-1].outcome is Outcome.CUT_OFF
    assert len(text_of(chunks).split()) < 100
    *_, update = watch(RemoteEngine(server.url, "silent"), ask(), Options(max_seconds=0.3))
    assert update.reply.verdict.outcome is Outcome.CUT_OFF


def test_long_tokens_end(server: FakeServer) -> None:
    """A limit of tokens is one of characters too: all of a book is not one token."""
    chunks = list(RemoteEngine(server.url, "large").stream(ask(), Options(max_tokens=64)))
    assert chunks[-1].outcome is Outcome.CUT_OFF
    assert 64 < len(text_of(chunks)) < 10_000


def test_a_slow_reader(server: FakeServer) -> None:
    """What has come meanwhile is one chunk for each run of text or of thinking, in their order."""
    stream = RemoteEngine(server.url, "in-turns").stream(ask(), GREEDY)
    chunks = [next(stream)]
    while "unsaid-remote" in [thread.name for thread in threading.enumerate()]:
        time.sleep(0.01)
    chunks += stream
    assert "".join(chunk.thinking or chunk.text for chunk in chunks) == (THOUGHT + REPLY) * 2
    assert len(chunks) <= 1 + 4 + 1
    assert chunks[-1] == Chunk(outcome=Outcome.COMPLETE)


@pytest.mark.parametrize("model", ["paced", "stalled", "silent", "endless"])
def test_closing_closes_the_connection(server: FakeServer, model: str) -> None:
    """The server sees at once that nobody listens, in mid-reply and before the first word."""
    stream = RemoteEngine(server.url, model).stream(ask(), Options(max_tokens=10**6))
    for chunk in stream:
        if chunk.text or (model == "silent" and server.asked):
            break
    closed = time.monotonic()
    stream.close()  # type: ignore[attr-defined]
    assert server.went.wait(5)
    assert server.left[0] - closed < 10 * AT_ONCE  # the benchmark measures it; a busy machine is slow


def test_request_is_minimal(server: FakeServer) -> None:
    """A request holds what every server knows, and the seed only where there is one."""
    turn = Turn("And now?", history=(Message("user", "Hi."), Message("assistant", "Hello.")), system="Be brief.")
    list(
        RemoteEngine(server.url, "plain", api_key="secret").stream(
            turn, Options(temperature=0.5, top_p=0.9, max_tokens=7)
        )
    )
    list(RemoteEngine(server.url, "plain").stream(ask("Hi?"), Options(seed=3)))
    first, second = server.asked
    assert first == {
        "model": "plain",
        "stream": True,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "And now?"},
        ],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
    }
    assert second["seed"] == 3
    assert server.keys[0] == "Bearer secret"


def test_the_hubs_token_goes_to_no_other_server(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's token for the Hub is not sent to a server that was asked by its URL."""
    monkeypatch.setenv("HF_TOKEN", "hf_private")
    reply(server, "plain")
    assert "hf_private" not in str(server.keys)


def provider(model: str, token: str | None = "hf_token") -> RemoteEngine:
    """A model of Inference Providers."""
    return RemoteEngine("", model, name="it", provider="auto", api_key=token)


def test_offline_is_about_the_hub(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the Hub is not to be asked, a server given by its URL is, and a provider says what forbids it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert text_of(reply(server, "plain")) == REPLY
    with pytest.raises(EngineError, match="while HF_HUB_OFFLINE is set"):
        list(provider("owner/name").stream(ask(), GREEDY))


def test_providers_say_what_they_want(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No model, no token and no network are told apart, each with what to do."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EngineError, match="which model: provider:owner/name"):
        list(provider("").stream(ask(), GREEDY))
    for token in (None, "sk-of-somebody-else"):
        with pytest.raises(EngineError, match="Set HF_TOKEN to it, or run `hf auth login`"):
            list(provider("owner/name", token=token).stream(ask(), GREEDY))
    monkeypatch.setenv("HTTPS_PROXY", nobody())
    with pytest.raises(EngineError, match="Inference Providers cannot be reached"):
        list(provider("owner/name").stream(ask(), GREEDY))


def test_verdict_is_the_local_one(server: FakeServer) -> None:
    """The verdict over a server is the one on the same text from here; a filter is a finding in itself."""
    for model, script in (("plain", [REPLY]), ("refusal", ["I cannot help with that."]), ("reasoning", [REPLY])):
        *_, far = watch(RemoteEngine(server.url, model), ask())
        *_, near = watch(ScriptedEngine(script), ask())
        assert (far.reply.text, far.reply.verdict.label) == (near.reply.text, near.reply.verdict.label)
    *_, update = watch(RemoteEngine(server.url, "filtered"), ask("What happened at Tiananmen Square in 1989?"))
    assert update.reply.verdict.outcome is Outcome.FILTERED
    assert update.reply.verdict.flag is Flag.LOOKS_CENSORED


def test_a_failure_keeps_what_was_said(server: FakeServer) -> None:
    """A server that is gone in mid-reply leaves its words and an error on the page."""
    *_, update = watch(RemoteEngine(server.url, "dropped"), ask())
    assert update.reply.text == "Paris has been "
    assert "broke the connection" in str(update.reply.error)
    assert update.reply.verdict.outcome is Outcome.FAILED


def test_sixteen_at_once(server: FakeServer) -> None:
    """Sixteen streams are complete, each its own."""

    def one(number: int) -> str:
        model = ("paced", "reasoning", "slow", "plain")[number % 4]
        with closing(RemoteEngine(server.url, model).stream(ask(), GREEDY)) as stream:  # type: ignore[type-var]
            return text_of(list(stream))

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(one, range(16)))
    assert said == [REPLY * 3, REPLY, REPLY, REPLY] * 4


def test_nobody_there() -> None:
    """Where nothing listens, or something that is no such server, the error says so."""
    url = f"{nobody()}/v1"
    with pytest.raises(LoadError, match="Nothing answers at"):
        list_models(url)
    with pytest.raises(EngineError, match="Nothing answers at"):
        list(RemoteEngine(url, "any").stream(ask(), GREEDY))


def test_tls_to_a_plain_server(server: FakeServer) -> None:
    """An https address of a server without TLS is explained, and not tried again and again."""
    with pytest.raises(EngineError, match="cannot be trusted"):
        list(RemoteEngine(server.url.replace("http:", "https:"), "plain").stream(ask(), GREEDY))


def test_passwords_are_sent_and_not_shown(server: FakeServer) -> None:
    """A name and password in the address go to the server, and into no message."""
    url = server.url.replace("//", "//joe:secret@") + "?key=secret"
    assert text_of(list(RemoteEngine(url, "plain").stream(ask(), GREEDY))) == REPLY
    assert str(server.keys[0]).startswith("Basic ")
    assert server.paths == ["/v1/chat/completions?key=secret"]
    server.models[:] = ["one", "two"]
    messages = []
    for model in ("broken", "closed", "wordless", "no-such-model", "unwell", "page"):
        with pytest.raises(EngineError) as caught:
            list(RemoteEngine(url, model).stream(ask(), GREEDY))
        messages.append(str(caught.value))
    for listing in (None, (200, {"data": []}), (200, {}), (404, {}), (500, {})):
        server.listing = listing
        with pytest.raises(LoadError) as refused:
            choose_model(url)
        messages.append(str(refused.value))
    with pytest.raises(LoadError) as wrong:
        address("ftp://joe:secret@host")
    messages.append(str(wrong.value))
    assert "secret" not in " ".join(messages)


def test_a_key_that_a_server_repeats_is_not_shown(server: FakeServer) -> None:
    """Visitors read the message, and the key is the host's."""
    with pytest.raises(EngineError, match=r"Invalid token passed: Bearer \.\.\.") as caught:
        reply(server, "repeating", api_key="sk-host-secret")
    assert "secret" not in str(caught.value)


def test_other_paths(server: FakeServer) -> None:
    """A base with a version of its own is asked there, and not under another `/v1`."""
    engine = RemoteEngine(server.url.replace("/v1", "/api/paas/v4"), "plain")
    assert text_of(list(engine.stream(ask(), GREEDY))) == REPLY
    assert server.paths == ["/api/paas/v4/chat/completions"]
