"""Every usual architecture, small and with random weights, through the local engine: from disk to text, and stopped.

Each has a chat template that behaves like those of its family.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import (
    CHATML,
    CHATML_OPENING_THINKING,
    GREEDY,
    LINES,
    ask,
    make_tokenizer,
    outcome_of,
    read_until,
    text_of,
)

from chat.engines.local import LocalEngine
from chat.engines.types import Options
from chat.errors import EngineError
from detectors import Message, Outcome

# As Qwen3's: thinks by default; where it is told not to, the thinking is there already, and empty.
SWITCHABLE = CHATML + (
    "{% if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}"
)
# As Gemma's: knows no system prompt, calls the assistant a model, and insists on turns that alternate.
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}"
    "{{ '<|im_start|>' + ('model' if m.role == 'assistant' else m.role) + '\n' + m.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>model\n' }}{% endif %}"
)
# As Mistral's: brackets around what the user says, the system prompt within the last of them.
BRACKETS = (
    "{% for m in messages %}{% if m.role == 'user' %}"
    "{{ '[INST] ' }}{% if loop.last and messages[0].role == 'system' %}{{ messages[0].content + '\n\n' }}{% endif %}"
    "{{ m.content + ' [/INST]' }}{% elif m.role == 'assistant' %}{{ m.content + '<|im_end|>' }}{% endif %}{% endfor %}"
)
# As Phi's and Llama's: a tag for each role.
TAGS = (
    "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
    "bos_token_id": None,
}


@dataclass(frozen=True)
class Kind:
    """An architecture: the name of its configuration in transformers, a template like its own, and further settings."""

    config: str
    template: str
    settings: dict[str, Any] = field(default_factory=dict)


SEEING = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
}
KINDS = {
    "qwen2": Kind("Qwen2Config", CHATML),
    "qwen3": Kind("Qwen3Config", SWITCHABLE, {"head_dim": 8}),
    "llama": Kind("LlamaConfig", TAGS),
    "gemma3": Kind("Gemma3TextConfig", NO_SYSTEM, {"head_dim": 8, "sliding_window": 16, "query_pre_attn_scalar": 8}),
    "mistral": Kind("MistralConfig", BRACKETS, {"sliding_window": 32}),
    "mistral3": Kind(
        "Mistral3Config", BRACKETS, {"text_config": "mistral", "vision_config": {**SEEING, "patch_size": 14}}
    ),
    "phi3": Kind("Phi3Config", TAGS),
    "deepseek_v3": Kind(
        "DeepseekV3Config",
        CHATML_OPENING_THINKING,
        {
            "num_key_value_heads": 4,
            "moe_intermediate_size": 16,
            "first_k_dense_replace": 1,
            "n_routed_experts": 8,
            "n_shared_experts": 1,
            "num_experts_per_tok": 2,
            "n_group": 2,
            "topk_group": 1,
            "kv_lora_rank": 16,
            "q_lora_rank": 16,
            "qk_nope_head_dim": 8,
            "qk_rope_head_dim": 8,
            "v_head_dim": 8,
        },
    ),
}


def save_kind(folder: Path, kind: Kind) -> Path:
    """Saves a model of this kind with random weights, the same every time."""
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    config_class = getattr(transformers, kind.config, None)
    if config_class is None:
        pytest.skip(f"transformers {transformers.__version__} has no {kind.config}")
    tokenizer = make_tokenizer(LINES, template=kind.template)
    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    torch.manual_seed(0)
    text = {**SMALL, "vocab_size": len(tokenizer), **ids}
    if "vision_config" in kind.settings:
        inside = {"text_config": {**text, "model_type": kind.settings["text_config"], "head_dim": 8}}
        config = config_class(**{**kind.settings, **inside}, **ids)
        AutoModelForImageTextToText.from_config(config).save_pretrained(folder)
    else:
        AutoModelForCausalLM.from_config(config_class(**{**text, **kind.settings})).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    """An engine of each architecture."""
    return LocalEngine(save_kind(tmp_path_factory.mktemp(request.param), KINDS[request.param]), name=request.param)


def prompt_reader(engine: LocalEngine) -> Callable[[], str]:
    """What the engine's model was last asked, as text."""
    model, tokenizer = engine.load()
    seen: list[list[int]] = []

    def note(_: object, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        ids = named["input_ids"] if "input_ids" in named else args[0]
        if ids.shape[1] > 1:  # later steps bring one token each
            seen.append(ids[0].tolist())

    model.register_forward_pre_hook(note, with_kwargs=True)
    return lambda: str(tokenizer.decode(seen[-1]))


@pytest.mark.parametrize("question", ["What happened there?", "茶", "Tell me about tea. " * 10])
def test_same_as_generate(engine: LocalEngine, question: str) -> None:
    """The pieces are the text that plain `generate` gives, after the thinking that the template opened."""
    model, tokenizer = engine.load()
    inputs = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    ids = model.generate(**inputs, do_sample=False, max_new_tokens=GREEDY.max_tokens)
    said = str(tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
    opened = "<think>" if engine.name == "deepseek_v3" else ""
    assert text_of(engine.stream(ask(question), GREEDY)) == opened + said
    assert said


def test_stops_within_a_forward_pass(engine: LocalEngine) -> None:
    """When the stream is closed after the first words, the model runs at most once more."""
    model, _ = engine.load()
    passes = 0

    def count(*_: object) -> None:
        nonlocal passes
        passes += 1

    hook = model.register_forward_pre_hook(count)
    for question in ("What happened there?", "Tell me about tea.", "Who was it?"):
        stream = engine.stream(ask(question), Options(max_tokens=400))
        read_until(stream, lambda chunk: chunk.text)
        before = passes
        stream.close()
        assert passes <= before + 1
    hook.remove()


def test_system_prompt_and_history_reach_the_model(engine: LocalEngine) -> None:
    """Whatever the template makes of a system prompt, the model reads it once, and the conversation in order."""
    prompt = prompt_reader(engine)
    history = (Message("user", "Hello"), Message("assistant", "Hi"))
    chunks = list(engine.stream(ask("And Rome?", history=history, system="Be brief."), Options(max_tokens=5)))
    assert outcome_of(chunks) in (Outcome.CUT_OFF, Outcome.COMPLETE)
    found = re.findall(r"Be brief\.|Hello|Hi|And Rome\?", prompt())
    assert sorted(found) == ["And Rome?", "Be brief.", "Hello", "Hi"]
    assert [word for word in found if word != "Be brief."] == ["Hello", "Hi", "And Rome?"]


def test_system_prompt_goes_before_the_first_message_where_it_is_refused(tmp_path: Path) -> None:
    """A template that refuses system prompts is given it at the head of the first thing that the user said."""
    engine = LocalEngine(save_kind(tmp_path, KINDS["gemma3"]))
    prompt = prompt_reader(engine)
    list(engine.stream(ask("And Rome?", system="Be brief."), Options(max_tokens=5)))
    assert prompt() == "<|im_start|>user\nBe brief.\n\nAnd Rome?<|im_end|>\n<|im_start|>model\n"
    history = (Message("user", "Hello"), Message("assistant", "Hi"))
    list(engine.stream(ask("And Rome?", history=history, system="Be brief."), Options(max_tokens=5)))
    assert prompt().startswith("<|im_start|>user\nBe brief.\n\nHello<|im_end|>\n<|im_start|>model\nHi<|im_end|>\n")


def test_other_refusals_are_told(tmp_path: Path) -> None:
    """A conversation that a template refuses for another reason is an error with the template's own words."""
    engine = LocalEngine(save_kind(tmp_path, KINDS["gemma3"]))
    twice = (Message("user", "Hello"),)
    for system in ("", "Be brief."):
        with pytest.raises(EngineError, match=r"Roles must alternate.*start a new conversation"):
            list(engine.stream(ask("Hello?", history=twice, system=system), GREEDY))


def test_thinks_by_default(tmp_path: Path) -> None:
    """A template with a switch for thinking is left as its makers set it."""
    engine = LocalEngine(save_kind(tmp_path, KINDS["qwen3"]))
    prompt = prompt_reader(engine)
    list(engine.stream(ask(), Options(max_tokens=5)))
    assert prompt().endswith("<|im_start|>assistant\n")
