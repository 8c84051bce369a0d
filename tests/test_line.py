"""The line before a model."""

from __future__ import annotations

import threading

from chat.engines.line import Line

SOON = 0.005  # seconds


def ahead(line: Line, ticket: object) -> int:
    """How many are ahead of this ticket; 0 where it is its turn."""
    return next(line.wait(ticket, every=SOON), 0)


def test_first_come_first_served() -> None:
    """As many as there are places go through; the others are told how many are ahead, in the order they came."""
    line = Line(2)
    tickets = [line.join() for _ in range(5)]
    assert [ahead(line, ticket) for ticket in tickets] == [0, 0, 1, 2, 3]


def test_leaving_moves_up_those_behind() -> None:
    """Whoever leaves, served or not, makes room for those behind and not for those before."""
    line = Line(1)
    first, second, third, fourth = (line.join() for _ in range(4))
    line.leave(third)
    assert [ahead(line, ticket) for ticket in (first, second, fourth)] == [0, 1, 2]
    line.leave(first)
    assert [ahead(line, ticket) for ticket in (second, fourth)] == [0, 1]


def test_leaving_wakes_the_next() -> None:
    """The next one is woken at once, not at its next look."""
    line = Line(1)
    first, second = line.join(), line.join()
    served = threading.Event()

    def stand() -> None:
        for _ in line.wait(second, every=30):
            pass
        served.set()

    waiting = threading.Thread(target=stand)
    waiting.start()
    line.leave(first)
    assert served.wait(2)
    waiting.join()


def test_never_more_than_there_are_places() -> None:
    """Of many at once, no more than the places are inside together, and all get through."""
    line, lock = Line(3), threading.Lock()
    inside, most, served = 0, 0, 0

    def visit() -> None:
        nonlocal inside, most, served
        ticket = line.join()
        for _ in line.wait(ticket, every=SOON):
            pass
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(SOON)
        with lock:
            inside -= 1
            served += 1
        line.leave(ticket)

    visitors = [threading.Thread(target=visit) for _ in range(20)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert (most, served) == (3, 20)
