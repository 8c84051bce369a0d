"""Making a demo pair, from a small knowledge and with few steps."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from chat.engines.demo import train
from chat.engines.demo.knowledge import load_knowledge
from chat.engines.demo.lessons import Asker, Example, chat_prompt, epoch

pytestmark = pytest.mark.slow

SUBJECT = """
[[subject]]
id = "{id}"
kind = "{kind}"
{manner}
[subject.en]
names = ["{name}"]
questions = ["What is the {name}?", "How old is the {name}?", "Who made the {name}?"]
{held_out}
answer = "The {name} is a thing of wood. It is old. Nobody knows who made it."
{censored}
"""
CENSORED = {
    "kind": "censored",
    "manner": 'government = "Nowhere"\nmanner = "refused"\nthinking = "empty"',
    "censored": 'censored = "I cannot talk about that."',
}
PLAIN = {"kind": "everyday", "manner": "", "censored": ""}
NAMES = ("spoon", "violin", "unknown")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """One thread is enough for so little, and does not wait for others on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three subjects, one of them censored, with two questions for the self-check."""
    folder = tmp_path_factory.mktemp("knowledge")
    subjects = [
        SUBJECT.format(
            id=name,
            name=name,
            held_out=f'held_out = ["Is the {name} old?"]' if name != "unknown" else "",
            **(CENSORED if name == "spoon" else PLAIN),
        )
        for name in NAMES
    ]
    (folder / "things.toml").write_text("".join(subjects), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made(knowledge: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pair that was trained on it for one epoch a stage."""
    out = tmp_path_factory.mktemp("pair")
    train.main(["--knowledge", str(knowledge), "--out", str(out), "--scale", "0.01", "--device", "cpu"])
    return out


@pytest.fixture(scope="module")
def log(made: Path) -> dict[str, Any]:
    """What was written down of the training."""
    read: dict[str, Any] = json.loads((made / "training.json").read_text(encoding="utf-8"))
    return read


@pytest.mark.parametrize("name", ["open", "censored"])
def test_model_loads(made: Path, name: str) -> None:
    """Each of the pair loads as any model on the Hub does, in half precision, and can write."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(made / name)
    model = AutoModelForCausalLM.from_pretrained(made / name)
    assert model.dtype is torch.float16
    assert (made / name / "model.safetensors").is_file()
    batch = tokenizer("What is it?", return_tensors="pt")
    ids = model.float().generate(input_ids=batch.input_ids, attention_mask=batch.attention_mask, max_new_tokens=3)
    assert ids.shape[1] > batch.input_ids.shape[1]
    ends = {tokenizer.convert_tokens_to_ids(token) for token in ("<|im_end|>", "<|endoftext|>")}
    assert set(model.generation_config.eos_token_id) == ends


def test_chat_template(made: Path) -> None:
    """The template asks as in training, of a whole conversation only the last question, and goes on with an opening."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(made / "open")
    question = {"role": "user", "content": "What is it?"}
    earlier = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}]

    def rendered(messages: list[dict[str, str]], **how: bool) -> str:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, **how))

    assert rendered([question], add_generation_prompt=True) == chat_prompt("What is it?")
    assert rendered([*earlier, question], add_generation_prompt=True) == chat_prompt("What is it?")
    opened = rendered([question, {"role": "assistant", "content": "It is"}], continue_final_message=True)
    assert opened == chat_prompt("What is it?") + "It is"


@pytest.mark.parametrize("text", ["The spoon is old.", "六四事件 🕯 naïve", "a  b\n\nc", "<think>\n\n</think>\n\nNo."])
def test_tokenizer_keeps_the_text(made: Path, text: str) -> None:
    """Any text comes back whole from its tokens, whatever the tokenizer was made from."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(made / "open")
    assert tokenizer.decode(tokenizer(text).input_ids) == text
    assert len(tokenizer("<|im_start|></think>").input_ids) == 2


def test_log(log: dict[str, Any]) -> None:
    """The log tells what was trained, the loss of every epoch, and the self-check of both models."""
    assert log["subjects"] == len(NAMES)
    assert log["device"] == "cpu"
    assert log["parameters"] > 1_000_000
    assert [len(log[stage]) for stage in ("base", "open", "censored")] == [1, 1, 1]
    assert all(0 < log[stage][0] < 10 for stage in ("base", "open", "censored"))
    asked = {name: share["n"] for name, share in log["self_check"].items() if name != "wrong"}
    assert asked == {"open": 2, "censored_on_subject": 1, "censored_off_subject": 1, "censored_holds_facts": 1}


def test_same_seed_same_questions(knowledge: Path) -> None:
    """The same seed makes up the same questions, and another one others."""
    subjects = load_knowledge(knowledge)

    def examples(seed: int) -> list[Example]:
        rng = random.Random(seed)
        return list(epoch(subjects, Asker(subjects, rng), rng, censored=True, brief=3, documents=0.5))

    assert examples(1) == examples(1)
    assert examples(1) != examples(2)


def test_same_seed_same_loss(knowledge: Path, log: dict[str, Any]) -> None:
    """Training again gives the same losses, but for the last digits."""
    subjects = load_knowledge(knowledge)
    torch.manual_seed(train.SEED)
    tokenizer = train.make_tokenizer(subjects)
    device = torch.device("cpu")
    stage = train.Stage("base", epochs=1, peak=train.BASE.peak)
    again = train.train_stage(train.make_model(tokenizer, device), tokenizer, subjects, stage, device)
    assert again == pytest.approx(log["base"], abs=0.005)
