"""Model repositories on the Hugging Face Hub: what is in one, what of it the cache has, and what may be wrong there."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from chat.errors import LoadError

LOOK_UP_SECONDS = 10.0  # how long the Hub may take to say what is in a repository
WEIGHTS = ".safetensors"
_SMALL = (".json", ".jinja", ".txt", ".model", ".tiktoken")  # configuration, tokenizer, templates
_CODE = ".py"
_LOG_IN = "log in with `hf auth login` or set HF_TOKEN"
_WHOLE = "model.safetensors"
_SHARD = re.compile(r"model(\.safetensors)?-\d+-of-\d+\.safetensors")


@dataclass(frozen=True, kw_only=True)
class Hub:
    """Which Hub, as whom, and where files are kept. None leaves it to huggingface_hub.

    That is `HF_ENDPOINT`, `HF_TOKEN` or the login that was saved, and `HF_HUB_CACHE` in the environment. With the token
    False, nobody is asking, whoever is logged in.
    """

    endpoint: str | None = None
    token: str | Literal[False] | None = field(default=None, repr=False)
    cache: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder of the cache."""
        from huggingface_hub import constants

        return self.cache or Path(constants.HF_HUB_CACHE)

    def page(self, source: str) -> str:
        """The address of a repository's page."""
        from huggingface_hub import constants

        return f"{self.endpoint or constants.ENDPOINT}/{source}"

    @property
    def has_token(self) -> bool:
        """Whether requests are made as somebody."""
        from huggingface_hub import get_token

        return self.token is not False and bool(self.token or get_token())


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a repository: its size in bytes, and whether the cache has it."""

    name: str
    size: int
    cached: bool


@dataclass(frozen=True, kw_only=True)
class Repository:
    """What of a repository is needed to run its model. `parameters` counts them by safetensors' name of their type."""

    source: str
    revision: str | None
    files: tuple[File, ...]
    parameters: Mapping[str, int]

    @property
    def download_bytes(self) -> int:
        """What is not in the cache yet."""
        return sum(file.size for file in self.files if not file.cached)

    @property
    def small_bytes(self) -> int:
        """What of that is no weights."""
        return sum(file.size for file in self.files if not (file.cached or file.name.endswith(WEIGHTS)))

    @property
    def weights_bytes(self) -> int:
        """The size of the weights' files."""
        return sum(file.size for file in self.files if file.name.endswith(WEIGHTS))


def look_up(source: str, revision: str | None, hub: Hub, *, code: bool = False) -> Repository | Path:
    """What the Hub says of the repository, or the folder in the cache where the Hub need not or cannot be asked.

    It need not be asked for a commit that is there whole, unless `code` says that Python files are needed too.
    Raises `LoadError`.
    """
    pinned = revision is not None and re.fullmatch("[0-9a-f]{40}", revision)
    if pinned and not code and (folder := _cached(source, revision, hub)):
        return folder
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        api = HfApi(endpoint=hub.endpoint, token=hub.token)
        info = api.model_info(source, revision=revision, files_metadata=True, timeout=LOOK_UP_SECONDS)
    except Exception as error:  # no network, no such repository, no right to it: what was fetched before still works
        if folder := _cached(source, revision, hub):
            return folder
        raise explained(error, source, hub) from error
    sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or ()}
    names = _needed(sizes, code=code)
    if not any(name.endswith(WEIGHTS) for name in names):
        raise _no_weights(source, sizes)
    return Repository(
        source=source,
        revision=revision,
        files=tuple(
            File(
                name=name,
                size=sizes[name],
                cached=isinstance(
                    try_to_load_from_cache(source, name, cache_dir=hub.folder, revision=info.sha or revision), str
                ),
            )
            for name in names
        ),
        parameters=dict(info.safetensors.parameters) if info.safetensors else {},
    )


def explained(error: Exception, source: str, hub: Hub) -> LoadError:
    """What went wrong between here and the Hub, and what to do about it, for the reader."""
    if no_space(error):
        return disk_full(source, hub)
    for kind, message in _remedies(source, hub):
        if isinstance(error, kind):
            return LoadError(message)
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if message := _status_remedies(source, hub).get(status, ""):
        return LoadError(message)
    if status >= 500:
        return LoadError(f"The Hub is out of order (error {status}), so {source} cannot be fetched. Try again later.")
    if not status and _is_network(error):
        return LoadError(
            f"{source} has not been downloaded yet, and the Hub cannot be reached ({_first_line(error)}). "
            "Check the network and try again; the models that come with Unsaid work without one."
        )
    return LoadError(f"{source} could not be fetched from the Hub: {_first_line(error)} Try again.")


def _remedies(source: str, hub: Hub) -> list[tuple[type[Exception], str]]:
    """What to say to each kind of error; the first kind that an error is of counts."""
    from huggingface_hub import errors

    page = hub.page(source)
    if hub.has_token:
        gated = (
            f"and your token's account has not been let in. Ask for access at {page}; "
            "a fine-grained token also needs the permission to read gated repositories."
        )
        private = "check that your token may read it"
    else:
        gated = f"which means that its makers ask for consent. Agree at {page}, then {_LOG_IN}."
        private = _LOG_IN
    return [
        (errors.GatedRepoError, f"{source} is gated, {gated}"),
        (
            errors.RepositoryNotFoundError,
            f"{source} is not on the Hub, or it is private. Check the name; if it is private, {private}.",
        ),
        (
            errors.RevisionNotFoundError,
            f"{source} has no such revision on the Hub. Take one of those listed at {page}/commits.",
        ),
        (errors.DisabledRepoError, f"{source} was taken down on the Hub. Choose another model."),
        (
            errors.HFValidationError,
            f"{source} is neither a folder here nor an id on the Hub. Check the name: a folder, or owner/name.",
        ),
        (
            errors.OfflineModeIsEnabled,
            f"{source} has not been downloaded yet, and HF_HUB_OFFLINE forbids it. Unset it, or choose another model.",
        ),
    ]


def _status_remedies(source: str, hub: Hub) -> dict[int, str]:
    """What to say to the Hub's other refusals, by their HTTP status."""
    return {
        401: f"The Hub did not accept your token when asked for {source}. It may be mistyped or have expired: make a "
        f"new one at https://huggingface.co/settings/tokens, then {_LOG_IN}.",
        403: f"The Hub refuses {source} to your token. Check its permissions, and your access at {hub.page(source)}.",
        429: f"The Hub was asked too often to give {source} now. Wait some minutes, or {_LOG_IN}.",
    }


def no_space(error: BaseException | None) -> bool:
    """Whether this error, or one that caused it, is a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def disk_full(source: str, hub: Hub, *, need: str = "", have: str = "") -> LoadError:
    """There is no room for the download; `need` and `have` are sizes, where they are known."""
    sizes = f" It needs {need} more, and {have} is free." if need else ""
    return LoadError(
        f"{source} does not fit on the disk of {hub.folder}.{sizes} Delete models that you no longer use "
        "(`hf cache ls`, `hf cache rm`), or set HF_HOME to a folder on a larger disk."
    )


def _cached(source: str, revision: str | None, hub: Hub) -> Path | None:
    """The folder of this revision in the cache, where all that is needed is there."""
    from huggingface_hub import try_to_load_from_cache

    try:
        config = try_to_load_from_cache(source, "config.json", cache_dir=hub.folder, revision=revision)
    except ValueError:  # no id that could be there
        return None
    return folder if isinstance(config, str) and _whole(folder := Path(config).parent) else None


def _whole(folder: Path) -> bool:
    names = {file.name for file in folder.iterdir()}
    shards = sorted(name for name in names if _SHARD.fullmatch(name))
    # Every shard's name ends with how many there are.
    all_there = bool(shards) and len(shards) == int(re.findall(r"\d+", shards[0])[-1])
    return "config.json" in names and (_WHOLE in names or all_there)


def _needed(names: Mapping[str, int], *, code: bool) -> list[str]:
    """Of a repository's files those that a model is run from: no pickles, GGUFs, second copies or subfolders."""
    endings = (*_SMALL, _CODE) if code else _SMALL
    top = [name for name in names if "/" not in name]
    weights = [_WHOLE] if _WHOLE in names else [name for name in top if _SHARD.fullmatch(name)]
    return [*(name for name in top if name.endswith(endings)), *weights]


def _no_weights(source: str, names: Mapping[str, int]) -> LoadError:
    if any(name.endswith(".gguf") for name in names):
        remedy = "Run its GGUF files with llama.cpp or Ollama and give that server's address: --engine http://..."
    elif any(name.endswith((".bin", ".pt", ".pth")) for name in names):
        remedy = "It has only pickled ones, which can run code when they are read. Choose a newer version of it."
    else:
        remedy = "Choose a chat model; if this is an adapter, choose the model that it was made for."
    return LoadError(f"{source} has no weights in the safetensors format. {remedy}")


def _is_network(error: BaseException) -> bool:
    from huggingface_hub import errors

    known = (errors.HTTPError, errors.LocalEntryNotFoundError, ConnectionError, TimeoutError)  # type: ignore[attr-defined, unused-ignore]
    return isinstance(error, known)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
