"""Downloads that nobody wants any more: given up, and without harm to those that somebody does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ANSWER, GREEDY, ask, eventually, outcome_of, read_until, running, text_of
from fake_hub import ID, FakeHub, padded, shelve

from chat.engines.local import LocalEngine
from chat.engines.types import Chunk
from chat.errors import LoadError
from chat.session import watch
from detectors import Outcome


def test_unload_gives_a_download_up(fake: FakeHub, tmp_path: Path) -> None:
    """Unloading ends a download under way; who waited for it is told, and may ask again."""
    fake.pause = 0.03
    shelve(fake, tmp_path, padded(50_000_000))
    engine = LocalEngine(ID, hub=fake.hub(tmp_path / "cache"))
    stream = engine.stream(ask(), GREEDY)
    read_until(stream, lambda chunk: chunk.loading is not None)
    engine.unload()
    with pytest.raises(LoadError, match="Ask again"):
        list(stream)
    assert eventually(lambda: not running("unsaid-load"), seconds=5)
    fake.pause = 0.0
    again = list(engine.stream(ask(), GREEDY))
    assert (text_of(again), outcome_of(again)) == (ANSWER, Outcome.COMPLETE)


@pytest.fixture
def slow(fake: FakeHub, tmp_path: Path) -> LocalEngine:
    """An engine whose model takes some seconds to download."""
    fake.pause = 0.05
    shelve(fake, tmp_path, padded(80_000_000))
    return LocalEngine(ID, hub=fake.hub(tmp_path / "cache"))


def begun(engine: LocalEngine) -> Iterator[Chunk]:
    """A question that waits for the download, of which some is there."""
    stream = engine.stream(ask(), GREEDY)
    read_until(stream, lambda chunk: chunk.loading is not None and chunk.loading > 0.1)
    return stream


def test_the_last_to_leave_ends_a_download(fake: FakeHub, slow: LocalEngine) -> None:
    """Where nobody waits for a model any more it is not downloaded on; the next question begins again."""
    first, second = begun(slow), slow.stream(ask(), GREEDY)
    next(second)  # in line
    first.close()
    assert not eventually(lambda: not running("unsaid-load"), seconds=0.5)
    second.close()
    assert eventually(lambda: not running("unsaid-load"), seconds=2)
    assert fake.served.get("vocabulary.txt", 0) < 80_000_000
    assert not slow.loaded
    fake.pause = 0.0
    assert text_of(slow.stream(ask(), GREEDY)) == ANSWER


def test_who_comes_after_the_last_has_left(fake: FakeHub, slow: LocalEngine) -> None:
    """A question asked right after the download was given up is answered, not told that it was."""
    begun(slow).close()
    fake.pause = 0.0
    assert text_of(slow.stream(ask(), GREEDY)) == ANSWER


def test_stopping_a_watch_ends_its_download(slow: LocalEngine) -> None:
    """The same holds through the pipeline, where the reader stops or goes away."""
    stop = threading.Event()
    for update in watch(slow, ask(), GREEDY, stop=stop):
        if update.reply.loading:
            stop.set()
    assert update.reply.verdict.outcome is Outcome.STOPPED
    assert eventually(lambda: not running("unsaid-load"), seconds=2)


def test_a_download_by_xet_ends_too(fake: FakeHub, tmp_path: Path) -> None:
    """Xet, by which the Hub gives out weights, is told that nobody waits; the next question begins again."""
    fake.xet = True
    engine = LocalEngine(ID, hub=fake.hub(tmp_path))
    stream = engine.stream(ask(), GREEDY)
    read_until(stream, lambda _: any(path.startswith("/xet/") for path in fake.asked))
    stream.close()
    assert eventually(lambda: not running("unsaid-load"), seconds=5)
    fake.xet = False
    assert text_of(engine.stream(ask(), GREEDY)) == ANSWER


def test_other_downloads_by_xet_go_on(fake: FakeHub, tmp_path: Path) -> None:
    """Where Xet was ended for one model, another that is downloaded meanwhile comes all the same."""
    fake.xet = True
    engines = [LocalEngine(ID, hub=fake.hub(tmp_path / name)) for name in ("one", "other")]
    one, other = (engine.stream(ask(), GREEDY) for engine in engines)
    for stream in (one, other):
        fake.asked.clear()
        read_until(stream, lambda _: any(path.startswith("/xet/") for path in fake.asked))
    fake.xet = False
    one.close()
    assert text_of(other) == ANSWER


@pytest.mark.parametrize("before", [True, False])
def test_a_download_wanted_for_its_own_sake_goes_on(fake: FakeHub, slow: LocalEngine, before: bool) -> None:
    """Where `preload` asked for the model, before the questions or after, it is there though they were given up."""
    if before:
        slow.preload()
    stream = begun(slow)
    loading = slow.preload()
    stream.close()
    fake.pause = 0.0
    assert loading.result()
    assert slow.loaded


def test_whole_files_are_kept(fake: FakeHub, slow: LocalEngine, tmp_path: Path) -> None:
    """Of a download that was given up, the files that were there whole are not fetched again."""
    small = (fake.shelves[ID].folder / "config.json").stat().st_size
    begun(slow).close()
    assert eventually(lambda: not running("unsaid-load"), seconds=2)
    fake.pause = 0.0
    assert text_of(slow.stream(ask(), GREEDY)) == ANSWER
    assert fake.served["config.json"] == small
