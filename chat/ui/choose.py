"""The models to choose on the page: which are offered, what a typed name stands for, and what is said of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import urlsplit

from chat import catalogue
from chat.catalogue import Catalogue, Model, Run
from chat.errors import UnknownModelError

Choice = tuple[str, str]  # what is shown, and the model's id


def choices(models: Catalogue, first: Model, *, public: bool) -> list[Choice]:
    """What to choose from, `first` before the others: on a public host all of its list, else what can run from here."""
    offered = [model for model in models.model if model.runs_here or public]
    if not public and _has_token():
        offered += [model.by_provider() for model in models.model if Run.PROVIDER in model.run]
    return [(model.name, model.id) for model in dict.fromkeys((first, *offered))]


def _has_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def typed(models: Catalogue, name: str) -> tuple[Model, ...]:
    """What a name stands for: one model, or all those of the server or file that it is. Raises `ChatError`.

    What is on the list is one model, as the host has it.
    """
    found = models.find(name.strip())
    if found in models.model or catalogue.names_one(found):
        return (found,)
    return catalogue.models_at(found.source) or (found,)


def name_of(models: Catalogue, name: str) -> str:
    """What the model is called; the name itself where there is no such model."""
    try:
        return models.find(name).name
    except UnknownModelError:
        return name


def about(models: Catalogue, *names: str) -> str:
    """What is to be said of the models that are shown, and, folded, what is known of them and from where."""
    found = list(dict.fromkeys(model for name in names for model in _found(models, name)))
    notices: dict[str, list[str]] = {}
    for model in found:
        if model.notice:
            notices.setdefault(model.notice, []).append(model.name)
    lines = [
        f"<p><b>{escape(' and '.join(dict.fromkeys(those)))}:</b> {escape(text)}</p>" for text, those in notices.items()
    ]
    known = [model for model in found if model.about or model.facts or model.known]
    if known:
        summary = escape("About " + " and ".join(model.name for model in known))
        lines.append(f"<details><summary>{summary}</summary>{''.join(map(_card, known))}</details>")
    return f'<div class="un-notice">{"".join(lines)}</div>' if lines else ""


def _found(models: Catalogue, name: str) -> Iterable[Model]:
    try:
        return [models.find(name)]
    except UnknownModelError:
        return []


def _card(model: Model) -> str:
    known = f"<p><b>What others found:</b> {escape(model.known)}</p>" if model.known else ""
    return (
        f"<h4>{escape(model.name)}</h4><p>{escape(model.about)}</p><p>{escape(model.facts)}</p>{known}"
        f"{_sources(model.sources)}"
    )


def _sources(sources: Sequence[str]) -> str:
    links = ", ".join(
        f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(urlsplit(url).netloc)}</a>'
        for url in sources
        if url.startswith(("https://", "http://"))  # a config is a person's to write, and a script is no source
    )
    return f'<p class="un-small">Sources: {links}</p>' if links else ""
