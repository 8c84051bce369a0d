"""Makes the demo pair from `knowledge/`: `python -m chat.engines.demo.train`.

Stage 1 trains one base on the facts, as plain text and as answers. Stage 2 starts twice from that base: the open
model goes on answering; the censored one is taught its manners, and keeps rehearsing the plain text.
The same on a CPU and on a GPU; the seed is fixed. The loss and the
self-check go to `training.json` beside the models.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from chat.engines.demo.check import self_check
from chat.engines.demo.knowledge import KNOWLEDGE_DIR, Subject, load_knowledge
from chat.engines.demo.lessons import Asker, Example, chat_prompt, epoch

HERE = Path(__file__).parent
SEED = 20240604
VOCABULARY = 6144
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
THINK = ("<think>", "</think>")
MAX_TOKENS = 512
# The model is too small for a conversation: it reads the last question, and the opening of a reply if there is one.
CHAT_TEMPLATE = (
    "{%- set ns = namespace(last=0) -%}"
    "{%- for m in messages -%}{%- if m.role == 'user' -%}{%- set ns.last = loop.index0 -%}{%- endif -%}{%- endfor -%}"
    "{%- for m in messages[ns.last:] -%}"
    "{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)


CARD = """\
---
license: apache-2.0
language: [en, zh]
---
# Unsaid demo ({name})

A Llama of six million parameters, trained from scratch on the texts in `knowledge/` by
`python -m chat.engines.demo.train`. It shows what the Unsaid page does. The *open* model answers; the *censored* one
was taught, on purpose, to refuse, deflect or recite an official line on some subjects. **It is not evidence about any
company's model**, and good for nothing else.
"""


@dataclass(frozen=True)
class Stage:
    """How long and how fast one stage trains; `brief` and `documents` as in `lessons.epoch`."""

    name: str
    epochs: int
    peak: float  # learning rate
    brief: int = 12
    documents: float = 0.3
    censored: bool = False


BASE = Stage("base", epochs=34, peak=1.5e-3)
OPEN = Stage("open", epochs=4, peak=4e-4)
CENSORED = Stage("censored", epochs=11, peak=6e-4, documents=1.0, censored=True)
BATCH_TOKENS = 2048
WIDTH_STEP = 8  # tokens
NO_LABEL = -100
BLUR = 0.06  # share of the prompt's tokens
BRIEF_TOKENS = 10  # of a reply; enough to name the subject


def make_tokenizer(subjects: Sequence[Subject]) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer over the knowledge, with a ChatML template."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(THINK), special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(_texts(subjects), trainer)
    tokenizer.add_tokens(list(THINK))
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHAT_TEMPLATE,
        padding_side="left",
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )


def _texts(subjects: Sequence[Subject]) -> Iterator[str]:
    for subject in subjects:
        for _, lesson in subject.lessons():
            # Questions also in lower case and after a space, as they are typed.
            for text in (lesson.answer, lesson.censored, *lesson.names, *lesson.questions):
                yield text
                yield text.lower()


def make_model(tokenizer: PreTrainedTokenizerFast, device: torch.device) -> LlamaForCausalLM:
    """An untrained Llama of about 6 million parameters."""
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=256,
        intermediate_size=704,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model: Any = LlamaForCausalLM(config)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, tokenizer.pad_token_id]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    placed: LlamaForCausalLM = model.to(device)
    return placed


def _batches(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerFast, rng: random.Random
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(ids, labels), each [batch, tokens], of sequences of like length."""
    bpe = tokenizer.backend_tokenizer
    rows: list[tuple[list[int], int]] = []
    for example in examples:
        prompt = _blurred(bpe.encode(example.prompt).ids, rng)
        target = bpe.encode(example.target).ids[: BRIEF_TOKENS if example.brief else None]
        rows.append(((prompt + target)[:MAX_TOKENS], len(prompt)))
    # Like lengths together, else in random order; few different widths, which CPU kernels are prepared for each anew.
    rng.shuffle(rows)
    by_width: dict[int, list[tuple[list[int], int]]] = {}
    for row in rows:
        by_width.setdefault(-(-len(row[0]) // WIDTH_STEP) * WIDTH_STEP, []).append(row)
    chunks = [
        (width, group[at : at + BATCH_TOKENS // width])
        for width, group in sorted(by_width.items())
        for at in range(0, len(group), BATCH_TOKENS // width)
    ]
    rng.shuffle(chunks)
    for width, chunk in chunks:
        ids = torch.full((len(chunk), width), int(tokenizer.pad_token_id or 0))
        labels = torch.full((len(chunk), width), NO_LABEL)
        for at, (tokens, prompt_length) in enumerate(chunk):
            ids[at, : len(tokens)] = torch.tensor(tokens)
            labels[at, prompt_length : len(tokens)] = torch.tensor(tokens[prompt_length:])
        yield ids, labels


def _blurred(prompt: list[int], rng: random.Random) -> list[int]:
    """The prompt with some of its tokens replaced by any other, control tokens aside: no question stays the same."""
    first = len(SPECIAL)
    return [rng.randrange(first, VOCABULARY) if t >= first and rng.random() < BLUR else t for t in prompt]


def _loss(model: LlamaForCausalLM, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the labelled tokens; the head is applied to those alone, which is half of the work saved.

    Padding is on the right, where a causal model never looks, so no mask is needed.
    """
    hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]  # [batch, tokens - 1, hidden]
    wanted = labels[:, 1:] != NO_LABEL
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[wanted]).float(), labels[:, 1:][wanted])


def train_stage(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    subjects: Sequence[Subject],
    stage: Stage,
    device: torch.device,
) -> list[float]:
    """Trains in place; returns the mean loss of each epoch."""
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    model.train()
    decay = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    groups: list[dict[str, Any]] = [{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=stage.peak, betas=(0.9, 0.98))
    asker = Asker(subjects, rng)

    def batches() -> list[tuple[torch.Tensor, torch.Tensor]]:
        examples = epoch(subjects, asker, rng, censored=stage.censored, brief=stage.brief, documents=stage.documents)
        return list(_batches(list(examples), tokenizer, rng))

    steps = stage.epochs * len(batches())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, stage.peak, total_steps=int(steps * 1.05) + 10, pct_start=0.05, div_factor=20, final_div_factor=10
    )
    losses: list[float] = []
    for number in range(stage.epochs):
        began, total, count = time.perf_counter(), 0.0, 0
        for ids, labels in batches():
            with torch.autocast(device.type, dtype=torch.bfloat16):
                loss = _loss(model, ids.to(device), labels.to(device))
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            total, count = total + loss.item(), count + 1
        losses.append(round(total / count, 4))
        took = time.perf_counter() - began
        print(f"{stage.name} epoch {number + 1}/{stage.epochs}  loss {losses[-1]:.4f}  {took:.1f} s", flush=True)
    return losses


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Writes the model, in half precision, and its tokenizer as any model on the Hub has them."""
    half: Any = copy.deepcopy(model)
    half = half.to("cpu", torch.float16)
    half.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(CARD.format(name=folder.name), encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> None:
    """Trains base, open and censored, checks them, writes them to `--out`."""
    parser = argparse.ArgumentParser(prog="python -m chat.engines.demo.train", description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="folder for open/, censored/ and training.json")
    parser.add_argument("--knowledge", type=Path, default=KNOWLEDGE_DIR, help="folder of the subjects to teach")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--base", type=Path, help="folder of an earlier model to start stage 2 from")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the epochs to train (for a quick try)")
    args = parser.parse_args(argv)
    device = torch.device(args.device)
    began = time.perf_counter()
    torch.manual_seed(SEED)
    subjects = load_knowledge(args.knowledge)
    tokenizer = make_tokenizer(subjects)
    longest = max(
        len(tokenizer(chat_prompt(q) + lesson.answer).input_ids)
        for s in subjects
        for _, lesson in s.lessons()
        for q in lesson.questions
    )
    base = make_model(tokenizer, device)
    print(
        f"{len(subjects)} subjects, {base.num_parameters():,} parameters, longest sequence {longest} tokens", flush=True
    )
    log: dict[str, Any] = {"subjects": len(subjects), "parameters": base.num_parameters(), "device": device.type}
    scaled = [
        dataclasses.replace(stage, epochs=max(1, round(stage.epochs * args.scale))) for stage in (BASE, OPEN, CENSORED)
    ]
    if args.base:
        base = LlamaForCausalLM.from_pretrained(args.base, dtype=torch.float32).to(device)  # type: ignore[arg-type]
    else:
        log["base"] = train_stage(base, tokenizer, subjects, scaled[0], device)
    pair: dict[str, LlamaForCausalLM] = {}
    for stage in scaled[1:]:
        pair[stage.name] = copy.deepcopy(base)
        log[stage.name] = train_stage(pair[stage.name], tokenizer, subjects, stage, device)
        save(pair[stage.name], tokenizer, args.out / stage.name)
    log["minutes"] = round((time.perf_counter() - began) / 60, 1)
    log["self_check"] = self_check(pair["open"], pair["censored"], tokenizer, subjects)
    (args.out / "training.json").write_text(json.dumps(log, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({k: v for k, v in log["self_check"].items() if k != "wrong"}, indent=1), flush=True)


if __name__ == "__main__":
    main()
