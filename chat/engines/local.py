"""Any chat model that transformers can load, from a folder or the Hub, on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TYPE_CHECKING

from chat.engines import loading
from chat.engines.generate import Generation
from chat.engines.hub import Hub
from chat.engines.line import Line
from chat.engines.loading import Quantization, Source
from chat.engines.pool import Pool
from chat.engines.progress import Cancelled, Progress
from chat.engines.types import HEARTBEAT, Chunk, Options
from chat.errors import LoadError
from detectors import Turn

if TYPE_CHECKING:
    from chat.engines.loading import Loaded


class LocalEngine:
    """A transformers model. Loaded at the first question, or by `load`; safe to use from several threads.

    A loading that only questions asked for ends with the last of them; `load` and `preload` keep it.

    `parallel` is how many replies it writes at a time; who comes later waits in line. Engines with the same `pool`
    share the memory: the one that was not used for longest is unloaded for another. `quantization` is "4bit" or "8bit";
    `trust_remote_code` runs Python files that come with the model, and is the host's to set. `device` is where it runs,
    as torch names it; the best there is unless given. Where the GPU is `borrowed`, there only now and then, the model
    is loaded into memory, and goes there by `attach`.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        name: str = "",
        revision: str | None = None,
        parallel: int = 1,
        quantization: Quantization | None = None,
        trust_remote_code: bool = False,
        pool: Pool | None = None,
        hub: Hub | None = None,
        device: str | None = None,
        borrowed: bool = False,
    ) -> None:
        self.name = name or str(source)
        self._source = Source(
            place=str(source),
            revision=revision,
            quantization=quantization,
            trust_remote_code=trust_remote_code,
            hub=hub or Hub(),
            device=device,
            borrowed=borrowed,
        )
        self._line = Line(parallel)
        self._pool = pool
        self._lock = threading.Lock()
        self._loading: _Loading | None = None
        self._replies: set[Generation] = set()
        self._asking = 0  # who waits, in line or for the model, or reads a reply

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        under_way = self._loading
        return under_way is not None and under_way.future.done() and not under_way.future.exception()

    def load(self) -> Loaded:
        """The model, in evaluation mode on the best device here, and its tokenizer. Raises `LoadError`."""
        return self.preload().result()

    def preload(self) -> Future[Loaded]:
        """The loading under way or done, begun by whoever asks first; does not wait. One that failed is tried again."""
        with self._lock:
            begun = self._begin()
            begun.kept = True
            return begun.future

    def unload(self) -> None:
        """Frees the model's memory; the next question loads it again.

        Replies under way are stopped, and end as such; a loading under way is given up, and whoever waits for it is
        told so. What `load` returned is the caller's to let go of.
        """
        with self._lock:
            under_way, self._loading = self._loading, None
            replies = list(self._replies)
        for reply in replies:
            reply.stop()
        if under_way is not None:
            under_way.progress.cancel()
            del under_way
            loading.free()

    def attach(self) -> None:
        """Moves the model to the GPU that is there now, if there is one. Raises `LoadError`."""
        self.load()[0].to(loading.best_device())  # type: ignore[arg-type]

    def after_fork(self) -> None:
        """To be called in a process just forked, where the thread that was loading the model is not."""
        self._lock = threading.Lock()
        self._asking = 0  # those who ask do so in the other process
        if self._loading is not None and not self._loading.future.done():
            self._loading = None

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The reply, as it is generated in a thread of its own that ends with this iterator."""
        ticket = self._line.join()
        with self._lock:
            self._asking += 1
        try:
            for ahead in self._line.wait(ticket, every=HEARTBEAT):
                yield Chunk(waiting=ahead)
            yield Chunk()
            if self._pool is None:
                yield from self._reply(turn, options)
            else:
                yield from self._reply_in(self._pool, turn, options)
        finally:
            self._line.leave(ticket)
            self._leave()

    def _reply_in(self, pool: Pool, turn: Turn, options: Options) -> Iterator[Chunk]:
        place = pool.join(self)
        try:
            for ahead in pool.wait(place, every=HEARTBEAT):
                yield Chunk(waiting=ahead)
            yield from self._reply(turn, options)
        finally:
            pool.leave(place)

    def _reply(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        with self._lock:
            under_way = self._begin()
        while not wait([under_way.future], HEARTBEAT).done:
            yield Chunk(loading=under_way.progress.share)
        with self._lock:  # so that an unloading either stops this reply or comes before it
            reply = Generation(*under_way.future.result(), turn, options)
            self._replies.add(reply)
        del under_way  # an iterator that nobody reads on must not keep the model in memory
        try:
            yield from reply.chunks()
        finally:
            self._replies.discard(reply)

    def _begin(self) -> _Loading:
        """The loading under way or done; to be called with the lock held."""
        begun = self._loading
        if begun is None or (begun.future.done() and begun.future.exception()):
            begun = self._loading = _Loading(self._source, self._spare)
        return begun

    def _leave(self) -> None:
        """One who asked is gone; with the last of them, a loading that only they wanted is given up."""
        with self._lock:
            self._asking -= 1
            under_way = self._loading
            if self._asking or under_way is None or under_way.kept or under_way.future.done():
                return
            self._loading = None
        under_way.progress.cancel()

    def _spare(self) -> bool:
        return self._pool is not None and self._pool.spare(self)


class _Loading:
    """A model being loaded by a thread of its own. Where it is `kept`, it goes on though no question waits for it."""

    def __init__(self, source: Source, spare: Callable[[], bool]) -> None:
        self.future: Future[Loaded] = Future()
        self.progress = Progress()
        self.kept = False
        threading.Thread(
            target=_fulfil, args=(self.future, source, self.progress, spare), name="unsaid-load", daemon=True
        ).start()


def _fulfil(future: Future[Loaded], source: Source, progress: Progress, spare: Callable[[], bool]) -> None:
    try:
        loaded = loading.load(source, progress, spare=spare)
    except Cancelled:
        future.set_exception(LoadError(f"{source.place} made room for another model while it was loaded. Ask again."))
    except BaseException as error:  # for whoever waits
        loading.forget_frames(error)
        future.set_exception(error)
    else:
        future.set_result(loaded)
