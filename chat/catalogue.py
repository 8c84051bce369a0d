"""The models to choose from, from `configs/models.toml`, and the engines that run them."""

from __future__ import annotations

import difflib
import functools
import os
import re
import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from chat import borrowed
from chat.engines import loading as weights
from chat.engines.loading import Quantization
from chat.engines.local import LocalEngine
from chat.engines.paced import READING_PACE, PacedEngine
from chat.engines.pool import Pool
from chat.engines.remote import RemoteEngine
from chat.engines.server import choose_model, list_models, shown
from chat.engines.types import Engine, Options
from chat.errors import LoadError, UnknownModelError
from detectors.config import read

PACKAGED = "packaged:"  # a source that begins so is a folder inside this package
SERVERS = ("http://", "https://")
PROVIDER = "provider:"
REPLAY = "replay:"
KEY_VARIABLE = "UNSAID_API_KEY"  # of the server whose URL is given
RECORDED = "recorded replies, played back; nothing is asked of the model now."
BY_PROVIDER = "asked through Hugging Face's Inference Providers, which see what you ask."
IN_MEMORY = 2  # models beside the packaged ones: the one that replies and its reference
_SCHEME = re.compile(r"^\s*(https?://|provider:|replay:)", re.IGNORECASE)
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_HUB_PAGE = re.compile(r"https://(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+)/?")


class Run(StrEnum):
    """Where a model can be run: in this process, behind a server's URL, by Hugging Face's Inference Providers."""

    LOCAL = "local"
    SERVER = "server"
    PROVIDER = "provider"


@dataclass(frozen=True, kw_only=True)
class Model:
    """One entry of the list.

    `source` is a Hub id, a folder, `packaged:` and a folder in this package, the URL of a server with `#` and the name
    of its model, `provider:` and a Hub id, or `replay:` and a file, with `#` and a model where it holds several.
    `notice` is shown wherever the model appears.
    `parallel` is how many replies it writes at a time; `pace`, in characters a second, is for models that would be
    faster than the eye. `quantization` and `trust_remote_code` as in `LocalEngine`. What is not known is left out.

    `parameters` and `active` (those that a mixture of experts uses at a time) are in billions, `download` and `memory`
    (of the weights in 16 bits) in gigabytes, `context` in tokens. `gated`: its licence is to be accepted on the Hub.
    `remote_code`: it comes with code of its own, which is not run. `known` is how it behaves on sensitive questions,
    and `sources` is where all this comes from. `run` is where it can be run. `keyed`: its server is the host's own
    choice, and gets the host's key.
    """

    id: str
    name: str
    source: str
    about: str = ""
    notice: str = ""
    maker: str = ""
    made_in: str = ""
    licence: str = ""
    languages: str = ""
    parameters: float | None = None
    active: float | None = None
    download: float | None = None
    memory: float | None = None
    context: int | None = None
    reasoning: bool = False
    gated: bool = False
    remote_code: bool = False
    run: tuple[Run, ...] = (Run.LOCAL,)
    known: str = ""
    sources: tuple[str, ...] = ()
    revision: str | None = None
    parallel: int = 1
    pace: int | None = None
    quantization: Quantization | None = None
    trust_remote_code: bool = False
    keyed: bool = True
    options: Options = Options()

    @property
    def packaged(self) -> bool:
        """Whether it comes with Unsaid."""
        return self.source.startswith(PACKAGED)

    @property
    def runs_here(self) -> bool:
        """Whether it is of a size for one machine, or there is a server or a file for it."""
        return Run.LOCAL in self.run or self.source.startswith((*SERVERS, PROVIDER, REPLAY))

    @property
    def facts(self) -> str:
        """Who made it and where, size, memory, licence and the like, as far as they are known."""
        facts = (
            ", ".join(filter(None, (self.maker, self.made_in))),
            f"{self.parameters:g} B parameters" if self.parameters else "",
            f"{self.active:g} B at a time" if self.active else "",
            f"{self.download:g} GB to download" if self.download else "",
            f"{self.memory:g} GB of memory" if self.memory else "",
            self.licence + (", to be accepted on the Hub" if self.gated else ""),
            "needs code of its own" if self.remote_code else "",
        )
        return " · ".join(filter(None, facts))

    def by_provider(self) -> Model:
        """The same model as Inference Providers serve it, asked on an account there."""
        source, name = f"{PROVIDER}{self.source}", f"{self.name} (provider)"
        return replace(self, id=source, name=name, source=source, notice=BY_PROVIDER, run=(Run.PROVIDER,))


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The list, and which of it is chosen at first. Where it is not `open`, there are no models but the list's."""

    default: str
    reference: str
    model: tuple[Model, ...]
    open: bool = True

    def closed(self, *more: Model) -> Catalogue:
        """This list, with these models before it, as all that there is."""
        return replace(self, model=tuple(dict.fromkeys((*more, *self.model))), open=False)

    def find(self, name: str) -> Model:
        """The model with this id, name or Hub id, else one made up for what can be run. Raises `UnknownModelError`.

        Of a list that is not open nothing else is found, and the file system is not looked at.
        """
        name = _lower_scheme(name)
        if page := _HUB_PAGE.fullmatch(name):
            name = page[1]
        for model in self.model:
            if name in (model.id, model.name, model.source):
                return model
        if not self.open:
            raise UnknownModelError(f"No model called {name[:80]!r} here. This page has only the models of its list.")
        for model in self.model:
            if name == f"{PROVIDER}{model.source}":
                return model.by_provider()
        if made := _made_up(name):
            return made
        folder = os.path.expanduser(name)
        if os.path.isdir(folder):  # pathlib's raises for some names
            return Model(id=name, name=Path(folder).resolve().name, source=folder)
        if _HUB_ID.fullmatch(name):
            return Model(id=name, name=name, source=name)
        near = difflib.get_close_matches(name, [m.id for m in self.model], n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "`unsaid models` lists those there are."
        raise UnknownModelError(
            f"No model called {name!r}. {hint} A folder or a Hub id (owner/name) works too; so do the URL of a server, "
            "provider:owner/name and replay:FILE."
        )


def _lower_scheme(name: str) -> str:
    """The name with what it begins with as we write it, for people type and copy it in other ways."""
    return _SCHEME.sub(lambda scheme: scheme[1].lower(), name)


def _made_up(name: str) -> Model | None:
    """The model that a name with a scheme stands for. Raises `UnknownModelError` where there is no such file."""
    if name.startswith(SERVERS):
        url, _, model = name.partition("#")
        return Model(id=name, name=model or _netloc(url), source=name, run=(Run.SERVER,), keyed=False)
    if name.startswith(PROVIDER):
        asked = name.removeprefix(PROVIDER)
        return Model(id=name, name=asked, source=name, notice=BY_PROVIDER, run=(Run.PROVIDER,))
    if name.startswith(REPLAY):
        file, whose = _recorded(name)
        if not os.path.isfile(file):
            raise UnknownModelError(f"There is no file {str(file)!r} to replay. Check the name.")
        source = f"{REPLAY}{file}" + (f"#{whose}" if whose else "")
        return Model(id=name, name=f"{whose or file.stem} (recorded)", source=source, notice=RECORDED)
    return None


def _recorded(source: str) -> tuple[Path, str]:
    """The file of a `replay:` source, and the model that is chosen of it; a file may have a `#` in its name."""
    whole = os.path.expanduser(source.removeprefix(REPLAY))
    if not os.path.isfile(whole):  # pathlib's raises for some names
        for mark in reversed(list(re.finditer("#", whole))):
            if os.path.isfile(whole[: mark.start()]):
                return Path(whole[: mark.start()]), whole[mark.end() :]
    return Path(whole), ""


def _netloc(url: str) -> str:
    return shown(url).partition("//")[2].partition("/")[0]


@functools.cache
def load_catalogue() -> Catalogue:
    """The list in `configs/models.toml`, read once. Raises `ConfigError`."""
    return read("models", Catalogue)


_ENGINES: dict[Model, tuple[int | None, Engine]] = {}  # with when its file was written
_ENGINES_LOCK = threading.Lock()
_POOL = Pool(IN_MEMORY)


def preload(model: Model) -> None:
    """Begins to load a model that comes with Unsaid, so that its first reply need not wait. Others are left alone."""
    if model.packaged:
        loading(model)


def named(models: Catalogue, name: str) -> Model:
    """The model that the host named: one whose server gets the host's key. Raises `UnknownModelError`."""
    return replace(models.find(name), keyed=True)


def on_server(url: str, *, own: bool = False) -> tuple[Model, ...]:
    """The models of the server at this URL; the one that it names after a `#` first. Raises `LoadError`.

    The host's `own` go by their names alone: visitors are not told the address, nor a password in it.
    """
    base, _, wanted = url.partition("#")
    try:
        names = list_models(base, api_key=_key(own))
    except LoadError:
        if not wanted:
            raise
        names = ()  # what is named can be asked, whatever else there is
    return tuple(
        Model(
            id=name if own else f"{base}#{name}",
            name=name,
            source=f"{base}#{name}",
            run=(Run.SERVER,),
            keyed=own,
        )
        for name in dict.fromkeys((*filter(None, [wanted]), *names))
    )


def in_file(source: str, *, own: bool = False) -> tuple[Model, ...]:
    """The models whose replies a `replay:` file holds; the one that is named after a `#` first. Raises `ChatError`.

    Of the host's `own`, visitors are not told in which folder the file is.
    """
    from chat.engines.replay import models_of

    _made_up(source)  # raises where there is no such file
    file, wanted = _recorded(source)
    several = models_of(file)
    named = [source]
    if len(several) > 1:
        others = [f"{REPLAY}{file}#{name}" for name in several if name and name != wanted]
        everyone = [] if all(several) else [f"{REPLAY}{file}"]  # where those are found that nobody's name is on
        named = [*named[: bool(wanted)], *others, *everyone]
    models = [made for name in named if (made := _made_up(name))]
    return tuple(map(_without_folder, models)) if own else tuple(models)


def _without_folder(model: Model) -> Model:
    file, whose = _recorded(model.source)
    return replace(model, id=f"{REPLAY}{file.name}" + (f"#{whose}" if whose else ""))


def names_one(model: Model) -> bool:
    """Whether its source names one model of the server's or the file's."""
    if model.source.startswith(REPLAY):
        return bool(_recorded(model.source)[1])
    return "#" in model.source or not model.source.startswith(SERVERS)


def models_at(source: str, *, own: bool = False) -> tuple[Model, ...]:
    """The models of a server or of a file of recordings; none of any other source. Raises `ChatError`."""
    source = _lower_scheme(source)
    if source.startswith(SERVERS):
        return on_server(source, own=own)
    return in_file(source, own=own) if source.startswith(REPLAY) else ()


def _key(keyed: bool) -> str | None:
    """The key of the server that the host chose: whoever types another's address must not have it sent there."""
    return os.environ.get(KEY_VARIABLE) if keyed else None


def questions_of(model: Model) -> tuple[str, ...]:
    """The questions that a file of recorded replies can answer; none for models that answer any. Raises `LoadError`."""
    if not model.source.startswith(REPLAY):
        return ()
    questions: tuple[str, ...] = getattr(engine_for(model), "questions", ())
    return questions


def skipped_of(model: Model) -> int:
    """How many lines of a file of recorded replies could not be used. Raises `LoadError`."""
    return getattr(engine_for(model), "skipped", 0) if model.source.startswith(REPLAY) else 0


def loads_here(model: Model) -> bool:
    """Whether this process loads the model, and not a server or none."""
    return isinstance(_unpaced(engine_for(model)), LocalEngine)


def loading(model: Model) -> Future[Any] | None:
    """The model's loading, begun if it was not; None for what is not loaded here."""
    engine = _unpaced(engine_for(model))
    return engine.preload() if isinstance(engine, LocalEngine) else None


def attach(model: Model) -> None:
    """Moves the model to a GPU that is borrowed for now. Raises `LoadError`."""
    engine = _unpaced(engine_for(model))
    if isinstance(engine, LocalEngine):
        engine.attach()


def after_fork() -> None:
    """To be called in a process just forked: models that are loaded stay so, and no lock is held by who is not here."""
    global _ENGINES_LOCK  # noqa: PLW0603
    _ENGINES_LOCK = threading.Lock()
    weights.after_fork()
    for engine in (_unpaced(held) for _, held in _ENGINES.values()):
        if isinstance(engine, LocalEngine):
            engine.after_fork()


def _unpaced(engine: Engine) -> Engine:
    return engine.engine if isinstance(engine, PacedEngine) else engine


def engine_for(model: Model) -> Engine:
    """The engine of this model: one for the whole process, whoever asks. Raises `LoadError` where none can run it."""
    written = _written(model)
    if engine := _held(model, written):
        return engine
    engine = _made(model)  # outside the lock: a server may have to be asked
    with _ENGINES_LOCK:
        if first := _held(model, written):  # of two who asked at the same time
            return first
        _ENGINES[model] = (written, engine)
        return engine


def _held(model: Model, written: int | None) -> Engine | None:
    """The engine that there is, unless its file was written again since. Of a file that is gone, it is still played."""
    held = _ENGINES.get(model)
    return held[1] if held and written in (held[0], None) else None


def _written(model: Model) -> int | None:
    """When a file of recordings was last written, as it may be while the page runs; None for all else."""
    try:
        return os.stat(_recorded(model.source)[0]).st_mtime_ns if model.source.startswith(REPLAY) else None
    except OSError:
        return None


def _made(model: Model) -> Engine:
    source = model.source
    if source.startswith(SERVERS):
        url, _, wanted = source.partition("#")
        key = _key(model.keyed)
        name = "" if model.id == source else model.name  # what was typed is called as the server calls it
        return RemoteEngine(url, choose_model(url, wanted, api_key=key), name=name, api_key=key)
    if source.startswith(PROVIDER):
        return RemoteEngine("", source.removeprefix(PROVIDER), name=model.name, provider="auto")
    if source.startswith(REPLAY):
        from chat.engines.replay import ReplayEngine

        file, whose = _recorded(source)
        return ReplayEngine(file, pace=READING_PACE if model.pace is None else model.pace, model=whose)
    if not model.runs_here:
        raise LoadError(
            f"{model.name} is too large for most machines, or needs code of its own. Run it on a server and give its "
            f"address, --engine http://..., or ask a provider: --engine {PROVIDER}{source}."
        )
    engine: Engine = LocalEngine(
        str(Path(__file__).parent / source.removeprefix(PACKAGED)) if model.packaged else source,
        name=model.name,
        revision=model.revision,
        parallel=model.parallel,
        quantization=model.quantization,
        trust_remote_code=model.trust_remote_code,
        pool=None if model.packaged else _POOL,
        device="cpu" if model.packaged else None,  # small enough, and a GPU may be borrowed by the second
        borrowed=borrowed.available() and not model.packaged,
    )
    return PacedEngine(engine, model.pace) if model.pace else engine
