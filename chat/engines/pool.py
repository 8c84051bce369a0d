"""A pool of models that share the memory: so many at a time, and the least recently used makes room."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Protocol


class Unloadable(Protocol):
    """What a pool is of."""

    def unload(self) -> None: ...


class Ticket:
    """A place in a pool, or in the line before it."""

    def __init__(self, engine: Unloadable) -> None:
        self.engine = engine


class Pool:
    """Lets at most `most` engines be in memory at a time, and unloads only those that nobody uses.

    First come, first served: whoever asks for a model that is in memory still waits behind those that wait for one that
    is not, or else a model in demand would keep the others out for ever.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._resident: list[Unloadable] = []  # the least recently used first
        self._open()

    def _open(self) -> None:
        self._waiting: list[Ticket] = []
        self._using: list[Ticket] = []
        self._changed = threading.Condition(threading.RLock())
        self._process = os.getpid()

    def join(self, engine: Unloadable) -> Ticket:
        """Asks for an engine. Whoever joins must `leave`, whatever happens."""
        if self._process != os.getpid():  # a fork: those who stand here do so in the other process
            self._open()
        ticket = Ticket(engine)
        with self._changed:
            self._waiting.append(ticket)
        return ticket

    def wait(self, ticket: Ticket, *, every: float) -> Iterator[int]:
        """Ends when the engine may be loaded and used; until then yields how many are ahead, `every` so many seconds.

        Before that unloads what has to make room.
        """
        while True:
            with self._changed:
                if self._admit(ticket):
                    return
                ahead = self._waiting.index(ticket) + 1
                self._changed.wait(every)
            yield ahead

    def leave(self, ticket: Ticket) -> None:
        """Gives the place up, served or not. The engine stays in memory until another needs the room."""
        with self._changed:
            for tickets in (self._waiting, self._using):
                if ticket in tickets:
                    tickets.remove(ticket)
            self._changed.notify_all()

    def spare(self, keep: Unloadable) -> bool:
        """Unloads the least recently used engine that nobody uses, other than `keep`; says whether there was one."""
        with self._changed:
            used = [keep, *(ticket.engine for ticket in self._using)]
            idle = next((engine for engine in self._resident if not any(engine is other for other in used)), None)
            if idle is None:
                return False
            self._resident.remove(idle)
            idle.unload()
            return True

    def _admit(self, ticket: Ticket) -> bool:
        engine = ticket.engine
        if self._waiting[0] is not ticket:
            return False
        if engine not in self._resident:
            while len(self._resident) >= self._most:
                if not self.spare(engine):
                    return False
        else:
            self._resident.remove(engine)
        self._resident.append(engine)
        self._waiting.remove(ticket)
        self._using.append(ticket)
        self._changed.notify_all()
        return True
