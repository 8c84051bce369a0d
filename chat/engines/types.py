"""What every engine speaks: a turn in, chunks out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from detectors import Outcome, Turn

HEARTBEAT = 0.05  # seconds; an engine with nothing to say yields an empty chunk this often


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a reply is sampled. `temperature` 0 takes the likeliest token each time.

    `max_seconds` bounds it, once the model is loaded and at it: a broken server never ends. `pace`, in characters a
    second, is for replies that are played back: 0 is all at once, None as the recording's engine has it.
    """

    temperature: float = 0.0
    top_p: float = 0.95
    max_tokens: int = 1024
    max_seconds: float = 1800.0
    seed: int | None = None
    pace: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a reply. `outcome` is set on the last one; `retract` takes back all that was said before.

    `waiting` counts the visitors ahead in the model's queue, while there is one. `loading` is the share of the model
    that has been loaded into memory, from 0 to 1; None where it is not being loaded. `note` is what the reader is to
    know of the reply beside it, such as that it was recorded.
    """

    text: str = ""
    thinking: str = ""
    outcome: Outcome | None = None
    retract: bool = False
    waiting: int | None = None
    loading: float | None = None
    note: str = ""


class Engine(Protocol):
    """A source of replies.

    `stream` yields at least every `HEARTBEAT` seconds, so that closing it stops the model at once.
    It raises `ChatError` with a message for the reader.
    """

    @property
    def name(self) -> str: ...

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]: ...
