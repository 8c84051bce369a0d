"""A line to stand in: a model serves a few at a time, first come, first served."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator


class Line:
    """Lets `places` callers through at a time, in the order in which they came."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._open()

    def _open(self) -> None:
        self._standing: list[object] = []
        self._changed = threading.Condition()
        self._process = os.getpid()

    def join(self) -> object:
        """Takes a place in the line. Whoever joins must `leave`, whatever happens."""
        if self._process != os.getpid():  # a fork: those who stand here do so in the other process
            self._open()
        ticket = object()
        with self._changed:
            self._standing.append(ticket)
        return ticket

    def wait(self, ticket: object, *, every: float) -> Iterator[int]:
        """Ends when it is this ticket's turn; until then yields how many are ahead, `every` so many seconds."""
        while True:
            with self._changed:
                ahead = self._standing.index(ticket) - self._places + 1
                if ahead <= 0:
                    return
                self._changed.wait(every)
            yield ahead

    def leave(self, ticket: object) -> None:
        """Gives the place up, served or not."""
        with self._changed:
            self._standing.remove(ticket)
            self._changed.notify_all()
