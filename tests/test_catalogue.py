"""The list of models, and the engines made from it."""

from __future__ import annotations

import json
import os
import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ANSWER, GREEDY, ask, text_of
from fake_server import REPLY, fake_server

from chat.catalogue import (
    KEY_VARIABLE,
    Catalogue,
    Model,
    engine_for,
    load_catalogue,
    models_at,
    named,
    on_server,
    questions_of,
)
from chat.engines.types import Engine
from chat.errors import LoadError, UnknownModelError

SMALL = Model(id="small-model", name="A small model", source="owner/small")
LARGE = Model(id="large-model", name="A large model", source="packaged:large")
MODELS = Catalogue(default="small-model", reference="large-model", model=(SMALL, LARGE))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("small-model", SMALL),
        ("A small model", SMALL),
        ("large-model", LARGE),
        (LARGE.source, LARGE),
        ("owner/other", Model(id="owner/other", name="owner/other", source="owner/other")),
        ("my-org/m_1.5B", Model(id="my-org/m_1.5B", name="my-org/m_1.5B", source="my-org/m_1.5B")),
    ],
)
def test_find(name: str, model: Model) -> None:
    """A model is found by its id, name or Hub id, with all that the list says; another Hub id is a model too."""
    assert MODELS.find(name) == model


def test_find_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is a model, with the folder's name, also as a relative path or one from home."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert MODELS.find(str(tmp_path / "mine")).name == "mine"
    assert MODELS.find("mine") == Model(id="mine", name="mine", source="mine")
    assert MODELS.find("~/mine").source == str(tmp_path / "mine")


def test_list_comes_before_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id of the list means the list's model, though a folder has that name."""
    (tmp_path / "small-model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert MODELS.find("small-model") == SMALL


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("small-modle", "Did you mean 'small-model'"),
        ("nothing like it", "`unsaid models` lists"),
        ("/no/such/folder", "A folder or a Hub id"),
        ("~nobody-of-this-name/model", "A folder or a Hub id"),
        ("x" * 5000, "`unsaid models` lists"),
        ("with\0null", "`unsaid models` lists"),
        ("", "`unsaid models` lists"),
    ],
)
def test_unknown(name: str, hint: str) -> None:
    """A name that is nothing is named in the error, with the nearest one there is or where to look."""
    with pytest.raises(UnknownModelError, match=hint) as error:
        MODELS.find(name)
    assert repr(name) in str(error.value)


def test_shipped_list() -> None:
    """The list that ships is valid: its ids differ, its default and its reference are in it, each says what it is."""
    models = load_catalogue()
    ids = [model.id for model in models.model]
    assert len(set(ids)) == len(ids)
    assert {models.default, models.reference} <= set(ids)
    assert all(model.about and model.licence for model in models.model)
    assert all(model.notice for model in models.model if model.id.startswith("demo-"))


def test_one_engine_per_model(answering: Path) -> None:
    """Everybody who asks for a model's engine gets the same one; another model is another engine."""
    model = Model(id="one", name="One", source=str(answering))
    engines: list[Engine] = []
    askers = [threading.Thread(target=lambda: engines.append(engine_for(model))) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len({id(engine) for engine in engines}) == 1
    assert engine_for(replace(model)) is engines[0]
    assert engine_for(replace(model, revision="other")) is not engines[0]


@pytest.mark.parametrize("pace", [None, 4000])
def test_engine_replies(answering: Path, pace: int | None) -> None:
    """The engine has the model's name and replies, slowed down or not."""
    engine = engine_for(Model(id="paced", name="Paced", source=str(answering), pace=pace))
    assert engine.name == "Paced"
    assert text_of(engine.stream(ask(), GREEDY)) == ANSWER


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("http://127.0.0.1:8000/v1", "127.0.0.1:8000"),
        ("https://host/v1#qwen2.5:7b", "qwen2.5:7b"),
        ("provider:Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
    ],
)
def test_models_elsewhere(name: str, shown: str) -> None:
    """A server's URL and a provider's model are models too, unless the list is all there is."""
    found = MODELS.find(name)
    assert (found.id, found.name, found.runs_here) == (name, shown, True)
    with pytest.raises(UnknownModelError, match="only the models of its list"):
        MODELS.closed().find(name)


def test_by_provider() -> None:
    """What a provider serves is the list's model, with what is known of it; it may serve others too."""
    large = load_catalogue().find("deepseek-r1")
    found = load_catalogue().find("provider:deepseek-ai/DeepSeek-R1")
    assert found == large.by_provider()
    assert (found.source, found.runs_here, found.known) == ("provider:deepseek-ai/DeepSeek-R1", True, large.known)
    assert found.name != large.name
    assert load_catalogue().find("provider:owner/other").facts == ""


def test_recordings(tmp_path: Path) -> None:
    """A file of recorded replies is a model that says so; its questions are known."""
    file = tmp_path / "talk.jsonl"
    file.write_text('{"question": "Who was Liu Xiaobo?", "reply": "No comment.", "model": "m"}')
    found = MODELS.find(f"replay:{file}")
    assert found.name == "talk (recorded)"
    assert "recorded" in found.notice
    assert questions_of(found) == ("Who was Liu Xiaobo?",)
    assert questions_of(SMALL) == ()
    with pytest.raises(UnknownModelError, match=r"no file .* to replay"):
        MODELS.find("replay:/no/such/file")


def test_models_of_a_file(tmp_path: Path) -> None:
    """A file with the replies of several models is one to choose for each, that with the most replies first."""
    file = tmp_path / "a#b.jsonl"
    lines = [("q", "Who?", "1"), ("org/r", "Who?", "2"), ("org/r", "When?", "3")]
    file.write_text("".join(json.dumps({"question": q, "reply": r, "model": m}) + "\n" for m, q, r in lines))
    models = models_at(f"replay:{file}")
    assert [(model.id, model.name) for model in models] == [
        (f"replay:{file}#org/r", "org/r (recorded)"),
        (f"replay:{file}#q", "q (recorded)"),
    ]
    assert [questions_of(model) for model in models] == [("Who?", "When?"), ("Who?",)]
    assert models_at(f"replay:{file}#q") == (MODELS.find(f"replay:{file}#q"), models[0])
    assert models_at("demo") == ()
    hidden = models_at(f"replay:{file}", own=True)
    assert [model.id for model in hidden] == ["replay:a#b.jsonl#org/r", "replay:a#b.jsonl#q"]
    assert [model.source for model in hidden] == [model.source for model in models]
    with pytest.raises(LoadError, match=r"no replies of 'x'"):
        questions_of(MODELS.find(f"replay:{file}#x"))


def test_server_engine() -> None:
    """A server's only model is asked by the server's own name for it."""
    with fake_server() as server:
        assert engine_for(MODELS.find(server.url)).name == "plain"
        engine = engine_for(MODELS.find(f" {server.url.replace('http', 'HTTP')}"))
        assert engine.name == "plain"
        assert engine_for(Model(id="ours", name="Our model", source=server.url)).name == "Our model"
        assert text_of(list(engine.stream(ask(), GREEDY))) == REPLY


def test_every_model_of_a_server() -> None:
    """The models of a server are there to choose from, the one that was named first."""
    with fake_server() as server:
        server.models[:] = ["one", "plain"]
        found = on_server(f"{server.url}#plain")
        assert [model.name for model in found] == ["plain", "one"]
        assert text_of(list(engine_for(found[0]).stream(ask(), GREEDY))) == REPLY
    with pytest.raises(LoadError, match="Nothing answers at"):
        on_server(server.url)


def test_a_named_model_of_a_server_without_a_list() -> None:
    """What is named after the # can be asked, though the server does not list it; without a name it says why not."""
    with fake_server() as server:
        server.listing = (404, {})
        (model,) = on_server(f"{server.url}#plain")
        assert text_of(list(engine_for(model).stream(ask(), GREEDY))) == REPLY
        with pytest.raises(LoadError, match="does not list its models"):
            on_server(server.url)


def test_a_file_that_was_written_again_is_read_again(tmp_path: Path) -> None:
    """While the page runs, too; what was read of a file that is gone since is still played."""
    file = tmp_path / "talk.jsonl"
    model = Model(id="talk", name="Talk", source=f"replay:{file}")
    for number, reply in enumerate(("old", "new")):
        file.write_text(json.dumps({"question": "Who?", "reply": reply}))
        os.utime(file, (number, number))
        assert text_of(list(engine_for(model).stream(ask("Who?"), GREEDY))) == reply
    file.unlink()
    assert text_of(list(engine_for(model).stream(ask("Who?"), GREEDY))) == "new"


def test_the_hosts_key_goes_to_the_hosts_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server that the host named gets the host's key; one that anybody typed does not."""
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    with fake_server() as server:
        for model in (MODELS.find(f"{server.url}#plain"), named(MODELS, f"{server.url}#plain")):
            list(engine_for(model).stream(ask(), GREEDY))
        for model in (on_server(server.url)[0], on_server(server.url, own=True)[0]):
            list(engine_for(model).stream(ask(), GREEDY))
        assert ["secret" in (key or "") for key in server.keys] == [False, True, False, True]


def test_visitors_are_not_told_where_the_hosts_server_is() -> None:
    """Neither its address nor a password in it is in what the page is given of the model."""
    with fake_server() as server:
        host = server.url.removeprefix("http://").removesuffix("/v1")
        (model,) = on_server(f"http://joe:hunter2@{host}/v1", own=True)
        assert (model.id, model.name) == ("plain", "plain")
    typed = MODELS.find("http://joe:hunter2@example.com:8000")
    assert typed.name == "example.com:8000"


@pytest.mark.parametrize("page", ["https://huggingface.co/owner/other", "https://hf.co/owner/other/"])
def test_pages_of_the_hub(page: str) -> None:
    """The address of a model's page on the Hub is taken for the model, and not for a server."""
    assert MODELS.find(page) == MODELS.find("owner/other")


def test_too_large_for_here() -> None:
    """A model of the list that no machine like this runs is refused before anything is fetched, with what to do."""
    large = load_catalogue().find("deepseek-r1")
    assert not large.runs_here
    with pytest.raises(LoadError, match=r"Run it on a server.*--engine http.*provider:deepseek-ai/DeepSeek-R1"):
        engine_for(large)


WANTED = [
    "Qwen2.5-0.5B",
    "Qwen2.5-1.5B",
    "Qwen2.5-7B",
    "Qwen2.5-72B",
    "QwQ-32B",
    "Qwen3-0.6B",
    "Qwen3-1.7B",
    "Qwen3-4B",
    "Qwen3-8B",
    "DeepSeek-R1",
    "DeepSeek-V3",
    "DeepSeek-R1-Distill-Qwen-1.5B",
    "DeepSeek-R1-Distill-Qwen-7B",
    "GLM-4-9B",
    "Yi-1.5-6B",
    "internlm",
    "MiniCPM",
    "SmolLM2",
    "SmolLM3",
    "Llama-3.2-1B",
    "Llama-3.2-3B",
    "gemma-3-1b",
    "gemma-3-4b",
    "Mistral",
    "Ministral",
    "OLMo-2-0425-1B",
    "r1-1776",
]


@pytest.mark.parametrize("name", WANTED)
def test_models_in_the_news_are_listed(name: str) -> None:
    """The list has the models that people ask about, each with where its facts are from and how it can be run."""
    (model, *_) = [m for m in load_catalogue().model if name in m.source]
    assert model.sources
    assert model.run
    assert model.made_in or model.maker


def test_no_fact_is_made_up() -> None:
    """Revisions are whole commits; what is said of a model's behaviour has a source."""
    for model in load_catalogue().model:
        assert model.revision is None or re.fullmatch(r"[0-9a-f]{40}", model.revision)
        assert not model.known or model.sources
