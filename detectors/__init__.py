"""Unsaid's side detector: says, while a reply is being written, whether it ducks the question.

from detectors import watch_text
verdict = watch_text("What happened in 1989?", "Let's talk about something else.")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from detectors.characters import whole
from detectors.cues import Cues
from detectors.errors import ConfigError, DetectorError
from detectors.monitor import Monitor
from detectors.steer import Steer
from detectors.structure import Structure
from detectors.topics import READER, TopicIndex, load_topics
from detectors.types import (
    Detector,
    Estimate,
    Evidence,
    Failure,
    Finding,
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
    "Estimate",
    "Evidence",
    "Failure",
    "Finding",
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
    """The detectors that everything uses unless told otherwise. Made once, at the first call, which imports torch."""
    from detectors.classifier import Classifier

    return (Cues(), Steer(), Structure(), Classifier())


@cache
def default_topics() -> TopicIndex:
    """The topics of `configs/topics.toml`, found by name and by meaning. Read once. Raises `ConfigError`."""
    from detectors.meaning import TopicReader

    return load_topics(reader=TopicReader.load(READER))


def monitor(
    turn: Turn, *, lang: str = "en", thinking_opened: bool = False, detectors: Sequence[Detector] | None = None
) -> Monitor:
    """A monitor with the default topics, and the default detectors unless others are given.

    `lang` is the language of the topic's name.
    """
    turn = replace(turn, question=whole(turn.question))
    topic = default_topics().find(turn.question, lang)
    chosen = default_detectors() if detectors is None else detectors
    return Monitor(turn, chosen, topic=topic, thinking_opened=thinking_opened)


def watch_text(question: str, reply: str) -> Verdict:
    """The final verdict on a whole reply."""
    watching = monitor(Turn(question))
    watching.feed(reply)
    return watching.close()
