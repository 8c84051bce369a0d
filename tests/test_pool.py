"""The pool of models that share the memory."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from pathlib import Path

import pytest
from conftest import ANSWER, GREEDY, REFUSAL, ask, outcome_of, read_until, running, save_random, text_of

from chat.engines.local import LocalEngine
from chat.engines.pool import Pool, Ticket
from chat.engines.switch_bench import switch
from chat.engines.types import Options
from chat.errors import LoadError
from detectors import Outcome

SOON = 0.005  # seconds


class Box:
    """A thing that counts how often it was unloaded."""

    def __init__(self) -> None:
        self.unloaded = 0

    def unload(self) -> None:
        self.unloaded += 1


def admitted(pool: Pool, ticket: Ticket) -> bool:
    """Whether it is this ticket's turn."""
    return next(pool.wait(ticket, every=SOON), 0) == 0


def use(pool: Pool, box: Box) -> None:
    """Uses the box once, which must be possible at once."""
    ticket = pool.join(box)
    assert admitted(pool, ticket)
    pool.leave(ticket)


def test_least_recently_used_makes_room() -> None:
    """What was used longest ago is unloaded, and only where there is no room."""
    pool = Pool(2)
    a, b, c = Box(), Box(), Box()
    for box in (a, b, a, b, a):
        use(pool, box)
    assert (a.unloaded, b.unloaded) == (0, 0)
    use(pool, c)
    assert (a.unloaded, b.unloaded, c.unloaded) == (0, 1, 0)
    use(pool, b)
    assert (a.unloaded, b.unloaded, c.unloaded) == (1, 1, 0)


def test_what_is_used_stays() -> None:
    """An engine in use is not unloaded for another, which waits until one is idle."""
    pool = Pool(2)
    a, b, c = Box(), Box(), Box()
    first, second, third = pool.join(a), pool.join(b), pool.join(c)
    assert [admitted(pool, ticket) for ticket in (first, second, third)] == [True, True, False]
    pool.leave(second)
    assert admitted(pool, third)
    assert (a.unloaded, b.unloaded) == (0, 1)


def test_used_by_two() -> None:
    """An engine is idle when the last of those who use it has left."""
    pool = Pool(1)
    a, b = Box(), Box()
    first, second = pool.join(a), pool.join(a)
    assert admitted(pool, first)
    assert admitted(pool, second)
    third = pool.join(b)
    pool.leave(first)
    assert not admitted(pool, third)
    pool.leave(second)
    assert admitted(pool, third)
    assert a.unloaded == 1


def test_first_come_first_served() -> None:
    """A model in demand does not keep another out: who comes later waits behind who waits, and is told."""
    pool = Pool(1)
    a, b = Box(), Box()
    first, other, later = pool.join(a), pool.join(b), pool.join(a)
    assert admitted(pool, first)
    assert next(pool.wait(other, every=SOON)) == 1
    assert next(pool.wait(later, every=SOON)) == 2
    pool.leave(first)
    assert not admitted(pool, later)
    assert admitted(pool, other)


def test_leaving_the_line() -> None:
    """Whoever goes away while waiting holds nobody up."""
    pool = Pool(1)
    a, b, c = Box(), Box(), Box()
    first, second, third = pool.join(a), pool.join(b), pool.join(c)
    assert admitted(pool, first)
    pool.leave(second)
    pool.leave(first)
    assert admitted(pool, third)
    assert (a.unloaded, b.unloaded) == (1, 0)


def test_spare() -> None:
    """Memory is spared by unloading what is idle, never what is in use or asks."""
    pool = Pool(3)
    a, b, c = Box(), Box(), Box()
    for box in (a, b):
        use(pool, box)
    ticket = pool.join(c)
    assert admitted(pool, ticket)
    assert pool.spare(c)
    assert (a.unloaded, b.unloaded) == (1, 0)
    assert pool.spare(c)
    assert not pool.spare(c)
    assert (a.unloaded, b.unloaded, c.unloaded) == (1, 1, 0)


def test_waiting_is_woken() -> None:
    """Who waits for room is woken when there is some, not at the next look."""
    pool = Pool(1)
    first, second = pool.join(Box()), pool.join(Box())
    assert admitted(pool, first)
    served = threading.Event()

    def stand() -> None:
        for _ in pool.wait(second, every=30):
            pass
        served.set()

    waiting = threading.Thread(target=stand)
    waiting.start()
    time.sleep(0.02)
    pool.leave(first)
    assert served.wait(2)
    waiting.join()


def test_engines_share_a_pool(answering: Path, refusing: Path, tmp_path: Path) -> None:
    """Of three models in a pool of two, the one that was asked longest ago is unloaded; it answers when asked again."""
    pool = Pool(2)
    teller, refuser = LocalEngine(answering, pool=pool), LocalEngine(refusing, pool=pool)
    third = LocalEngine(save_random(tmp_path), pool=pool)
    assert text_of(teller.stream(ask(), GREEDY)) == ANSWER
    assert text_of(refuser.stream(ask(), GREEDY)) == REFUSAL
    assert text_of(teller.stream(ask(), GREEDY)) == ANSWER
    assert [engine.loaded for engine in (teller, refuser, third)] == [True, True, False]
    list(third.stream(ask(), GREEDY))
    assert [engine.loaded for engine in (teller, refuser, third)] == [True, False, True]
    assert text_of(refuser.stream(ask(), GREEDY)) == REFUSAL
    assert [engine.loaded for engine in (teller, refuser, third)] == [False, True, True]


def test_waits_for_a_reply_under_way(answering: Path, endless: Path) -> None:
    """A question to a model without room waits, with signs of life, while the other's reply is written."""
    pool = Pool(1)
    busy = LocalEngine(endless, pool=pool).stream(ask(), Options(max_tokens=2000))
    read_until(busy, lambda chunk: chunk.text)
    waiting = LocalEngine(answering, pool=pool).stream(ask(), GREEDY)
    assert next(waiting).waiting is None
    assert [next(waiting).waiting for _ in range(3)] == [1, 1, 1]
    busy.close()
    assert text_of(waiting) == ANSWER


def test_unload_frees_the_model(answering: Path) -> None:
    """After unloading nothing holds the model, though an unread stream and an old reply are still around."""
    engine = LocalEngine(answering)
    done = engine.stream(ask(), GREEDY)
    assert text_of(done) == ANSWER
    model = weakref.ref(engine.load()[0])
    unread = engine.stream(ask(), GREEDY)
    read_until(unread, lambda chunk: chunk.text)
    assert engine.loaded
    engine.unload()
    assert not engine.loaded
    gc.collect()
    assert model() is None
    unread.close()
    assert text_of(engine.stream(ask(), GREEDY)) == ANSWER


def test_unload_stops_a_reply(endless: Path) -> None:
    """A reply under way ends as stopped when its model is unloaded, with what was said until then."""
    engine = LocalEngine(endless)
    stream = engine.stream(ask(), Options(max_tokens=2000))
    said = text_of(read_until(stream, lambda chunk: chunk.text))
    engine.unload()
    assert not running("unsaid-generate")
    rest = list(stream)
    assert outcome_of(rest) is Outcome.STOPPED
    assert (" " + ANSWER).startswith(said + text_of(rest))


def test_unload_twice_and_before_loading(answering: Path) -> None:
    """Unloading what is not loaded does nothing."""
    engine = LocalEngine(answering)
    engine.unload()
    assert text_of(engine.stream(ask(), GREEDY)) == ANSWER
    engine.unload()
    engine.unload()


def test_unload_while_loading(answering: Path) -> None:
    """A loading that is given up tells whoever waits for it; a question that comes after it loads the model again."""
    engine = LocalEngine(answering)
    stream = engine.stream(ask(), GREEDY)
    assert next(stream).loading is None
    given_up = engine.preload()
    engine.unload()
    with pytest.raises(LoadError, match="Ask again"):
        given_up.result()
    assert not engine.loaded
    assert text_of(stream) == ANSWER


@pytest.mark.slow
def test_memory_stays_flat_over_switches() -> None:
    """Fifty switches between three models in a pool of two take no more memory than ten."""
    after_10, after_50 = switch(50, note=(10, 50))
    assert after_50 - after_10 < 20_000_000  # bytes; one of the models takes 50 million


def test_a_forked_process_begins_anew() -> None:
    """Those who hold a place in the parent do not keep a child that is forked meanwhile waiting."""
    pool = Pool(1)
    held = pool.join(Box())
    assert admitted(pool, held)
    child = os.fork()
    if child == 0:  # nothing of pytest may run here
        os._exit(0 if admitted(pool, pool.join(Box())) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    pool.leave(held)
