"""Any chat model that transformers can load, from a folder or the Hub, on this machine."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chat.engines.line import Line
from chat.engines.types import HEARTBEAT, Chunk, Options
from chat.errors import EngineError, LoadError, QuestionError
from detectors import Outcome, Turn
from detectors.segment import TAGS

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    _Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]

MIN_ROOM = 16  # tokens; with less left after the question, there is no reply to speak of
JOIN_SECONDS = 5.0  # how long a stopped generation may take to see that it was stopped
_ONE_AT_A_TIME = threading.Lock()  # transformers can neither be imported nor load models in two threads at once
_OPENED_THINKING = re.compile(rf"({'|'.join(re.escape(opening) for opening, _ in TAGS)})\s*$")


class LocalEngine:
    """A transformers model. Loaded at the first question, or by `load`; safe to use from several threads.

    `parallel` is how many replies it writes at a time; who comes later waits in line. `device` is where it runs, as
    torch names it; the best there is unless given. Where the GPU is `borrowed`, there only now and then, the model is
    loaded into memory, and goes there by `attach`.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        name: str = "",
        revision: str | None = None,
        parallel: int = 1,
        device: str | None = None,
        borrowed: bool = False,
    ) -> None:
        self.name = name or str(source)
        self._source = str(source)
        self._revision = revision
        self._device = device
        self._borrowed = borrowed
        self._line = Line(parallel)
        self._lock = threading.Lock()
        self._loading: Future[_Loaded] | None = None

    def load(self) -> _Loaded:
        """The model, in evaluation mode on the best device here, and its tokenizer. Raises `LoadError`."""
        return self.preload().result()

    def preload(self) -> Future[_Loaded]:
        """The loading under way or done, begun by whoever asks first; does not wait. One that failed is tried again."""
        with self._lock:
            if self._loading is None or (self._loading.done() and self._loading.exception()):
                self._loading = Future()
                task = (self._loading, self._source, self._revision, self._device, self._borrowed)
                threading.Thread(target=_fulfil, args=task, name="unsaid-load", daemon=True).start()
            return self._loading

    def attach(self) -> None:
        """Moves the model to the GPU that is there now, if there is one. Raises `LoadError`."""
        model: Any = self.load()[0]
        model.to(_best_device())

    def after_fork(self) -> None:
        """To be called in a process just forked, where the thread that was loading the model is not."""
        self._lock = threading.Lock()
        if self._loading is not None and not self._loading.done():
            self._loading = None

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The reply, as it is generated in a thread of its own that ends with this iterator."""
        ticket = self._line.join()
        try:
            for ahead in self._line.wait(ticket, every=HEARTBEAT):
                yield Chunk(waiting=ahead)
            yield Chunk()
            yield from self._generate(turn, options)
        finally:
            self._line.leave(ticket)

    def _generate(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        loading = self.preload()
        while not wait([loading], HEARTBEAT).done:
            yield Chunk()
        model, tokenizer = loading.result()
        inputs = _encode(tokenizer, turn)
        asked = inputs["input_ids"]  # [1, tokens]
        room = _room(model, tokenizer, asked.shape[1])
        # Templates of some reasoning models open the thinking themselves; the reply then holds only its end.
        if opened := _OPENED_THINKING.search(str(tokenizer.decode(asked[0, -8:]))):
            yield Chunk(text=opened.group(1))
        decoder = _Decoder(tokenizer)
        tokens: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        stop = threading.Event()
        sampling = {**_sampling(options), "max_new_tokens": min(options.max_tokens, room)}
        worker = threading.Thread(
            target=_run, args=(model, inputs, sampling, tokens, stop), name="unsaid-generate", daemon=True
        )
        worker.start()
        last: int | None = None
        try:
            while True:
                ids, ended = _drain(tokens)
                last = ids[-1] if ids else last
                yield Chunk(text=decoder.feed(ids))
                if ended:
                    break
        finally:
            stop.set()
            worker.join(JOIN_SECONDS)
        finished = last in _end_tokens(model, tokenizer)
        yield Chunk(text=decoder.close(), outcome=Outcome.COMPLETE if finished else Outcome.CUT_OFF)


def after_fork() -> None:
    """To be called in a process just forked, where whoever held the lock may never let go of it."""
    global _ONE_AT_A_TIME  # noqa: PLW0603
    _ONE_AT_A_TIME = threading.Lock()


def _fulfil(loading: Future[_Loaded], source: str, revision: str | None, device: str | None, borrowed: bool) -> None:
    try:
        with _ONE_AT_A_TIME:
            loaded = _from_pretrained(source, revision, device, borrowed=borrowed)
        loading.set_result(loaded)
    except BaseException as error:  # for whoever waits
        loading.set_exception(error)


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def _from_pretrained(source: str, revision: str | None, device: str | None, *, borrowed: bool) -> _Loaded:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # of loading from disk; downloads have a bar of their own

    device = device or ("cpu" if borrowed else _best_device())
    dtype: torch.dtype | str = torch.float32 if device == "cpu" and not borrowed else "auto"
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, revision=revision)
        if not tokenizer.chat_template:
            raise LoadError(
                f"{source} has no chat template, so it is not a chat model. "
                "Choose its chat version (often named -Instruct or -Chat), or add chat_template.jinja to the folder."
            )
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source, revision=revision, dtype=dtype, output_loading_info=True
        )
        model, report = loaded
        if missing := report["missing_keys"]:  # transformers fills them with random numbers
            raise LoadError(
                f"{source} lacks {len(missing)} of the model's weights, such as {min(missing)}. "
                "Choose a chat model; if its files were copied or downloaded in part, fetch them again."
            )
        model = model.to(device).eval()
    except LoadError:
        raise
    except Exception as error:  # transformers, safetensors and the Hub raise errors of many kinds for damaged files
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LoadError(
            f"{source} could not be loaded: {first_line} "
            "Check the name; if its files were copied or downloaded in part, fetch them again."
        ) from error
    return model, tokenizer


def _encode(tokenizer: PreTrainedTokenizerBase, turn: Turn) -> Any:
    """The turn in tokens, by the model's own chat template, with control tokens in people's text made harmless."""
    continued = bool(turn.opening)
    try:
        return tokenizer.apply_chat_template(
            turn.messages(),
            return_dict=True,
            return_tensors="pt",
            add_generation_prompt=not continued,
            continue_final_message=continued,
            sanitize_control_tokens=True,
        )
    except Exception as error:  # templates raise what they like: jinja errors, or their own refusals
        raise EngineError(
            f"The model's chat template did not take this conversation: {error} "
            "Try without a system prompt, or start a new conversation."
        ) from error


def _room(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, asked: int) -> int:
    """How many tokens the reply may have. Raises `QuestionError` where the question leaves no room."""
    limit = getattr(model.config, "max_position_embeddings", None) or tokenizer.model_max_length
    room = int(limit) - asked
    if room < MIN_ROOM:
        raise QuestionError(
            f"The question and conversation are {asked:,} tokens; this model reads at most {int(limit):,}. "
            "Shorten the question, or clear the conversation."
        )
    return room


def _run(
    model: Any,
    inputs: Any,
    sampling: dict[str, Any],
    tokens: queue.SimpleQueue[int | BaseException | None],
    stop: threading.Event,
) -> None:
    """Generates; puts each token, then None, or the exception that ended it."""
    import torch
    from transformers import StoppingCriteriaList
    from transformers.generation.streamers import BaseStreamer

    class Streamer(BaseStreamer):  # type: ignore[no-untyped-call, misc, unused-ignore]
        prompted = False

        def put(self, value: torch.Tensor) -> None:
            if self.prompted:
                for token in value.flatten().tolist():
                    tokens.put(token)
            self.prompted = True  # the first call brings the prompt

        def end(self) -> None:
            pass

    def stopped(input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), stop.is_set(), device=input_ids.device)

    try:
        if (seed := sampling.pop("seed")) is not None:
            torch.manual_seed(seed)
        with torch.inference_mode():
            model.generate(
                **inputs.to(model.device),
                **sampling,
                streamer=Streamer(),
                stopping_criteria=StoppingCriteriaList([stopped]),
            )
        tokens.put(None)
    except BaseException as error:  # handed to the reader of the stream, in whose thread it belongs
        tokens.put(error)


def _sampling(options: Options) -> dict[str, Any]:
    if options.temperature > 0:
        drawn: dict[str, Any] = {
            "do_sample": True,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "top_k": 0,
        }
    else:
        drawn = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {**drawn, "seed": options.seed}


def _drain(tokens: queue.SimpleQueue[int | BaseException | None]) -> tuple[list[int], bool]:
    """The tokens that are there, after at most a heartbeat, and whether they were the last."""
    ids: list[int] = []
    try:
        item = tokens.get(timeout=HEARTBEAT)
        while True:
            if item is None:
                return ids, True
            if isinstance(item, BaseException):
                raise EngineError(f"The model broke off: {item} Ask again, or choose another model.") from item
            ids.append(item)
            item = tokens.get_nowait()
    except queue.Empty:
        return ids, False


def _end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> set[int]:
    ends = getattr(model.generation_config, "eos_token_id", None)
    return {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}


class _Decoder:
    """Token ids to text, a few at a time; keeps back a character that has not all its bytes yet."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        tags = {tag for pair in TAGS for tag in pair}
        self._hidden = {
            token
            for token, added in tokenizer.added_tokens_decoder.items()
            if added.special and added.content not in tags
        }
        # Decoded from a little before the new tokens on, as a token's text may depend on the one before it.
        self._context: list[int] = []
        self._new: list[int] = []

    def feed(self, ids: list[int]) -> str:
        self._new += [token for token in ids if token not in self._hidden]
        text = self._text()
        return "" if text.endswith("\ufffd") else self._take(text)

    def close(self) -> str:
        return self._take(self._text())

    def _text(self) -> str:
        if not self._new:
            return ""
        before = self._decode(self._context)
        return self._decode(self._context + self._new)[len(before) :]

    def _take(self, text: str) -> str:
        if self._new:
            self._context, self._new = self._new, []
        return text

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))
