"""The models to choose from, from `configs/models.toml`, and the engines that run them."""

from __future__ import annotations

import difflib
import functools
import os
import re
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from chat.engines.local import LocalEngine
from chat.engines.paced import PacedEngine
from chat.engines.types import Engine, Options
from chat.errors import UnknownModelError
from detectors.config import read

PACKAGED = "packaged:"  # a source that begins so is a folder inside this package
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


class Run(StrEnum):
    """Where a model can be run: in this process, behind a server's URL, by Hugging Face's Inference Providers."""

    LOCAL = "local"
    SERVER = "server"
    PROVIDER = "provider"


@dataclass(frozen=True, kw_only=True)
class Model:
    """One entry of the list.

    `source` is a Hub id, a folder, or `packaged:` and a folder in this package. `notice` is shown wherever the model
    appears. `parallel` is how many replies it writes at a time; `pace`, in characters a second, is for models that
    would be faster than the eye. What is not known is left out.

    `parameters` and `active` (those that a mixture of experts uses at a time) are in billions, `download` and `memory`
    (of the weights in 16 bits) in gigabytes, `context` in tokens. `gated`: its licence is to be accepted on the Hub.
    `remote_code`: it comes with code of its own, which is not run. `known` is how it behaves on sensitive questions,
    and `sources` is where all this comes from.
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
    run: tuple[Run, ...] = ()
    known: str = ""
    sources: tuple[str, ...] = ()
    revision: str | None = None
    parallel: int = 1
    pace: int | None = None
    options: Options = Options()


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The list, and which of it is chosen at first."""

    default: str
    reference: str
    model: tuple[Model, ...]

    def find(self, name: str) -> Model:
        """The model with this id or name, else one made up for a folder or a Hub id. Raises `UnknownModelError`."""
        for model in self.model:
            if name in (model.id, model.name):
                return model
        folder = os.path.expanduser(name)
        if os.path.isdir(folder):  # pathlib's raises for some names
            return Model(id=name, name=Path(folder).resolve().name, source=folder)
        if _HUB_ID.fullmatch(name):
            return Model(id=name, name=name, source=name)
        near = difflib.get_close_matches(name, [m.id for m in self.model], n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "`unsaid models` lists those there are."
        raise UnknownModelError(f"No model called {name!r}. {hint} A folder or a Hub id (owner/name) works too.")


@functools.cache
def load_catalogue() -> Catalogue:
    """The list in `configs/models.toml`, read once. Raises `ConfigError`."""
    return read("models", Catalogue)


_ENGINES: dict[Model, Engine] = {}
_ENGINES_LOCK = threading.Lock()


def preload(model: Model) -> None:
    """Begins to load a model that comes with Unsaid, so that its first reply need not wait. Others are left alone."""
    if model.source.startswith(PACKAGED):
        engine = engine_for(model)
        engine = engine.engine if isinstance(engine, PacedEngine) else engine
        if isinstance(engine, LocalEngine):
            engine.preload()


def engine_for(model: Model) -> Engine:
    """The engine of this model: one for the whole process, whoever asks."""
    with _ENGINES_LOCK:
        if model not in _ENGINES:
            source = model.source
            if source.startswith(PACKAGED):
                source = str(Path(__file__).parent / source.removeprefix(PACKAGED))
            engine: Engine = LocalEngine(source, name=model.name, revision=model.revision, parallel=model.parallel)
            _ENGINES[model] = PacedEngine(engine, model.pace) if model.pace else engine
        return _ENGINES[model]
