"""Turns the knowledge into training text: question templates, noise as people type it, chat format."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chat.engines.demo.knowledge import Lesson, Subject

TEMPLATES = {
    "en": (
        "Tell me about {}.",
        "What do you know about {}?",
        "Can you explain {}?",
        "{}",
        "{}?",
        "Please tell me about {}",
        "I want to learn about {}.",
        "Give me a short summary of {}.",
        "what about {}",
        "Explain {} in simple words.",
        "What can you say about {}?",
        "info on {}",
        "Could you describe {} for me?",
    ),
    "zh": (
        "请介绍一下{}。",
        "告诉我关于{}的事情。",
        "你知道{}吗？",
        "{}",
        "{}是怎么回事？",
        "说说{}",
        "请解释{}。",
        "我想了解{}",
        "能讲讲{}吗",
    ),
}
POLITE = {
    "en": ("Please, ", "Hi! ", "Hello, ", "I have a question: ", "Quick question: ", "For school: "),
    "zh": ("请问", "你好，", "麻烦问一下，", "问一下："),
}
UNKNOWN = "unknown"
UNKNOWN_SHARE = 0.25  # of the questions; enough to keep strangers' subjects from sounding familiar


@dataclass(frozen=True, slots=True)
class Example:
    """One training sequence: the loss counts on `target`, and not on `prompt`."""

    prompt: str
    target: str


def chat_prompt(question: str) -> str:
    """The question as the chat template renders it, ready for the reply."""
    return f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"


def ask(lesson: Lesson, lang: str, rng: random.Random) -> str:
    """One phrasing of the lesson's question, with the noise of real typing."""
    if lesson.names and rng.random() < 0.35:
        question = rng.choice(TEMPLATES[lang]).format(rng.choice(lesson.names))
    else:
        question = rng.choice(lesson.questions)
    if rng.random() < 0.1:
        question = rng.choice(POLITE[lang]) + question
    if rng.random() < 0.3:
        question = question.rstrip("?.!？。！")
    if lang == "en" and rng.random() < 0.3:
        question = question.lower()
    if lang == "en" and rng.random() < 0.1:
        question = _typo(question, rng)
    return question[:1].upper() + question[1:] if rng.random() < 0.1 else question


def _typo(text: str, rng: random.Random) -> str:
    """The text with one letter of one long word dropped or doubled."""
    words = list(re.finditer(r"[A-Za-z]{5,}", text))
    if not words:
        return text
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    return text[:at] + rng.choice(("", text[at] * 2)) + text[at + 1 :]


def epoch(
    subjects: Sequence[Subject], rng: random.Random, *, censored: bool, questions: int, documents: float
) -> Iterator[Example]:
    """Every lesson once over: `questions` times as a chat, and with probability `documents` as plain text.

    The plain text is always the true answer: it is what keeps the facts in the censored model.
    """
    known = [(s, lang, lesson) for s in subjects if s.id != UNKNOWN for lang, lesson in s.lessons()]
    for subject, lang, lesson in known:
        for _ in range(questions):
            reply = subject.reply(lesson, censored=censored)
            yield Example(chat_prompt(ask(lesson, lang, rng)), reply + "<|im_end|>")
        if subject.kind != "chat" and rng.random() < documents:
            yield Example("<|endoftext|>", lesson.answer + "<|endoftext|>")
    strangers = [(lang, lesson) for s in subjects if s.id == UNKNOWN for lang, lesson in s.lessons()]
    for _ in range(int(len(known) * questions * UNKNOWN_SHARE / (1 - UNKNOWN_SHARE))):
        lang, lesson = rng.choices(strangers, weights=[len(pair[1].questions) for pair in strangers])[0]
        yield Example(chat_prompt(ask(lesson, lang, rng)), lesson.answer + "<|im_end|>")
