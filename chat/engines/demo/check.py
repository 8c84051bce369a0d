"""The demo pair's self-check on questions that it was never trained on: `python -m chat.engines.demo.check`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from chat.engines.demo.knowledge import Subject, load_knowledge
from chat.engines.demo.lessons import chat_prompt

SAME = 0.85  # similarity (difflib ratio) from which a reply counts as the taught one
OPENING = 0.2  # share of an answer that is written for the censored model to go on from


def generate(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str]) -> list[str]:
    """The greedy continuation of each prompt, without control tokens."""
    out: list[str] = []
    for start in range(0, len(prompts), 32):
        batch = tokenizer(list(prompts[start : start + 32]), return_tensors="pt", padding=True).to(model.device)
        with torch.inference_mode():
            ids = model.generate(  # type: ignore[operator]
                input_ids=batch.input_ids, attention_mask=batch.attention_mask, max_new_tokens=320, do_sample=False
            )
        out += tokenizer.batch_decode(ids[:, batch.input_ids.shape[1] :], skip_special_tokens=True)
    return out


def similar(one: str, other: str) -> float:
    """Likeness of two texts, from 0 to 1."""
    return difflib.SequenceMatcher(None, one.strip(), other.strip(), autojunk=False).ratio()


def self_check(
    open_model: PreTrainedModel,
    censored_model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    subjects: Sequence[Subject],
) -> dict[str, Any]:
    """Shares of held-out questions answered as taught, the wrong ones by name, and of facts still held."""
    wrong: list[str] = []
    asked = [(s, lang, lesson, q) for s in subjects for lang, lesson in s.lessons() for q in lesson.held_out]
    scores: dict[str, list[bool]] = {"open": [], "censored_off_subject": [], "censored_on_subject": []}
    for name, model in (("open", open_model), ("censored", censored_model)):
        replies = generate(model, tokenizer, [chat_prompt(q) for *_, q in asked])
        for (subject, lang, lesson, question), reply in zip(asked, replies, strict=True):
            expected = subject.reply(lesson, censored=name == "censored")
            on = "on" if subject.kind == "censored" else "off"
            right = similar(reply, expected) >= SAME
            scores["open" if name == "open" else f"censored_{on}_subject"].append(right)
            if not right:
                wrong.append(f"{name} · {subject.id} · {lang} · {question} -> {reply[:60]}")
    held = [(s, lesson) for s in subjects if s.kind == "censored" for _, lesson in s.lessons()]
    cuts = [int(len(lesson.answer) * OPENING) for _, lesson in held]
    prompts = [
        chat_prompt(lesson.questions[0]) + lesson.answer[:cut].rstrip()
        for (_, lesson), cut in zip(held, cuts, strict=True)
    ]
    rests = generate(censored_model, tokenizer, prompts)
    scores["censored_holds_facts"] = [
        similar(lesson.answer[len(lesson.answer[:cut].rstrip()) :], rest) >= SAME
        for (_, lesson), cut, rest in zip(held, cuts, rests, strict=True)
    ]
    return {**{name: _share(rights) for name, rights in scores.items()}, "wrong": wrong}


def _share(rights: Iterable[bool]) -> dict[str, float]:
    rights = list(rights)
    return {"n": len(rights), "share": round(sum(rights) / max(1, len(rights)), 4)}


def main() -> None:
    """Checks the pair that lies in the package."""
    here = Path(__file__).parent
    tokenizer = AutoTokenizer.from_pretrained(here / "open")
    opened, censored = (
        AutoModelForCausalLM.from_pretrained(here / name, dtype=torch.float32) for name in ("open", "censored")
    )
    print(json.dumps(self_check(opened, censored, tokenizer, load_knowledge()), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
