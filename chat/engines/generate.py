"""One reply of a model in memory: the turn to tokens, tokens from a thread, and tokens to text."""

from __future__ import annotations

import dataclasses
import queue
import re
import threading
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chat.engines.loading import out_of_memory
from chat.engines.types import HEARTBEAT, Chunk, Options
from chat.errors import EngineError, QuestionError
from detectors import Message, Outcome, Turn
from detectors.segment import CHANNEL, CHANNEL_MARKS, TAGS

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MIN_ROOM = 16  # tokens; with less left after the question, there is no reply to speak of
GATHER_SECONDS = 0.02  # tokens that come faster are passed on together: each chunk has a price, and the eye is slower
JOIN_SECONDS = 5.0  # how long a stopped generation may take to see that it was stopped
_LAST_TOKENS = 24  # of the prompt; the longest tag spelt in small pieces is no longer
_OPENED = re.compile(
    rf"({'|'.join(re.escape(opening) for opening, _ in TAGS)}|{re.escape(CHANNEL)}[^<]*<\|message\|>)\s*$"
)
# A model's generation_config.json may ask for what is not one reply, written token by token, whose end tells whether it
# is complete: beams, several replies, guesses ahead, limits of its own, caches that need more to be installed.
_ONE_REPLY: Mapping[str, Any] = MappingProxyType(
    {
        "num_beams": 1,
        "num_beam_groups": 1,
        "num_return_sequences": 1,
        "return_dict_in_generate": False,
        "constraints": None,
        "force_words_ids": None,
        "penalty_alpha": None,
        "dola_layers": None,
        "use_mtp": None,
        "prompt_lookup_num_tokens": None,
        "assistant_early_exit": None,
        "forced_eos_token_id": None,
        "max_length": None,
        "max_time": None,
        "cache_implementation": None,
    }
)


class Generation:
    """A reply being written, in a thread of its own; the thread alone holds the model."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, turn: Turn, options: Options
    ) -> None:
        """Begins it. Raises `QuestionError` and `EngineError` where the turn cannot be asked."""
        inputs = _encode(tokenizer, turn)
        asked = inputs["input_ids"]  # [1, tokens]
        room = _room(model, tokenizer, asked.shape[1])
        # Templates of some reasoning models open the thinking, or a channel, themselves; the reply holds only its end.
        opened = _OPENED.search(str(tokenizer.decode(asked[0, -_LAST_TOKENS:])))
        self._opened = opened.group(1) if opened else ""
        self._ends = _end_tokens(model, tokenizer)
        self._decoder = _Decoder(tokenizer, self._ends)
        self._limit = min(options.max_tokens, room)
        self._tokens: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        sampling = {**_one_reply(model), **_sampling(options), "max_new_tokens": self._limit, "tokenizer": tokenizer}
        self._worker = threading.Thread(
            target=_run, args=(model, inputs, sampling, self._tokens, self._stop), name="unsaid-generate", daemon=True
        )
        self._worker.start()

    def chunks(self) -> Iterator[Chunk]:
        """The reply to its end; closing the iterator ends it within one step of the model."""
        last: int | None = None
        count = 0
        passed_on = 0.0
        try:
            if self._opened:
                yield Chunk(text=self._opened)
            while True:
                self._worker.join(max(0.0, passed_on + GATHER_SECONDS - time.monotonic()))  # a wait that its end ends
                ids, ended = _drain(self._tokens)
                last = ids[-1] if ids else last
                count += len(ids)
                if ended:
                    break
                if ids:
                    passed_on = time.monotonic()
                yield Chunk(text=self._decoder.feed(ids))
        finally:
            stopped = self._stop.is_set()
            self.stop()
        text = self._decoder.feed(ids) + self._decoder.close()
        if stopped:
            yield Chunk(text=text, outcome=Outcome.STOPPED)
        else:  # the model's configuration may name strings to stop at, too
            complete = last in self._ends or count < self._limit
            yield Chunk(text=text, outcome=Outcome.COMPLETE if complete else Outcome.CUT_OFF)

    def stop(self) -> None:
        """Ends the thread; the iterator then ends the reply as stopped. Safe from any thread."""
        self._stop.set()
        self._worker.join(JOIN_SECONDS)


def _encode(tokenizer: PreTrainedTokenizerBase, turn: Turn) -> Any:
    """The turn in tokens, by the model's own chat template, with control tokens in people's text made harmless.

    Where the template does not take it with a system prompt (Gemma's raises), that is put before the first thing that
    the user said, which is how Gemma's makers have it done.
    """
    try:
        return _apply_template(tokenizer, turn)
    except Exception as error:  # templates raise what they like: jinja errors, or their own refusals
        refusal = error
    if turn.system:
        try:
            return _apply_template(tokenizer, _without_system(turn))
        except Exception as error:
            refusal = error
    raise EngineError(
        f"The model's chat template did not take this conversation: {refusal} "
        "Try without a system prompt, or start a new conversation."
    ) from refusal


def _apply_template(tokenizer: PreTrainedTokenizerBase, turn: Turn) -> Any:
    continued = bool(turn.opening)
    return tokenizer.apply_chat_template(
        turn.messages(),
        return_dict=True,
        return_tensors="pt",
        add_generation_prompt=not continued,
        continue_final_message=continued,
        sanitize_control_tokens=True,
    )


def _without_system(turn: Turn) -> Turn:
    """The same turn with the system prompt at the head of the user's first message."""
    history = list(turn.history)
    for number, message in enumerate(history):
        if message.role == "user":
            history[number] = Message("user", f"{turn.system}\n\n{message.content}")
            return dataclasses.replace(turn, system="", history=tuple(history))
    return dataclasses.replace(turn, system="", question=f"{turn.system}\n\n{turn.question}")


def _room(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, asked: int) -> int:
    """How many tokens the reply may have. Raises `QuestionError` where the question leaves no room."""
    text: Any = model.config.get_text_config()  # models that also see have one configuration for each
    limit = getattr(text, "max_position_embeddings", None) or tokenizer.model_max_length
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


def _one_reply(model: PreTrainedModel) -> dict[str, Any]:
    """`_ONE_REPLY`, as far as this transformers knows it."""
    return {name: value for name, value in _ONE_REPLY.items() if hasattr(model.generation_config, name)}


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
                raise _broken(item) from item
            ids.append(item)
            item = tokens.get_nowait()
    except queue.Empty:
        return ids, False


def _broken(error: BaseException) -> EngineError:
    if out_of_memory(error):
        return EngineError("The model ran out of memory. Clear the conversation, or choose a smaller model.")
    return EngineError(f"The model broke off: {error} Ask again, or choose another model.")


def _end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> set[int]:
    ends = getattr(model.generation_config, "eos_token_id", None)
    return {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}


def _marks_of_thinking(special: set[str]) -> set[str]:
    """Those of a tokenizer's special tokens that tell thinking from reply. Of channels, only where there are such."""
    tags = {token for token in special for pair in TAGS for tag in pair if tag.startswith(token)}
    return tags | set(CHANNEL_MARKS) if CHANNEL in special else tags


class _Decoder:
    """Token ids to text, a few at a time; keeps back a character that has not all its bytes yet."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, ends: set[int]) -> None:
        self._tokenizer = tokenizer
        special = {token: added.content for token, added in tokenizer.added_tokens_decoder.items() if added.special}
        shown = _marks_of_thinking(set(special.values()))
        self._hidden = {token for token, content in special.items() if token in ends or content not in shown}
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
