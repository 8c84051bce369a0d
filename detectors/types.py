"""The words of Unsaid as types: what goes into a detector and what comes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, Protocol


class Label(StrEnum):
    """What the reply does."""

    ANSWERED = "answered"
    REFUSED = "refused"
    DEFLECTED = "deflected"
    OFFICIAL_LINE = "official_line"
    UNDECIDED = "undecided"


class ReasonKind(StrEnum):
    """Why a reply that is not answered is so."""

    POLITICAL = "political"
    SAFETY = "safety"
    CAPABILITY = "capability"
    OTHER = "other"


class Flag(StrEnum):
    """What the reader is shown."""

    LOOKS_CENSORED = "looks_censored"
    REFUSED_FOR_SAFETY = "refused_for_safety"
    COULD_NOT_ANSWER = "could_not_answer"
    DID_NOT_ANSWER = "did_not_answer"
    NO_SIGN = "no_sign"
    TOO_EARLY = "too_early"


class Outcome(StrEnum):
    """How the reply came to its end; only `COMPLETE` is the model's own full stop."""

    RUNNING = "running"
    COMPLETE = "complete"
    EMPTY = "empty"  # ended without a word of reply
    CUT_OFF = "cut_off"  # reached its limit of tokens or time
    STOPPED = "stopped"  # the reader stopped it
    FILTERED = "filtered"  # a provider's content filter ended it
    RETRACTED = "retracted"  # the reply was taken back and replaced while it was shown
    FAILED = "failed"  # the engine broke


@dataclass(frozen=True, slots=True)
class Message:
    """One earlier message of the conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One question with its conversation, and the opening of the reply if one was written for it.

    `history` holds the messages before the question, oldest first, without the system prompt.
    """

    question: str
    history: tuple[Message, ...] = ()
    system: str = ""
    opening: str = ""

    def messages(self) -> list[dict[str, str]]:
        """The turn as the list of messages that chat templates and servers take."""
        system = [Message("system", self.system)] if self.system else []
        opening = [Message("assistant", self.opening)] if self.opening else []
        every = [*system, *self.history, Message("user", self.question), *opening]
        return [{"role": message.role, "content": message.content} for message in every]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of text: offsets in characters, end excluded, of the reply, thinking or question."""

    start: int
    end: int
    where: Literal["reply", "thinking", "question"] = "reply"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A finished sentence of the reply or of the thinking."""

    text: str
    span: Span
    index: int  # 0 for the first sentence of its part


@dataclass(frozen=True, slots=True)
class Topic:
    """A sensitive subject that the question touches: a political one, or (`SAFETY`) a dangerous one."""

    id: str
    name: str
    region: str
    span: Span | None = None
    kind: ReasonKind = ReasonKind.POLITICAL


@dataclass(frozen=True, slots=True)
class Evidence:
    """One detector's finding.

    `score` is the probability, from 0 to 1, that the reply is `label` given this finding alone.
    `span` is the text it rests on, where there is such a text; `reason` is a sentence for a layman.
    `kind` is why, where the finding itself says so ("that would be illegal" is `SAFETY`).
    """

    detector: str
    label: Label
    score: float
    reason: str
    span: Span | None = None
    kind: ReasonKind | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A learned detector's view of the reply as a whole.

    `probabilities` holds one for each label but `UNDECIDED`, and sums to 1; `kinds` is why, were it not answered.
    """

    detector: str
    probabilities: Mapping[Label, float]
    kinds: Mapping[ReasonKind, float] = field(default_factory=dict)


Finding = Evidence | Estimate


@dataclass(frozen=True, slots=True)
class Failure:
    """A detector that raised: its name and what it said. The verdict goes on without it."""

    detector: str
    error: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a reply so far. Only a `final` one is logged, exported or counted.

    `probabilities` holds one for each label but `UNDECIDED`, and sums to 1.
    `seen` counts the characters of the reply read so far.
    """

    label: Label
    probabilities: Mapping[Label, float]
    kind: ReasonKind | None = None
    topic: Topic | None = None
    evidence: tuple[Evidence, ...] = ()
    failed: tuple[Failure, ...] = ()
    seen: int = 0
    outcome: Outcome = Outcome.RUNNING

    @property
    def final(self) -> bool:
        """Whether the reply has ended, so that the verdict will not change."""
        return self.outcome is not Outcome.RUNNING

    @property
    def confidence(self) -> float:
        """How sure the flag is: the probability that the reply is answered, or for every other label that it is not."""
        answered = self.probabilities[Label.ANSWERED]
        return answered if self.label is Label.ANSWERED else 1 - answered

    @property
    def flag(self) -> Flag:
        """What the reader is shown for this verdict."""
        if self.outcome is Outcome.EMPTY and self.label is Label.UNDECIDED:
            return Flag.DID_NOT_ANSWER
        if self.label is Label.UNDECIDED:
            return Flag.TOO_EARLY
        if self.label is Label.ANSWERED:
            return Flag.NO_SIGN
        return _FLAG_OF_KIND[self.kind or ReasonKind.OTHER]

    def __reduce__(self) -> tuple[Any, ...]:  # a read-only mapping cannot be pickled
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return _verdict, ({**values, "probabilities": dict(self.probabilities)},)


def _verdict(values: dict[str, Any]) -> Verdict:
    """The verdict that was pickled."""
    return Verdict(**{**values, "probabilities": MappingProxyType(values["probabilities"])})


_FLAG_OF_KIND: Mapping[ReasonKind, Flag] = MappingProxyType(
    {
        ReasonKind.POLITICAL: Flag.LOOKS_CENSORED,
        ReasonKind.SAFETY: Flag.REFUSED_FOR_SAFETY,
        ReasonKind.CAPABILITY: Flag.COULD_NOT_ANSWER,
        ReasonKind.OTHER: Flag.DID_NOT_ANSWER,
    }
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a detector is shown: the reply and thinking so far, and the sentences that are new."""

    reply: str = ""
    thinking: str = ""
    sentences: Sequence[Sentence] = ()  # all of the reply so far
    new: tuple[Sentence, ...] = field(default=())  # since the last look; of reply and thinking
    thought: bool = False  # a thinking block was opened, however empty
    outcome: Outcome = Outcome.RUNNING


class Detector(Protocol):
    """Looks at a reply and reports evidence. Stateless: all it needs is in its arguments.

    Where `accumulates` is true, what it reports is about `seen.new` and is kept; where it is false,
    it speaks of the whole and replaces what it said before.
    """

    @property
    def name(self) -> str: ...

    @property
    def accumulates(self) -> bool: ...

    def inspect(self, turn: Turn, seen: Seen) -> Iterable[Finding]: ...
