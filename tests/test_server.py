"""A server's address and its list of models, in every shape, and what is said of them and of errors."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from fake_server import FakeServer
from httpx2 import ReadError

from chat.engines.server import address, choose_model, explained, list_models, passing, shown
from chat.errors import LoadError


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        (" https://host/api/v1/chat/completions ", "https://host/api/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        ("http://localhost:11434/v1/models", "http://localhost:11434/v1"),
        ("http://host:8000?key=x", "http://host:8000/v1?key=x"),
        ("http://host/v1/models?key=x", "http://host/v1?key=x"),
        ("HTTP://host:8000", "http://host:8000/v1"),
        ("http://joe:pw@host", "http://joe:pw@host/v1"),
    ],
)
def test_addresses(url: str, base: str) -> None:
    """An address is taken as people copy it."""
    assert address(url) == base


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://host/v1", "http://", "http://host:port/v1", "http://[::1/v1"]
)
def test_no_addresses(url: str) -> None:
    """What is no address is an error that shows one."""
    with pytest.raises(LoadError, match=r"It looks like http://127\.0\.0\.1:8000/v1"):
        address(url)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://joe:pw@host:8000/v1", "http://host:8000/v1"),
        ("http://host/v1?key=x#model", "http://host/v1#model"),
        ("joe:pw@host", "host"),
        ("http://host/v1#a@b", "http://host/v1#a@b"),
        ("Is it http://? Ask a@b.", "Is it http://? Ask a@b."),
    ],
)
def test_shown(text: str, said: str) -> None:
    """What is shown of an address is where it leads, and nothing secret."""
    assert shown(text) == said


def test_models_are_listed(server: FakeServer) -> None:
    """The server's models by their ids; the only one is chosen, of several one is to be named."""
    assert list_models(server.url) == ("plain",)
    assert list_models(server.url.removesuffix("/v1")) == ("plain",)
    assert choose_model(server.url) == "plain"
    assert choose_model(server.url, "other") == "other"
    server.models[:] = ["one", "two"]
    with pytest.raises(LoadError, match=r"2 models: one, two\. Say which.*#one"):
        choose_model(server.url)
    server.models[:] = []
    with pytest.raises(LoadError, match="no model loaded"):
        choose_model(server.url)


@pytest.mark.parametrize(
    "listing",
    [
        {"data": [{"id": "one"}]},
        {"models": [{"name": "one"}]},
        {"data": [{"id": "one"}], "models": [{"name": "other"}]},
        [{"id": "one"}],
    ],
)
def test_shapes_of_lists(server: FakeServer, listing: object) -> None:
    """A list of models is read in each of its shapes."""
    server.listing = (200, listing)
    assert list_models(server.url) == ("one",)


@pytest.mark.parametrize(
    ("status", "listing", "problem"),
    [
        (200, {"data": None}, "no model loaded"),
        (200, {"models": None}, "no model loaded"),
        (200, {"data": "all"}, "no OpenAI-compatible server"),
        (200, {"status": "ok"}, "no OpenAI-compatible server"),
        (200, "Hello", "no OpenAI-compatible server"),
        (200, {"data": [7]}, "no OpenAI-compatible server"),
        (200, ["a" * 1000] * 5000, "no OpenAI-compatible server"),
        (401, {"error": "no"}, "wants a key.*401: no"),
        (404, {"error": "no"}, r"does not list its models.*404.*after a #: http://\S+/v1#NAME"),
        (405, None, "does not list its models"),
        (500, [], "failed .500"),
    ],
)
def test_no_list_of_models(server: FakeServer, status: int, listing: object, problem: str) -> None:
    """A server without a list says why there is none, and not that there is no model called nothing."""
    server.listing = (status, listing)
    with pytest.raises(LoadError, match=problem) as caught:
        choose_model(server.url)
    assert "''" not in str(caught.value)
    assert "unsaid models" not in str(caught.value)


def test_lists_take_no_longer(server: FakeServer) -> None:
    """A server that sends its list ever so slowly is given up in time."""
    server.drip = 0.05
    began = time.monotonic()
    with pytest.raises(LoadError, match="did not list its models within"):
        list_models(server.url, seconds=0.3)
    assert time.monotonic() - began < 2


def test_errors_without_words() -> None:
    """An error without words is named by its kind, and one about certificates in words alone is none of TLS."""
    for error, words in ((ReadError(""), "ReadError"), (ReadError("certificate of SSL"), "certificate of SSL")):
        said = explained(error, where="http://host/v1", model="any", begun=True)
        assert said.startswith(f"http://host/v1 broke the connection in mid-reply ({words})")
        assert passing(error)


@pytest.mark.parametrize("url", ["http://exämple..x/v1", f"http://host/{'a' * 70_000}"])
def test_addresses_that_cannot_be_asked(url: str) -> None:
    """What is no address only to the client is an error like the others, and not a long one."""
    with pytest.raises(LoadError, match="is no address of a server") as caught:
        list_models(url)
    assert len(str(caught.value)) < 500


def test_a_name_that_is_looked_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that a list may take holds for the name's look-up, too."""
    asked = threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        asked.wait(3)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    began = time.monotonic()
    with pytest.raises(LoadError):
        list_models("http://slow.example", seconds=0.3)
    assert time.monotonic() - began < 2
    asked.set()
