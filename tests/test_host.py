"""What a host allows its visitors, and by whom each model is run; on the page too, for who does without its buttons."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import eventually

from chat import catalogue
from chat.catalogue import Catalogue, Model, Run, load_catalogue
from chat.engines.scripted import ScriptedEngine
from chat.engines.types import Engine
from chat.errors import LoadError, UnknownModelError
from chat.host import PUBLIC_VARIABLE, Host, by_provider, can_log_in, engine_for, load_host, models_here
from chat.ui.client import ask_page, free_port, up
from chat.zero import Here
from detectors import ConfigError
from detectors.config import CONFIGS_VARIABLE

DEMO = Model(id="demo", name="Demo", source="packaged:demo")
SMALL = Model(id="small", name="Small", source="owner/small")
BOTH = Model(id="both", name="Both", source="owner/both", run=("local", "server", "provider"))
LARGE = Model(id="large", name="Large", source="owner/large", run=("server", "provider"))
MODELS = Catalogue(default="demo", reference="demo", model=(DEMO, SMALL, BOTH, LARGE))
VISITOR = "hf_token_of_a_visitor"
HERE = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


@pytest.mark.parametrize(
    ("value", "address", "public"),
    [
        ("1", "127.0.0.1", True),
        ("true", "127.0.0.1", True),
        ("yes", "localhost", True),
        ("0", "127.0.0.1", False),
        ("0", "0.0.0.0", False),
        ("", "127.0.0.1", False),
        (None, "127.0.0.1", False),
        (None, "127.8.8.8", False),
        (None, "localhost", False),
        (None, "::1", False),
        (None, "0.0.0.0", True),
        (None, "::", True),
        (None, "192.168.0.7", True),
        (None, "unsaid.example", True),
        ("", "0.0.0.0", True),
    ],
)
def test_public(value: str | None, address: str, public: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is for its owner where it listens on their machine alone, unless the environment says otherwise."""
    monkeypatch.delenv(PUBLIC_VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(PUBLIC_VARIABLE, value)
    assert load_host(address) == Host(public=public)


def test_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are read from the config, and a misspelt one is an error."""
    monkeypatch.setenv(CONFIGS_VARIABLE, str(tmp_path))
    monkeypatch.delenv(PUBLIC_VARIABLE, raising=False)
    (tmp_path / "host.toml").write_text("public = true\nvisitors = 4\nqueue = 8\nmax_tokens = 512\n")
    assert load_host("localhost") == Host(public=True, visitors=4, queue=8, max_tokens=512)
    (tmp_path / "host.toml").write_text("public = false\n")
    assert load_host("0.0.0.0") == Host(public=False)
    (tmp_path / "host.toml").write_text("visitor = 4\n")
    with pytest.raises(ConfigError, match="Did you mean 'visitors'"):
        load_host("localhost")


@pytest.mark.parametrize(
    "name", ["owner/other", ".", "/", "~", "http://127.0.0.1:8000", "replay:/etc/passwd", "packaged:x"]
)
def test_closed_list(name: str) -> None:
    """Of a closed list nothing is found but what is in it: no ids, no folders, no addresses, no files."""
    with pytest.raises(UnknownModelError, match="only the models of its list"):
        MODELS.closed().find(name)
    assert MODELS.closed().find("small") == SMALL
    assert MODELS.closed(BOTH).model == (BOTH, DEMO, SMALL, LARGE)


@pytest.mark.parametrize(
    ("gpu", "login", "offered"),
    [
        (True, True, (DEMO, SMALL, BOTH, LARGE.by_provider())),
        (True, False, (DEMO, SMALL, BOTH)),
        (False, True, (DEMO, BOTH.by_provider(), LARGE.by_provider())),
        (False, False, (DEMO,)),
    ],
)
def test_models_here(gpu: bool, login: bool, offered: tuple[Model, ...]) -> None:
    """A host offers what it can run, and to visitors who sign in what providers run; the demo always."""
    models = models_here(MODELS, gpu=gpu, login=login)
    assert [model.id for model in models.model] == [model.id for model in offered]
    assert not models.open
    assert all("your own account" in model.notice for model in models.model if model.run == (Run.PROVIDER,))


def test_recordings(tmp_path: Path) -> None:
    """Files of recorded replies are offered, and not where they are; what is no such file is left alone."""
    (tmp_path / "broken.jsonl").write_text("{}")
    (tmp_path / "replies.jsonl").write_text('{"question": "Who?", "reply": "Me.", "model": "m"}')
    models = models_here(MODELS, gpu=False, login=False, recordings=tmp_path)
    assert [model.id for model in models.model] == ["demo", "replay:replies.jsonl"]
    assert catalogue.questions_of(models.find("replay:replies.jsonl")) == ("Who?",)
    assert models_here(MODELS, gpu=False, login=False, recordings=tmp_path / "nowhere").model == (DEMO,)


def provider(asked: list[tuple[str, str]], model: Model, token: str) -> Engine:
    """A provider that notes who asked."""
    asked.append((model.id, token))
    return ScriptedEngine(["Yes."], name=model.name)


@pytest.mark.parametrize(
    ("model", "by"),
    [
        (DEMO, "here"),
        (SMALL, "here"),
        (BOTH, "here"),
        (BOTH.by_provider(), "provider"),
        (LARGE.by_provider(), "provider"),
    ],
)
def test_engine(model: Model, by: str) -> None:
    """The host runs what it can; the rest goes to a provider with the visitor's token, anew for each request."""
    asked: list[tuple[str, str]] = []
    engines = [engine_for(model, VISITOR, provider=partial(provider, asked)) for _ in range(2)]
    if by == "here":
        assert engines == [Here(model), Here(model)]
        assert not asked
    else:
        assert asked == [(model.id, VISITOR)] * 2
        assert engines[0] is not engines[1]


def test_provider_engine() -> None:
    """The provider is asked for the model by its Hub id, on the visitor's account."""
    engine = by_provider(LARGE.by_provider(), VISITOR)
    assert (engine.name, getattr(engine, "model", "")) == ("Large (provider)", "owner/large")


@pytest.mark.parametrize("token", [None, ""])
def test_not_signed_in(token: str | None) -> None:
    """Who has not signed in is asked to, where the model runs on their account only."""
    with pytest.raises(LoadError, match="Sign in"):
        engine_for(LARGE.by_provider(), token, provider=partial(provider, []))
    assert engine_for(DEMO, token) == Here(DEMO)


def test_can_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitors can sign in on a Space that has the means for it, and nowhere else."""
    names = ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    for name in names:
        assert not can_log_in()
        monkeypatch.setenv(name, "set")
    assert can_log_in()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A page on a public host whose replies tell what their engine was asked with, in a process of its own."""
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("public_page.py")), str(port)]
    with subprocess.Popen(command, env=HERE) as process:
        address = f"http://127.0.0.1:{port}"
        assert eventually(lambda: up(address), seconds=60)
        yield address
        process.terminate()


def test_page_asks(url: str) -> None:
    """The page asks the model that was chosen, for as many tokens as the host allows, with the token of nobody."""
    assert "I am Demo (censored), asked for 100 tokens by nobody." in ask_page(url, "Who are you?")
    assert "I am Demo (open), asked for 100 tokens" in ask_page(url, "Who are you?", Model="demo-open")
    assert "asked for 32 tokens" in ask_page(url, "Who are you?", Longest_reply=32)


def test_page_passes_the_login_on(url: str) -> None:
    """A visitor's token goes to the engines of that question: the next visitor's have none of it."""
    assert f"by {VISITOR}." in ask_page(url, "Who are you?", token=VISITOR)
    again = ask_page(url, "Who are you?")
    assert "by nobody." in again
    assert VISITOR not in again


@pytest.mark.parametrize(
    "settings",
    [
        {"Model": "owner/other"},
        {"Model": "/"},
        {"Model": "http://127.0.0.1:1"},
        {"Reference": "owner/other", "Compare": "always"},
        {"Longest_reply": 4000},
    ],
)
def test_page_refuses(url: str, settings: dict[str, Any]) -> None:
    """What the page does not offer reaches no engine, though it be sent without the page's widgets."""
    assert "I am" not in ask_page(url, "Who are you?", **settings)


def test_list_is_open_at_home(tmp_path: Path) -> None:
    """A list as it is read takes typed ids and folders; the default stays the list's where it is closed."""
    assert load_catalogue().open
    assert load_catalogue().find(str(tmp_path)).source == str(tmp_path)
    assert replace(load_catalogue(), open=False).find(load_catalogue().default)
