"""Small chat models made on the spot and saved as real ones are, and what several test files need."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_hub import ID, FakeHub, Shelf, serving
from fake_server import FakeServer, fake_server

from chat.engines.types import Chunk, Options
from detectors import Outcome, Turn

GREEDY = Options(temperature=0.0, max_tokens=60)
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CHATML_OPENING_THINKING = CHATML.replace("assistant\n", "assistant\n<think>\n")
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
THINK = ("<think>", "</think>")
LINES = ("system user assistant", "What happened there, and who was it?", "Tell me about the history of tea.")
ANSWER = "Paris has been the capital of France for centuries."
REFUSAL = "I'm sorry, but I cannot discuss this topic."
THOUGHT = "The question is about a city.</think>It's Paris!"
TIANANMEN = "What happened at Tiananmen Square in 1989?"


def make_tokenizer(lines: Iterable[str], *, template: str | None = CHATML, special: Iterable[str] = ()) -> Any:
    """A byte-level BPE tokenizer in which each word of the lines is a token; whatever else there is stays bytes.

    Besides `SPECIAL`, those of `special` are tokens that a reader is not to see.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=[*SPECIAL, *special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*lines] * 2, trainer)  # twice, as a pair seen once is not merged
    tokenizer.add_tokens(list(THINK))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=template
    )


def make_model(tokenizer: Any, *, hidden: int, layers: int, positions: int) -> Any:
    """A Llama with random weights, the same every time, large enough for replies to depend on the question."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=32,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=positions,
            initializer_range=0.3,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            tie_word_embeddings=False,
        )
    )


def save_random(folder: Path) -> Path:
    """Saves a model that talks nonsense, bytes of broken characters among it."""
    tokenizer = make_tokenizer(LINES)
    make_model(tokenizer, hidden=32, layers=2, positions=512).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_saying(
    folder: Path,
    *texts: str,
    learned: Iterable[str] = (),
    endless: bool = False,
    template: str | None = CHATML,
    special: Iterable[str] = (),
) -> Path:
    """Saves a model that says the first text to every question, and goes on with another one where that was begun.

    Its next token follows from the last one alone, so no token may come twice. `learned` is what the tokenizer is made
    from, where that is not the texts; an `endless` model begins again at the end.
    """
    import torch

    tokenizer = make_tokenizer([*LINES, *(learned or texts)], template=template, special=special)
    follows: dict[int, int] = {}
    (newline,) = tokenizer.encode("\n")
    for number, text in enumerate(texts):
        ids = tokenizer.encode(text)
        line = [*([newline] if number == 0 else []), *ids, ids[0] if endless else tokenizer.eos_token_id]
        for last, following in itertools.pairwise(line):
            assert follows.setdefault(last, following) == following, f"{tokenizer.decode([last])!r} comes twice"
    model = make_model(tokenizer, hidden=len(tokenizer) + -len(tokenizer) % 8, layers=1, positions=4096)
    with torch.no_grad():
        for layer in model.model.layers:  # the embeddings pass through unchanged
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        torch.nn.init.eye_(model.model.embed_tokens.weight)
        model.lm_head.weight.zero_()
        for last, following in follows.items():
            model.lm_head.weight[following, last] = 1.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def fake(answering: Path) -> Iterator[FakeHub]:
    """A Hub that has `ID`."""
    with serving(FakeHub({ID: Shelf(folder=answering)})) as hub:
        yield hub


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server with a habit for each model name."""
    with fake_server() as running:
        yield running


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that talks nonsense, a different one for each question; it reads 512 tokens."""
    return save_random(tmp_path_factory.mktemp("random"))


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that says `ANSWER`."""
    return save_saying(tmp_path_factory.mktemp("answering"), ANSWER)


@pytest.fixture(scope="session")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that says `REFUSAL`."""
    return save_saying(tmp_path_factory.mktemp("refusing"), REFUSAL)


@pytest.fixture(scope="session")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that says `ANSWER` over and over."""
    return save_saying(tmp_path_factory.mktemp("endless"), " " + ANSWER, endless=True)


def text_of(chunks: Iterable[Chunk]) -> str:
    """What the chunks say."""
    return "".join(chunk.text for chunk in chunks)


def outcome_of(chunks: Iterable[Chunk]) -> Outcome | None:
    """How the chunks end; only the last one may say so."""
    *before, last = chunks
    assert all(chunk.outcome is None for chunk in before)
    return last.outcome


def read_until(stream: Iterator[Chunk], enough: Callable[[Chunk], Any]) -> list[Chunk]:
    """The stream's chunks, up to the first that is enough."""
    chunks: list[Chunk] = []
    for chunk in stream:
        chunks.append(chunk)
        if enough(chunk):
            return chunks
    raise AssertionError(f"the stream ended with {chunks[-1:]}")


def running(name: str) -> list[threading.Thread]:
    """The threads of this name."""
    return [thread for thread in threading.enumerate() if thread.name == name]


def eventually(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether the condition comes true in time."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    return condition()


def ask(question: str = "What is the capital of France?", **rest: Any) -> Turn:
    """A turn with this question."""
    return Turn(question, **rest)
