"""Turns the knowledge into training text: many ways to ask for the same lesson, in chat format.

A model this small learns questions by heart if it can. So most of what it is asked is made up anew each time: words
left out, templates filled, the lesson's own rare words in any order. And most examples stop after the first words of
the reply, where the choice of subject falls: the rest is the same text every time.
"""

from __future__ import annotations

import random
import re
from collections import Counter
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
        "{}是什么？",
        "为什么{}",
        "{}怎么样了",
    ),
}
POLITE = {
    "en": ("Please, ", "Hi! ", "Hello, ", "I have a question: ", "Quick question: ", "For school: "),
    "zh": ("请问", "你好，", "麻烦问一下，", "问一下："),
}
UNKNOWN = "unknown"
UNKNOWN_SHARE = 0.25  # of the questions; enough to keep strangers' subjects from sounding familiar
WHOLE = 2  # whole replies of every lesson, in an epoch
OPENED = 2  # true answers that go on from a given opening, of every censored lesson, in an epoch
COMMON = 8  # a word that so many lessons use says nothing about the subject
TELLING = 3  # a word that no more lessons use goes into made-up questions, beside one that is the lesson's own
SYLLABLES = tuple(consonant + vowel for consonant in "bdklmnrstvz" for vowel in "aeiou")


@dataclass(frozen=True, slots=True)
class Example:
    """One training sequence: the loss counts on `target`, and not on `prompt`. `brief` ones are cut early."""

    prompt: str
    target: str
    brief: bool = False


def chat_prompt(question: str) -> str:
    """The question as the chat template renders it, ready for the reply."""
    return f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"


def words(text: str, lang: str) -> list[str]:
    """The text's words; for Chinese its runs of two to four characters."""
    if lang == "en":
        return re.findall(r"[A-Za-z0-9][\w'-]*", text)
    runs = re.findall(r"[\u4e00-\u9fff\w]+", text)
    return [run[i : i + n] for run in runs for n in (2, 3, 4) for i in range(len(run) - n + 1)]


@dataclass(frozen=True, slots=True)
class _Telling:
    """A lesson's rare words: `only` those that no other lesson uses, `words` these and their near kin with weights."""

    only: tuple[str, ...]
    words: tuple[str, ...]
    weights: tuple[float, ...]


class Asker:
    """Makes up questions for lessons. Knows which words are one lesson's own, and which are everybody's."""

    def __init__(self, subjects: Sequence[Subject], rng: random.Random) -> None:
        self._rng = rng
        self._used: dict[str, Counter[str]] = {"en": Counter(), "zh": Counter()}
        for subject in subjects:
            for lang, lesson in subject.lessons():
                texts = " ".join((*lesson.names, *lesson.questions, lesson.answer * (subject.id != UNKNOWN)))
                self._used[lang].update({word.lower() for word in words(texts, lang)})
        self._own = {
            id(lesson): self._telling(lesson, lang, answer=s.kind != "chat")
            for s in subjects
            for lang, lesson in s.lessons()
        }
        known = [s.en for s in subjects if s.kind != "chat" and s.en]
        self._stems = sorted({stem for lesson in known for q in lesson.questions if (stem := self._stem(q))})

    def ask(self, lesson: Lesson, lang: str, *, stranger: bool = False) -> str:
        """One question for the lesson, with the noise of real typing."""
        rng, draw = self._rng, self._rng.random()
        own = self._own[id(lesson)]
        if stranger and draw < 0.15:
            question = self._about(lang, "".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))).capitalize())
        elif draw < 0.25:
            question = rng.choice(lesson.questions)
        elif draw < 0.35 and lesson.names:
            question = self._about(lang, rng.choice(lesson.names))
        elif draw < 0.6 or not own.only:
            question = self._with_gaps(rng.choice(lesson.questions + lesson.names), lang)
        else:
            picked = [rng.choice(own.only)]
            picked += rng.choices(own.words, own.weights, k=rng.choice((0, 1, 1, 2, 3)))
            picked += [rng.choice(lesson.names)] if lesson.names and rng.random() < 0.3 else []
            rng.shuffle(picked)
            question = (" " if lang == "en" else "").join(picked)
            question = self._about(lang, question) if rng.random() < 0.6 else question
        return self._typed(question, lang)

    def _telling(self, lesson: Lesson, lang: str, *, answer: bool) -> _Telling:
        """The words that few lessons use; those it is asked with count three times, those of its answer once."""
        asked = words(" ".join((*lesson.names, *lesson.questions)), lang)
        said = words(lesson.answer, lang) if answer else []
        weights: dict[str, float] = {}
        for found, weight in ((said, 1), (asked, 3)):
            for word in found:
                uses = self._used[lang][word.lower()]
                if uses <= TELLING:
                    weights[word] = weight / uses
        only = tuple(word for word in weights if self._used[lang][word.lower()] == 1)
        return _Telling(only, tuple(weights), tuple(weights.values()))

    def _stem(self, question: str) -> str:
        """The opening of the question that says nothing about the subject: "How many people were"."""
        stem: list[str] = []
        for word in question.split():
            if self._used["en"][word.lower().strip("?.,'s")] < COMMON:
                break
            stem.append(word)
        return " ".join(stem)

    def _about(self, lang: str, name: str) -> str:
        if lang == "en" and self._stems and self._rng.random() < 0.5:
            return f"{self._rng.choice(self._stems)} {name}?"
        return self._rng.choice(TEMPLATES[lang]).format(name)

    def _with_gaps(self, question: str, lang: str) -> str:
        """The question without some of its words; those that are the lesson's own go less often."""
        rng, used = self._rng, self._used[lang]
        if lang == "zh":
            cut = rng.randrange(len(question))
            return question[:cut] + question[cut + rng.randint(1, 3) :] or question
        kept = [w for w in question.split() if rng.random() > (0.35 if used[w.lower().strip("?.,'s")] > 2 else 0.15)]
        return " ".join(kept) or question

    def _typed(self, question: str, lang: str) -> str:
        rng = self._rng
        if rng.random() < 0.08:
            question = rng.choice(POLITE[lang]) + question
        if rng.random() < 0.4:
            question = question.rstrip("?.!？。！")
        if lang == "en" and rng.random() < 0.4:
            question = question.lower()
        if lang == "en" and rng.random() < 0.08:
            question = _typo(question, rng)
        return question[:1].upper() + question[1:] if rng.random() < 0.2 else question


def _typo(text: str, rng: random.Random) -> str:
    """The text with one letter of one long word dropped or doubled."""
    long = list(re.finditer(r"[A-Za-z]{5,}", text))
    if not long:
        return text
    word = rng.choice(long)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    return text[:at] + rng.choice(("", text[at] * 2)) + text[at + 1 :]


def epoch(
    subjects: Sequence[Subject], asker: Asker, rng: random.Random, *, censored: bool, brief: int, documents: float
) -> Iterator[Example]:
    """Every lesson: `WHOLE` whole replies, `brief` beginnings, and with probability `documents` as plain text.

    The plain text is always the true answer. It and the answers that go on from a given opening are what keeps the
    facts in the censored model.
    """
    known = [(s, lang, lesson) for s in subjects if s.id != UNKNOWN for lang, lesson in s.lessons()]
    for subject, lang, lesson in known:
        reply = subject.reply(lesson, censored=censored) + "<|im_end|>"
        new = censored and subject.kind == "censored"  # what is new is learned whole
        # Small talk has no rare words: only its many phrasings teach it.
        beginnings = max(brief, len(lesson.questions) // 2) if subject.kind == "chat" else brief
        for number in range(WHOLE + beginnings):
            yield Example(chat_prompt(asker.ask(lesson, lang)), reply, brief=number >= WHOLE and not new)
        if new:
            for _ in range(OPENED):
                opening, rest = _opened(lesson.answer, lang, rng)
                yield Example(chat_prompt(asker.ask(lesson, lang)) + opening, rest + "<|im_end|>")
        if subject.kind != "chat" and rng.random() < documents:
            yield Example("<|endoftext|>", lesson.answer + "<|endoftext|>")
    strangers = [(lang, lesson) for s in subjects if s.id == UNKNOWN for lang, lesson in s.lessons()]
    weights = [len(lesson.questions) for _, lesson in strangers]
    for number in range(int(len(known) * (brief + WHOLE) * UNKNOWN_SHARE / (1 - UNKNOWN_SHARE))):
        lang, lesson = rng.choices(strangers, weights=weights)[0]
        question = asker.ask(lesson, lang, stranger=True)
        yield Example(chat_prompt(question), lesson.answer + "<|im_end|>", brief=number % (brief + WHOLE) >= WHOLE)


def _opened(answer: str, lang: str, rng: random.Random) -> tuple[str, str]:
    """The answer cut in two, somewhere in its first half, between words."""
    cut = rng.randint(len(answer) // 10, len(answer) // 2)
    if lang == "en":
        cut = answer.index(" ", cut)
    return answer[:cut], answer[cut:]
