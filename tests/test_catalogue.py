"""The list of models, and the engines made from it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ANSWER, GREEDY, ask, text_of

from chat.catalogue import Catalogue, Model, engine_for, load_catalogue
from chat.engines.types import Engine
from chat.errors import UnknownModelError

SMALL = Model(id="small-model", name="A small model", source="owner/small")
LARGE = Model(id="large-model", name="A large model", source="packaged:large")
MODELS = Catalogue(default="small-model", reference="large-model", model=(SMALL, LARGE))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("small-model", SMALL),
        ("A small model", SMALL),
        ("large-model", LARGE),
        ("owner/other", Model(id="owner/other", name="owner/other", source="owner/other")),
        ("my-org/m_1.5B", Model(id="my-org/m_1.5B", name="my-org/m_1.5B", source="my-org/m_1.5B")),
    ],
)
def test_find(name: str, model: Model) -> None:
    """A model is found by its id or its name; a Hub id that is not in the list is a model too."""
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
