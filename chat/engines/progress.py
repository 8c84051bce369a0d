"""How far the loading of a model is, told by the thread that loads to whoever waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Cancelled(Exception):
    """The loading is no longer wanted; raised in the thread that loads."""


class Progress:
    """A share from 0 to 1 that only grows, over parts that come one after the other.

    `share` may be read, and `cancel` called, from any thread. What loads calls `report`, which raises `Cancelled` once
    nobody wants it any more: the way out of a download of many gigabytes.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self._from, self._to = 0.0, 1.0
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants the loading any more."""
        return self._cancelled.is_set()

    def report(self, share: float) -> None:
        """The part under way is done to this share, from 0 to 1."""
        if self.cancelled:
            raise Cancelled
        share = min(1.0, max(0.0, share))
        self.share = max(self.share, self._from + share * (self._to - self._from))

    @contextmanager
    def part(self, of_rest: float) -> Iterator[None]:
        """What is reported inside counts for this share of what is left."""
        outer = self._from, self._to
        self._from = self.share
        self._to = self.share + of_rest * (outer[1] - self.share)
        try:
            yield
            self.report(1.0)
        finally:
            self._from, self._to = self.share, outer[1]

    def cancel(self) -> None:
        """Ends the loading at its next report."""
        self._cancelled.set()
