"""ZeroGPU: a whole turn (reply, detectors and reference) in one GPU call.

A ZeroGPU Space has a GPU only within functions that `spaces.GPU` decorates. These run in a forked process that lives
from one call to the next: what goes in and comes out is pickled, and of the threads, events and locks of the parent
nothing is there. So engines go in as values (`Here`), snapshots come out, and Stop is closing the generator. Models
are loaded into the parent's memory, which the fork shares, and moved to the GPU by who has it: what the platform offers
for loading them to it beforehand works in the main thread only.
Everywhere else, and where `spaces` is not installed, all of this is `chat.session.watch`.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import wait
from contextlib import closing
from dataclasses import dataclass, replace

import detectors
from chat import catalogue, session
from chat.borrowed import available, gpu
from chat.catalogue import Model
from chat.engines.types import HEARTBEAT, Chunk, Engine, Options
from chat.errors import ChatError, EngineError
from chat.session import Compare, Reply, Update
from detectors import Outcome, Turn

TOKENS_A_SECOND = 25  # at the least, of a model that is worth a GPU; what is asked for beyond need only waits longer
PACKAGED_SECONDS = 10  # the longest reply of the models that come with Unsaid
BEGIN_SECONDS = 10  # until the GPU is attached and the model on it
SPARE_SECONDS = 3  # what is left of the call when a reply is cut off, so that its end is still heard
MOST_SECONDS = 120


def prepare() -> bool:
    """Makes ready for ZeroGPU, if this is such a Space.

    To be called once, before anything imports torch and before the page is launched.
    """
    if not available():
        return False
    _whole()
    _alone()
    os.register_at_fork(after_in_child=catalogue.after_fork)
    return True


@dataclass(frozen=True)
class Here:
    """A model that this machine runs, as a value: it finds its engine in whichever process it is."""

    model: Model

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def on_gpu(self) -> bool:
        """Whether it is worth a GPU."""
        return not self.model.packaged

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """Its engine's chunks, in a GPU call of their own unless this is within one."""
        for _ in _loading(self.model):
            yield Chunk()
        with closing((_alone() if self.on_gpu else _stream)(self, turn, options)) as chunks:
            yield from chunks


def _loading(model: Model) -> Iterator[None]:
    """Until the model is loaded. Raises `LoadError` where it cannot be."""
    loading = catalogue.loading(model)
    if loading is not None:
        while not wait([loading], HEARTBEAT).done:
            yield
        loading.result()


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
    """`chat.session.watch`, all of it in one GPU call where that is how the engine comes by a GPU.

    A reference that cannot go there with it is asked from here, and then the engine has a call of its own.
    """
    options = options or Options()
    other = reference if compare is not Compare.OFF else None
    if not (available() and isinstance(engine, Here) and engine.on_gpu and isinstance(other, Here | None)):
        yield from session.watch(engine, turn, options, reference=other, compare=compare, stop=stop, lang=lang)
        return
    call = Call(engine=engine, reference=other, turn=turn, options=options, compare=compare, lang=lang)
    last = Update(turn=turn, reply=Reply(model=engine.name, verdict=detectors.monitor(turn, lang=lang).verdict))
    try:
        with closing(_heard(call, last)) as updates:
            for last in updates:
                if stop is not None and stop.is_set() and not last.final:
                    break
                yield last
        if not last.final:
            yield _ended(last, lang, Outcome.STOPPED)
    except ChatError as error:
        yield _ended(last, lang, Outcome.FAILED, str(error))
    except Exception as error:  # no GPU to be had, quota used up, time over, the process killed
        said = str(getattr(error, "message", error)).strip().rstrip(".")
        yield _ended(last, lang, Outcome.FAILED, f"The GPU failed: {said}. Ask again later, or choose another model.")


@dataclass(frozen=True, kw_only=True)
class Call:
    """What goes into the forked process."""

    engine: Here
    reference: Here | None
    turn: Turn
    options: Options
    compare: Compare
    lang: str


def seconds(call: Call) -> int:
    """How long a whole turn may take on the GPU, in seconds: the reference is often asked after the reply."""
    needed = sum(_needed(here, call.options) for here in (call.engine, call.reference) if here is not None)
    return min(MOST_SECONDS, BEGIN_SECONDS + needed)


def _needed(here: Here, options: Options) -> int:
    return math.ceil(options.max_tokens / TOKENS_A_SECOND) if here.on_gpu else PACKAGED_SECONDS


def _seconds_alone(here: Here, turn: Turn, options: Options) -> int:
    return min(MOST_SECONDS, BEGIN_SECONDS + _needed(here, options))


def _heard(call: Call, blank: Update) -> Generator[Update, None, None]:
    """The other process's updates. Models are loaded in this one before, while no GPU is waiting for them."""
    for here in filter(None, (call.engine, call.reference)):
        for _ in _loading(here.model):
            yield blank
    with closing(_whole()(call)) as updates:
        yield from updates


def _watch(call: Call) -> Generator[Update, None, None]:
    """What runs in the forked process, in a thread of its own: OpenMP would hang in the one that was forked."""
    until = time.monotonic() + seconds(call) - SPARE_SECONDS
    yield from session.watch(
        _Timed(call.engine, until),
        call.turn,
        call.options,
        reference=call.reference and _Timed(call.reference, until),
        compare=call.compare,
        lang=call.lang,
    )


def _stream(here: Here, turn: Turn, options: Options) -> Generator[Chunk, None, None]:
    engine: Engine = catalogue.engine_for(here.model)
    if here.on_gpu and available():
        engine = _Timed(engine, time.monotonic() + _seconds_alone(here, turn, options) - SPARE_SECONDS)
        catalogue.attach(here.model)
    yield from engine.stream(turn, options)


def _whole() -> Callable[[Call], Generator[Update, None, None]]:
    return gpu(_watch, duration=seconds)


def _alone() -> Callable[[Here, Turn, Options], Generator[Chunk, None, None]]:
    return gpu(_stream, duration=_seconds_alone)


@dataclass(frozen=True)
class _Timed:
    """Another engine, cut off at a time of the monotonic clock: the platform would kill the process."""

    engine: Engine
    until: float

    @property
    def name(self) -> str:
        return self.engine.name

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        stream = self.engine.stream(turn, options)
        try:
            for chunk in stream:
                yield chunk
                if chunk.outcome is None and time.monotonic() >= self.until:
                    yield Chunk(outcome=Outcome.CUT_OFF)
                    return
        finally:
            if close := getattr(stream, "close", None):
                close()


@dataclass(frozen=True)
class _Said:
    """What an engine in another process had said when it ended there, and how that was."""

    reply: Reply
    outcome: Outcome
    error: str

    @property
    def name(self) -> str:
        return self.reply.model

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        if self.reply.retracted is not None:
            yield Chunk(text=self.reply.retracted)
            yield Chunk(retract=True)
        yield Chunk(text=self.reply.text, thinking=self.reply.thinking)
        if self.outcome is Outcome.FAILED:
            raise EngineError(self.error)
        yield Chunk(outcome=self.outcome)


def _ended(last: Update, lang: str, outcome: Outcome, error: str = "") -> Update:
    """The final update where the other process will not send it."""

    def end(reply: Reply) -> Reply:
        if reply.done:
            return reply
        *_, update = session.watch(_Said(reply, outcome, error), last.turn, lang=lang)
        return update.reply

    return replace(last, reply=end(last.reply), reference=end(last.reference) if last.reference else None)
