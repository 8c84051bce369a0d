"""Who hosts the page: what its visitors may do, which models it has, and by whom each is run."""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from chat import borrowed, catalogue, zero
from chat.catalogue import Catalogue, Model, Run
from chat.engines.remote import RemoteEngine
from chat.engines.types import Engine
from chat.errors import ChatError, LoadError
from detectors.config import read

_LOG = logging.getLogger(__name__)
PUBLIC_VARIABLE = "UNSAID_PUBLIC"
ON_ACCOUNT = "asked through Hugging Face's Inference Providers, on your own account there. Sign in first."
RECORDINGS = "recordings"  # a folder beside app.py whose files are replies to replay


@dataclass(frozen=True, kw_only=True)
class Host:
    """What the page allows its visitors.

    On a `public` host there are no models but the list's, because what a visitor types is read from this machine's disk
    or fetched from its network; None leaves that to where the page listens. `visitors` is how many replies are streamed
    at a time, `queue` how many questions may wait beyond those, `max_tokens` the longest reply that may be asked for.
    """

    public: bool | None = None
    visitors: int = 32
    queue: int = 256
    max_tokens: int = 8192


def load_host(address: str) -> Host:
    """`configs/host.toml`, for a page that listens at this address. Raises `ConfigError`.

    `UNSAID_PUBLIC` set to 1 or 0 goes before the file; where neither says, a page that other machines reach is public.
    """
    host = read("host", Host)
    said = os.environ.get(PUBLIC_VARIABLE, "")
    public = said != "0" if said else host.public
    return replace(host, public=not _alone(address) if public is None else public)


def _alone(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def can_log_in() -> bool:
    """Whether this is a Space where visitors can sign in with Hugging Face."""
    return all(os.environ.get(name) for name in ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"))


def has_gpu() -> bool:
    """Whether models of some size can be run here: on ZeroGPU, or on a GPU of its own."""
    if borrowed.available():
        return True
    import torch

    return torch.cuda.is_available()


def models_here(models: Catalogue, *, gpu: bool, login: bool, recordings: Path | None = None) -> Catalogue:
    """The models of the list that a public host can offer; without a GPU the packaged ones, and recorded replies.

    Those that cannot run here are offered to who can sign in, where providers serve them.
    """
    here = [model for model in models.model if model.packaged or (gpu and Run.LOCAL in model.run)]
    others = [model for model in models.model if model not in here]
    asked = [model.by_provider() for model in others if login and Run.PROVIDER in model.run]
    served = [replace(model, notice=ON_ACCOUNT) for model in asked]
    return replace(models, model=(*here, *served, *_recorded(models, recordings))).closed()


def _recorded(models: Catalogue, folder: Path | None) -> list[Model]:
    """Models that replay the folder's files."""
    found: list[Model] = []
    for file in sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []:
        try:
            found += catalogue.in_file(f"{catalogue.REPLAY}{file}", own=True)
        except ChatError as error:
            _LOG.warning("Left out: %s", error)
    return found


def by_provider(model: Model, token: str) -> Engine:
    """The model as Inference Providers serve it, on the account that the token is of; one for each request."""
    asked = model.source.removeprefix(catalogue.PROVIDER)
    return RemoteEngine("", asked, name=model.name, provider="auto", api_key=token)


def engine_for(
    model: Model, token: str | None = None, *, provider: Callable[[Model, str], Engine] = by_provider
) -> Engine:
    """The engine of this model for one request: this host's, or a provider's on the visitor's own account.

    The token goes to that engine and nowhere else. Raises `LoadError` where the visitor has to sign in first.
    """
    if not model.source.startswith(catalogue.PROVIDER):
        return zero.Here(model) if catalogue.loads_here(model) else catalogue.engine_for(model)
    if not token:
        raise LoadError(f"{model.name} runs on your own account at Hugging Face. Sign in, or choose another model.")
    return provider(model, token)
