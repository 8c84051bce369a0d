"""Unsaid's side detector: says, while a reply is being written, whether it ducks the question.

from detectors import watch_text
verdict = watch_text("What happened in 1989?", "Let's talk about something else.")
"""

from __future__ import annotations

from functools import cache

from detectors.cues import Cues
from detectors.errors import ConfigError, DetectorError
from detectors.monitor import Monitor
from detectors.steer import Steer
from detectors.structure import Structure
from detectors.topics import TopicIndex, load_topics
from detectors.types import (
    Detector,
    Evidence,
    Failure,
    Flag,
    Label,
    Message,
    Outcome,
    ReasonKind,
    Seen,
    Sentence,
    Span,
    Topic,
    Turn,
    Verdict,
)

__all__ = [
    "ConfigError",
    "Cues",
    "Detector",
    "DetectorError",
    "Evidence",
    "Failure",
    "Flag",
    "Label",
    "Message",
    "Monitor",
    "Outcome",
    "ReasonKind",
    "Seen",
    "Sentence",
    "Span",
    "Steer",
    "Structure",
    "Topic",
    "TopicIndex",
    "Turn",
    "Verdict",
    "default_detectors",
    "load_topics",
    "monitor",
    "watch_text",
]


@cache
def default_detectors() -> tuple[Detector, ...]:
    """The detectors that everything uses unless told otherwise. Made once, at the first call."""
    return (Cues(), Steer(), Structure())


@cache
def default_topics() -> TopicIndex:
    """The topics of `configs/topics.toml`, read once. Raises `ConfigError`."""
    return load_topics()


def monitor(turn: Turn, *, lang: str = "en", thinking_opened: bool = False) -> Monitor:
    """A monitor with the default detectors and topics. `lang` is the language of the topic's name."""
    topic = default_topics().find(turn.question, lang)
    return Monitor(turn, default_detectors(), topic=topic, thinking_opened=thinking_opened)


def watch_text(question: str, reply: str) -> Verdict:
    """The final verdict on a whole reply."""
    watching = monitor(Turn(question))
    watching.feed(reply)
    return watching.close()
