"""THE pipeline: an engine's chunks through the monitor to updates. Page, terminal and tests all consume `watch`."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum

import detectors
from chat.engines.types import Chunk, Engine, Options
from chat.errors import ChatError, QuestionError
from detectors import Flag, Outcome, Span, Turn, Verdict
from detectors.characters import whole

UPDATE_SECONDS = 0.05  # text is shown at most this often; a change of verdict at once


class Compare(StrEnum):
    """When the reference is asked too."""

    OFF = "off"
    FLAGGED = "flagged"
    ALWAYS = "always"


# A reference answer says most where the reply looks censored, or ducks for a reason that is unclear.
WORTH_COMPARING = (Flag.LOOKS_CENSORED, Flag.DID_NOT_ANSWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A snapshot of one model's reply.

    `retracted` is the text that was taken back; `error` is for the reader; `waiting` counts those ahead in line.
    `loading` is the share of the model that has been loaded, from 0 to 1; None where it is not being loaded. `note` is
    what the reader is to know of the reply, such as that it was recorded.
    """

    model: str
    verdict: Verdict
    text: str = ""
    thinking: str = ""
    retracted: str | None = None
    error: str | None = None
    waiting: int | None = None
    loading: float | None = None
    note: str = ""

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.verdict.final

    def words(self, span: Span) -> str:
        """The words that a span of the reply or the thinking covers; nothing for spans of the question."""
        return {"reply": self.text, "thinking": self.thinking}.get(span.where, "")[span.start : span.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A snapshot of a turn: the reply and, where it was asked for, the reference model's."""

    turn: Turn
    reply: Reply
    reference: Reply | None = None
    seconds: float = 0.0  # since the question was asked

    @property
    def final(self) -> bool:
        """Whether all has been said."""
        return self.reply.done and (self.reference is None or self.reference.done)


def clean_question(question: str) -> str:
    """The question as it can be asked: without outer white space, and without halves of characters.

    Raises `QuestionError` where nothing is left.
    """
    text = clean_text(question)
    if not text:
        raise QuestionError("There is no question yet. Type one, or choose an example.")
    return text


def clean_text(text: str) -> str:
    """The text without outer white space, and without what is no character: halves of surrogate pairs, zeros."""
    return whole(text).replace("\0", "").strip()


def watch(
    engine: Engine,
    turn: Turn,
    options: Options | None = None,
    *,
    reference: Engine | None = None,
    compare: Compare = Compare.OFF,
    stop: threading.Event | None = None,
    lang: str = "en",
) -> Generator[Update, None, None]:
    """Asks the engine, and yields snapshots until all is said; the last one is final.

    Closing the iterator stops the models at once. Setting `stop` does too, and still yields a final update, with
    what was said until then; so does the end of the time that a reply may take. An engine's failure becomes part of
    the reply; it is not raised.
    """
    options = options or Options()
    began = time.monotonic()
    reply = _Watched(engine, turn, options, lang)
    other: _Watched | None = None
    shown, shown_at = None, 0.0
    try:
        while True:
            reply.step()
            if other is None and reference is not None and _wanted(compare, reply.snapshot.verdict):
                other = _Watched(reference, turn, options, lang)
            if other is not None:
                other.step()
            if stop is not None and stop.is_set():
                for watched in (reply, other):
                    if watched is not None:
                        watched.end(Outcome.STOPPED)
            update = Update(
                turn=turn,
                reply=reply.snapshot,
                reference=other.snapshot if other else None,
                seconds=round(time.monotonic() - began, 3),
            )
            if update.final:
                yield update
                return
            if time.monotonic() - shown_at >= UPDATE_SECONDS or _verdicts(update) != shown:
                shown, shown_at = _verdicts(update), time.monotonic()
                yield update
    finally:
        reply.close()
        if other is not None:
            other.close()


def _wanted(compare: Compare, verdict: Verdict) -> bool:
    return compare is Compare.ALWAYS or (compare is Compare.FLAGGED and verdict.flag in WORTH_COMPARING)


def _verdicts(update: Update) -> tuple[Verdict, Verdict | None]:
    return update.reply.verdict, update.reference.verdict if update.reference else None


def _chunks(engine: Engine, turn: Turn, options: Options) -> Generator[Chunk, None, None]:
    """The engine's chunks; an engine that raises when it is called raises here at the first one."""
    yield from engine.stream(turn, options)


class _Watched:
    """One engine's stream and the monitor that watches it."""

    def __init__(self, engine: Engine, turn: Turn, options: Options, lang: str) -> None:
        self._stream = _chunks(engine, turn, options)
        self._seconds = options.max_seconds
        self._began = time.monotonic()
        self._monitor = detectors.monitor(turn, lang=lang)
        self._note = ""
        self.snapshot = Reply(model=engine.name, verdict=self._monitor.verdict)

    def step(self) -> None:
        """Takes one chunk; nothing once the reply has ended."""
        if self.snapshot.done:
            return
        try:
            chunk = next(self._stream)
        except StopIteration:
            self.end(Outcome.COMPLETE)
        except ChatError as error:
            self.end(Outcome.FAILED, str(error))
        except Exception as error:  # whatever an engine does, what was said until then is kept
            self.end(Outcome.FAILED, f"The model broke off: {error} Ask again, or choose another model.")
        else:
            self._note = chunk.note or self._note
            if chunk.retract:
                self._monitor.retract()
            if chunk.text or chunk.thinking:
                self._monitor.feed(chunk.text, thinking=chunk.thinking)
            if chunk.waiting is not None or chunk.loading is not None:
                self._began = time.monotonic()
            if chunk.outcome is not None:
                self.end(chunk.outcome)
            elif time.monotonic() - self._began > self._seconds:
                self.end(Outcome.CUT_OFF)
            else:
                self._snap(waiting=chunk.waiting, loading=chunk.loading)

    def end(self, outcome: Outcome, error: str | None = None) -> None:
        """Ends the reply, unless it has ended."""
        if not self.snapshot.done:
            self.close()
            self._monitor.close(outcome)
            self._snap(error=error)

    def close(self) -> None:
        """Stops the engine."""
        self._stream.close()

    def _snap(self, *, error: str | None = None, waiting: int | None = None, loading: float | None = None) -> None:
        monitor = self._monitor
        self.snapshot = Reply(
            model=self.snapshot.model,
            verdict=monitor.verdict,
            text=monitor.reply,
            thinking=monitor.thinking,
            retracted=monitor.retracted,
            error=error,
            waiting=waiting,
            loading=loading,
            note=self._note,
        )
