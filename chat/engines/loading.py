"""A model from a folder or the Hub into memory: looked at first, then fetched, then loaded."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from chat.engines import fit
from chat.engines.download import fetch
from chat.engines.hub import Hub, Repository, look_up
from chat.engines.progress import Cancelled, Progress
from chat.errors import LoadError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]

Quantization = Literal["4bit", "8bit"]
READING = 0.1  # of the share that is loaded, what reading into memory counts for after a download
_ONE_AT_A_TIME = threading.Lock()  # transformers can neither be imported nor load models in two threads at once


@dataclass(frozen=True, kw_only=True)
class Source:
    """Which model, and how to load it.

    `place` is a folder or a Hub id. `quantization` shrinks the weights while they are loaded, where bitsandbytes is
    installed. `trust_remote_code` runs Python files that come with the model, as safe as any stranger's program: only
    whoever hosts the page may set it. `device` is where it is to run, as torch names it; the best there is unless set.
    Where the GPU is `borrowed`, there only now and then, the model is kept in memory as it will be there.
    """

    place: str
    revision: str | None = None
    quantization: Quantization | None = None
    trust_remote_code: bool = False
    hub: Hub = Hub()
    device: str | None = None
    borrowed: bool = False


def load(source: Source, progress: Progress, *, spare: Callable[[], bool] = lambda: False) -> Loaded:
    """The model, in evaluation mode on the best device here, and its tokenizer.

    What can be known beforehand is checked before the weights are downloaded: that the model fits, that it is a chat
    model, and of a kind that can be run here. Where it does not fit, `spare` may free memory; it says whether it did.
    Raises `LoadError`, and `Cancelled` where the progress was.
    """
    if source.quantization:
        _bitsandbytes(source)
    found = _find(source)
    if isinstance(found, Repository):
        _ensure_fit(source, fit.of_repository(found), spare)
        whole = found.download_bytes
        with progress.part((1 - READING) * found.small_bytes / max(1, whole)):
            folder = fetch(found, source.hub, weights=False, progress=progress)
        with _ONE_AT_A_TIME:
            _tokenizer(source, folder, _config(source, folder))
        with progress.part((1 - READING - progress.share) / (1 - progress.share) if whole else 0.0):
            folder = fetch(found, source.hub, weights=True, progress=progress)
    else:
        folder = found
    with _ONE_AT_A_TIME, progress.part(1.0):
        config = _config(source, folder)
        tokenizer = _tokenizer(source, folder, config)
        needs = fit.of_folder(folder, source=source.place)
        room = _ensure_fit(source, needs, spare)
        progress.report(0.0)
        goes_to = replace(room, device="cuda") if source.borrowed else room
        held = fit.held_as(needs, goes_to, source.quantization)
        return _model(source, folder, config, progress, held=held, device=room.device), tokenizer


def best_device() -> str:
    """The fastest kind of processor that torch sees here: cuda, mps or cpu."""
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def threads() -> int:
    """How many processors a model on the CPU gets: all but one, which the page and the detectors run on.

    Where they have to share, every step of the model waits for its thread that was interrupted: with both of two
    processors the demo model wrote 0.80 times as fast watched as unwatched, with one of them 0.92 times, and no slower
    unwatched (`chat.engines.bench`).
    """
    import torch

    return max(1, min(torch.get_num_threads(), (os.cpu_count() or 1) - 1))


def after_fork() -> None:
    """To be called in a process just forked, where whoever held the lock may never let go of it."""
    global _ONE_AT_A_TIME  # noqa: PLW0603
    _ONE_AT_A_TIME = threading.Lock()


def free() -> None:
    """Gives memory that is no longer used back to the system, which Python and torch would keep for later."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()
    if sys.platform == "linux":
        import ctypes

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; musl has none
        if trim is not None:
            trim(0)


def forget_frames(error: BaseException | None) -> None:
    """Lets go of what an error's tracebacks hold: the weights that had been loaded when it was raised."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def out_of_memory(error: BaseException) -> bool:
    """Whether this is torch or Python running out of memory, whatever the device."""
    text = str(error)
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text


def quantization_config(quantization: Quantization) -> Any:
    """How transformers is to have bitsandbytes shrink the weights.

    At 4 bits as normal floats (NF4, arXiv:2305.14314), with the sums in bfloat16.
    """
    import torch
    from transformers import BitsAndBytesConfig

    if quantization == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)  # type: ignore[no-untyped-call]
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
    )


def _find(source: Source) -> Repository | Path:
    if Path(source.place).is_dir():
        return Path(source.place)
    return look_up(source.place, source.revision, source.hub, code=source.trust_remote_code)


def _bitsandbytes(source: Source) -> None:
    missing = [name for name in ("bitsandbytes", "accelerate") if importlib.util.find_spec(name) is None]
    if missing:
        raise LoadError(
            f"{source.place} is to be loaded at {source.quantization}, and {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not installed: pip install {' '.join(missing)}. "
            "Or take `quantization` out of configs/models.toml."
        )


def _ensure_fit(source: Source, needs: fit.Needs, spare: Callable[[], bool]) -> fit.Room:
    """What is free, once the model fits into it."""
    while True:
        room = fit.room(source.hub, device=source.device or ("cpu" if source.borrowed else best_device()))
        try:
            fit.check(needs, room, quantization=source.quantization, hub=source.hub)
        except LoadError:
            if not spare():
                raise
        else:
            return room


def _config(source: Source, folder: Path) -> PreTrainedConfig:
    """The model's configuration, of a kind that transformers can write text with."""
    import transformers
    from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, PreTrainedConfig

    name = source.place
    with _explaining(source):
        told, _ = PreTrainedConfig.get_config_dict(folder)
        brings_code = "AutoModelForCausalLM" in (told.get("auto_map") or {})
        if source.trust_remote_code and brings_code:
            trusted: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=True)
            return trusted
        kind = str(told.get("model_type", ""))
        known = kind in CONFIG_MAPPING
        if brings_code and not (known and CONFIG_MAPPING[kind] in MODEL_FOR_CAUSAL_LM_MAPPING):
            raise LoadError(
                f"{name} can only be run with Python code that comes with it, which Unsaid does not run unless its "
                "host trusts it. Choose another model, or read that code and set trust_remote_code = true for this one "
                "in configs/models.toml."
            )
        if kind and not known:
            raise LoadError(
                f"{name} is of a kind ({kind}) that transformers {transformers.__version__} does not know. "
                "Update it with pip install --upgrade transformers, or choose another model."
            )
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING and not _also_sees(config):
            raise LoadError(f"{name} is a {kind} model, which does not write text. Choose a chat model.")
        return config


def _also_sees(config: PreTrainedConfig) -> bool:
    """Whether this is a model of text and pictures that has no form for text alone, such as Mistral 3."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

    kind = type(config)
    return kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING and kind not in MODEL_FOR_CAUSAL_LM_MAPPING


def _tokenizer(source: Source, folder: Path, config: PreTrainedConfig) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    with _explaining(source):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, config=config, trust_remote_code=source.trust_remote_code
        )
    if not tokenizer.chat_template:
        raise LoadError(
            f"{source.place} has no chat template, so it is not a chat model. "
            "Choose its chat version (often named -Instruct or -Chat), or add chat_template.jinja to the folder."
        )
    return tokenizer


def _model(
    source: Source, folder: Path, config: PreTrainedConfig, progress: Progress, *, held: str, device: str
) -> PreTrainedModel:
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    if device == "cpu":
        torch.set_num_threads(threads())
    writer = AutoModelForImageTextToText if _also_sees(config) else AutoModelForCausalLM
    placed: dict[str, Any] = {}
    if source.quantization:
        placed = {"quantization_config": quantization_config(source.quantization)}
    else:
        placed = {"dtype": getattr(torch, held)}
    if source.quantization or (device != "cpu" and importlib.util.find_spec("accelerate")):
        placed["device_map"] = {"": device}  # straight from disk to the GPU, not through main memory
    with _explaining(source), _counting(progress):
        loaded: Any = writer.from_pretrained(
            folder,
            config=config,
            trust_remote_code=source.trust_remote_code,
            output_loading_info=True,
            **placed,
        )
    model, report = loaded
    if missing := report["missing_keys"]:  # transformers fills them with random numbers
        raise LoadError(
            f"{source.place} lacks {len(missing)} of the model's weights, such as {min(missing)}. "
            "Choose a chat model; if its files were copied or downloaded in part, fetch them again."
        )
    with _explaining(source):
        if "device_map" not in placed:
            model = model.to(device)
        return model.eval()  # type: ignore[no-any-return]


@contextmanager
def _counting(progress: Progress) -> Iterator[None]:
    """Has transformers' own count of the weights that it has read reported, and shown to nobody else."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    class Counted:
        def __init__(self, bar: Any, items: Any) -> None:
            self._bar, self._items = bar, items

        def __iter__(self) -> Iterator[Any]:
            count = max(1, len(self._items))
            for number, item in enumerate(self._items):
                progress.report(number / count)
                yield item

        def __getattr__(self, name: str) -> Any:
            return getattr(self._bar, name)

    def hook(factory: Any, args: tuple[Any, ...], rest: dict[str, Any]) -> Any:
        bar = factory(*args, **rest)
        return Counted(bar, args[0]) if args and hasattr(args[0], "__len__") else bar

    # Where this transformers has no hook yet, the share jumps at the end.
    set_hook = getattr(logging, "set_tqdm_hook", lambda _: None)
    before = set_hook(hook)
    try:
        yield
    finally:
        set_hook(before)


@contextmanager
def _explaining(source: Source) -> Iterator[None]:
    """Whatever transformers, safetensors and damaged files raise inside becomes a `LoadError`."""
    try:
        yield
    except (LoadError, Cancelled):
        raise
    except Exception as error:
        _explain(source, error)


def _explain(source: Source, error: Exception) -> NoReturn:
    if out_of_memory(error):
        raise LoadError(
            f"{source.place} ran out of memory while it was loaded. Close other programs, choose a smaller model, or "
            "run it on a server: --engine http://..."
        ) from error
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    raise LoadError(
        f"{source.place} could not be loaded: {first_line} "
        "Check the name; if its files were copied or downloaded in part, fetch them again."
    ) from error
