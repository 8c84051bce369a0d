"""The page's words, from `configs/page.toml`."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from detectors import Flag, Label, Outcome
from detectors.config import read


@dataclass(frozen=True, kw_only=True)
class FlagText:
    """A flag in a layman's words."""

    title: str
    about: str


@dataclass(frozen=True, kw_only=True)
class ExampleQuestion:
    """A question to click."""

    question: str


@dataclass(frozen=True, kw_only=True)
class FlagTexts:
    """Every flag's words."""

    looks_censored: FlagText
    refused_for_safety: FlagText
    could_not_answer: FlagText
    did_not_answer: FlagText
    no_sign: FlagText
    too_early: FlagText

    def of(self, flag: Flag) -> FlagText:
        """The words of this flag."""
        text: FlagText = getattr(self, flag.value)
        return text


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Everything that the page says of its own accord."""

    title: str
    tagline: str
    placeholder: str
    waiting: str
    no_verdict: str
    ask: str
    caveat: str
    example: tuple[ExampleQuestion, ...]
    flag: FlagTexts
    label: dict[Label, str]
    outcome: dict[Outcome, str]


@functools.cache
def load_texts() -> Texts:
    """The texts, read once. Raises `ConfigError`."""
    return read("page", Texts)
