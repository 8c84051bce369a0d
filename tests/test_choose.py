"""The models to choose on the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_server import fake_server

from chat.catalogue import Catalogue, Model, Run
from chat.engines.types import Options
from chat.errors import ChatError
from chat.ui import choose

SMALL = Model(id="small", name="Small", source="owner/small", notice="Made <for> tests.", known="Says <little>.")
LARGE = Model(
    id="large",
    name="Large",
    source="owner/large",
    run=(Run.SERVER, Run.PROVIDER),
    maker="A maker",
    made_in="Finland",
    parameters=70.0,
    licence="MIT",
    sources=("https://one.example/a?b=1&c=2", "javascript:alert(1)", "https://two.example/"),
)
MODELS = Catalogue(default="small", reference="small", model=(SMALL, LARGE))


@pytest.mark.parametrize(
    ("public", "token", "offered"),
    [
        (False, "", ["small"]),
        (False, "hf_1", ["small", "provider:owner/large"]),
        (True, "", ["small", "large"]),
        (True, "hf_1", ["small", "large"]),
    ],
)
def test_offered(public: bool, token: str, offered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Here, what can run from here: with a token also by providers. On a public host, its list, whoever's the token."""
    monkeypatch.setattr("huggingface_hub.get_token", lambda: token or None)
    assert [model for _, model in choose.choices(MODELS, SMALL, public=public)] == offered


def test_the_first_is_first() -> None:
    """The model that the page begins with leads the list, also where it is none of it, and stands there once."""
    other = Model(id="other", name="Other", source="owner/other")
    assert choose.choices(MODELS, other, public=True) == [("Other", "other"), ("Small", "small"), ("Large", "large")]
    assert choose.choices(MODELS, LARGE, public=True) == [("Large", "large"), ("Small", "small")]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("small", ["small"]),
        ("Small", ["small"]),
        ("  owner/small ", ["small"]),
        ("owner/unheard-of", ["owner/unheard-of"]),
        ("provider:owner/large", ["provider:owner/large"]),
        ("Provider:owner/large", ["provider:owner/large"]),
    ],
)
def test_typed(name: str, ids: list[str]) -> None:
    """What is typed may be an id, a name or a Hub id, with spaces around it."""
    assert [model.id for model in choose.typed(MODELS, name)] == ids


@pytest.mark.parametrize("name", ["", " ", "nothing like it", "http://", "http://127.0.0.1:1", "replay:/no/such"])
def test_typed_in_vain(name: str) -> None:
    """What stands for no model is explained."""
    with pytest.raises(ChatError, match=r"\w"):
        choose.typed(MODELS, name)


def test_an_address_is_all_its_models() -> None:
    """A server's address stands for the models it lists; with a name after it, for that one, and nobody is asked."""
    with fake_server() as server:
        server.models[:] = ["one", "two"]
        assert [model.name for model in choose.typed(MODELS, server.url)] == ["one", "two"]
    assert [model.name for model in choose.typed(MODELS, f"{server.url}#two")] == ["two"]


def test_a_listed_server_is_one_model(tmp_path: Path) -> None:
    """What the host lists stays as it is there: neither its address nor what else it has is handed out."""
    with fake_server() as server:
        listed = Model(id="mine", name="Mine", source=server.url.replace("//", "//user:secret@"))
        recorded = tmp_path / "two.jsonl"
        recorded.write_text('{"question": "Q?", "reply": "R.", "model": "a"}\n{"question": "Q?", "reply": "S."}\n')
        file = Model(id="file", name="File", source=f"replay:{recorded}", options=Options(pace=7))
        models = Catalogue(default="mine", reference="mine", model=(listed, file)).closed()
        assert choose.typed(models, "mine") == (listed,)
        assert choose.typed(models, "file") == (file,)


def test_a_recording_is_all_its_models(tmp_path: Path) -> None:
    """A file's models are there to choose from, whatever its name; replies of nobody's name are not lost."""
    file = tmp_path / "my #1.jsonl"
    file.write_text(
        '{"question": "A?", "reply": "R.", "model": "a"}\n{"question": "B?", "reply": "R.", "model": "b"}\n'
        '{"question": "C?", "reply": "R."}\n'
    )
    assert [model.id for model in choose.typed(MODELS, f"replay:{file}")] == [
        f"replay:{file}#a",
        f"replay:{file}#b",
        f"replay:{file}",
    ]
    assert [model.id for model in choose.typed(MODELS, f"replay:{file}#b")] == [f"replay:{file}#b"]


def test_on_a_public_host_nothing_is_typed() -> None:
    """There the list is the limit, and nobody is asked whether there is such a server."""
    with pytest.raises(ChatError, match="only the models of its list"):
        choose.typed(MODELS.closed(), "http://127.0.0.1:1")


def test_about() -> None:
    """What is known of both models stands in one fold, with its sources as links; a script is no source."""
    html = choose.about(MODELS, "small", "large", "small")
    assert "<summary>About Small and Large</summary>" in html
    assert "Made &lt;for&gt; tests." in html
    assert "Says &lt;little&gt;." in html
    assert "A maker, Finland · 70 B parameters · MIT" in html
    assert 'href="https://one.example/a?b=1&amp;c=2"' in html
    assert html.count("Made &lt;for&gt; tests.") == 1
    assert "javascript" not in html


def test_about_nothing() -> None:
    """Of a typed model nothing is known, and nothing is said; the same of what is no model."""
    assert choose.about(MODELS, "owner/unheard-of") == ""
    assert choose.about(MODELS, "no such thing") == ""
    assert choose.name_of(MODELS, "no such thing") == "no such thing"
    assert choose.name_of(MODELS, "owner/small") == "Small"
