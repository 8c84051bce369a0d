"""A turn in one GPU call of ZeroGPU: in a process that was really forked, with everything pickled on its way."""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import ANSWER, GREEDY, REFUSAL, TIANANMEN, ask, eventually

from chat import borrowed, catalogue, session, zero
from chat.catalogue import Model, load_catalogue
from chat.engines.scripted import ScriptedEngine
from chat.engines.types import Chunk, Engine, Options
from chat.session import Compare, Update
from chat.zero import Call, Here, seconds, watch
from detectors import Flag, Label, Outcome

SPACES = Path(__file__).with_name("zerogpu")
LONG = Options(max_tokens=3000)


@pytest.fixture(scope="module")
def spaces() -> Iterator[ModuleType]:
    """ZeroGPU as the platform makes it: the package is there, and the variable is set."""
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(SPACES))
    patch.setenv(borrowed.VARIABLE, "true")
    module = importlib.import_module("spaces")
    assert zero.prepare()
    yield module
    for worker in module.WORKERS:
        worker.process.kill()
        worker.process.join()
    patch.undo()


@pytest.fixture
def calls(spaces: ModuleType) -> list[int]:
    """The GPU calls of a test: how many seconds each asked for."""
    spaces.CALLS.clear()
    found: list[int] = spaces.CALLS
    return found


def here(folder: Path, **rest: Any) -> Here:
    """A model in a folder, as a value."""
    return Here(Model(id=folder.name, name=folder.name, source=str(folder), **rest))


def last(updates: Iterator[Update]) -> Update:
    """The final update, which must be the last one and the only one."""
    *before, final = updates
    assert final.final
    assert not any(update.final for update in before)
    return final


def test_updates_are_pickled() -> None:
    """Every update of a turn is the same after pickling, and its probabilities still cannot be changed."""
    script = [Chunk(thinking="A sore subject."), "I cannot discuss this topic. ", Chunk(retract=True), REFUSAL]
    updates = list(
        session.watch(
            ScriptedEngine(script), ask(TIANANMEN), reference=ScriptedEngine([ANSWER]), compare=Compare.ALWAYS
        )
    )
    for update in updates:
        again = pickle.loads(pickle.dumps(update))
        assert again == update
        with pytest.raises(TypeError):
            again.reply.verdict.probabilities[Label.ANSWERED] = 1.0
    assert updates[-1].reply.verdict.evidence


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_elsewhere(value: str, monkeypatch: pytest.MonkeyPatch, refusing: Path) -> None:
    """Where there is no ZeroGPU, though `spaces` is installed, tasks stay as they are and turns run in this process."""
    monkeypatch.syspath_prepend(str(SPACES))
    monkeypatch.setenv(borrowed.VARIABLE, value)
    assert not borrowed.available()
    assert not zero.prepare()
    assert borrowed.gpu(str, duration=len) is str
    assert last(session.watch(here(refusing), ask(TIANANMEN), GREEDY)).reply.text == REFUSAL


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ZeroGPU Space without the package `spaces` is none."""
    monkeypatch.setenv(borrowed.VARIABLE, "true")
    if importlib.util.find_spec("spaces") is None:
        assert not borrowed.available()


def test_whole_turn_in_one_call(calls: list[int], spaces: ModuleType, refusing: Path, answering: Path) -> None:
    """Reply, verdict and reference come from one GPU call, and are what they are without one."""
    engine, other = here(refusing), here(answering)
    away = last(watch(engine, ask(TIANANMEN), GREEDY, reference=other, compare=Compare.FLAGGED))
    assert len(calls) == 1
    home = last(session.watch(engine, ask(TIANANMEN), GREEDY, reference=other, compare=Compare.FLAGGED))
    assert (away.reply, away.reference) == (home.reply, home.reference)
    assert away.reply.verdict.flag is Flag.LOOKS_CENSORED
    assert away.reference is not None
    assert away.reference.text == ANSWER


def test_next_turn_in_the_same_process(calls: list[int], spaces: ModuleType, answering: Path, refusing: Path) -> None:
    """The process of one turn serves the next one too, also with a model that was not loaded when it was forked."""
    assert last(watch(here(answering), ask(), GREEDY)).reply.text == ANSWER
    workers = len(spaces.WORKERS)
    later = Here(Model(id="later", name="Later", source=str(refusing)))
    assert last(watch(later, ask(), GREEDY)).reply.text == REFUSAL
    assert len(spaces.WORKERS) == workers
    assert len(calls) == 2


def test_stop(calls: list[int], spaces: ModuleType, endless: Path) -> None:
    """Setting `stop` ends the turn with what was said until then, and the process is free for the next one."""
    stop = threading.Event()
    updates = []
    for update in watch(here(endless), ask(), LONG, stop=stop):
        updates.append(update)
        if len(update.reply.text) > 100:
            stop.set()
    final = updates[-1]
    assert final.final
    assert final.reply.verdict.outcome is Outcome.STOPPED
    assert len(final.reply.text) > 100
    assert all(worker.idle for worker in spaces.WORKERS)


def test_close(calls: list[int], spaces: ModuleType, endless: Path, answering: Path) -> None:
    """Closing the turn ends the model in the other process, which then replies to another question."""
    with closing(watch(here(endless), ask(), LONG)) as updates:
        assert any(update.reply.text for update in updates)
    assert eventually(lambda: all(worker.idle for worker in spaces.WORKERS), seconds=2)
    assert last(watch(here(answering), ask(), GREEDY)).reply.text == ANSWER


def test_no_gpu_to_be_had(calls: list[int], spaces: ModuleType, answering: Path) -> None:
    """Where the platform refuses, its reason becomes part of the reply; the next question is answered."""
    spaces.refusal = RuntimeError("You have exceeded your free ZeroGPU quota (60s requested vs. 3s left).")
    final = last(watch(here(answering), ask(), GREEDY))
    assert final.reply.verdict.outcome is Outcome.FAILED
    assert "exceeded your free ZeroGPU quota" in str(final.reply.error)
    assert "choose another model" in str(final.reply.error)
    assert last(watch(here(answering), ask(), GREEDY)).reply.text == ANSWER


def test_process_killed(calls: list[int], spaces: ModuleType, endless: Path) -> None:
    """Where the process is killed in mid-reply, as when its time is over, what was said is kept, and the error said."""
    final, killed = None, False
    for final in watch(here(endless), ask(), LONG):
        if final.reply.text and not killed:
            (busy,) = [worker for worker in spaces.WORKERS if not worker.idle]
            os.kill(busy.process.pid, signal.SIGKILL)
            killed = True
    assert final is not None
    assert final.final
    assert final.reply.verdict.outcome is Outcome.FAILED
    assert final.reply.text.strip().startswith("Paris has been")
    assert "GPU task aborted" in str(final.reply.error)


def test_damaged_model(calls: list[int], tmp_path: Path) -> None:
    """A model that cannot be loaded is said to be so before a GPU is asked for."""
    (tmp_path / "config.json").write_text("{}")
    final = last(watch(here(tmp_path), ask(), GREEDY))
    assert "could not be loaded" in str(final.reply.error)
    assert not calls


def test_packaged_models_need_no_gpu(calls: list[int]) -> None:
    """The demo pair replies without a GPU call, on nobody's quota."""
    models = load_catalogue()
    engine, other = Here(models.find("demo-censored")), Here(models.find("demo-open"))
    final = last(watch(engine, ask(TIANANMEN), Options(), reference=other, compare=Compare.ALWAYS))
    assert final.reply.verdict.flag is Flag.LOOKS_CENSORED
    assert final.reference is not None
    assert final.reference.verdict.flag is Flag.NO_SIGN
    assert not calls


def test_packaged_reference_goes_with_the_call(calls: list[int], refusing: Path) -> None:
    """A reference that needs no GPU is asked in the reply's call."""
    other = Here(load_catalogue().find("demo-open"))
    final = last(watch(here(refusing), ask(TIANANMEN), Options(), reference=other, compare=Compare.FLAGGED))
    assert final.reference is not None
    assert final.reference.verdict.flag is Flag.NO_SIGN
    assert len(calls) == 1


@pytest.mark.parametrize("compare", [Compare.OFF, Compare.ALWAYS])
def test_reference_of_another_kind(calls: list[int], refusing: Path, compare: Compare) -> None:
    """A reference that cannot go to the other process is asked from here, beside the reply's GPU call."""
    other = ScriptedEngine([ANSWER])
    final = last(watch(here(refusing), ask(TIANANMEN), GREEDY, reference=other, compare=compare))
    assert final.reply.text == REFUSAL
    assert bool(final.reference) is (compare is Compare.ALWAYS)
    assert len(other.turns) == (compare is Compare.ALWAYS)
    assert len(calls) == 1


def test_queue_of_the_parent_stays_there(calls: list[int], spaces: ModuleType, endless: Path) -> None:
    """A process forked while somebody uses the model here does not wait for them."""
    busy = Here(Model(id="busy", name="Busy", source=str(endless), parallel=1))
    stream = catalogue.engine_for(busy.model).stream(ask(), LONG)
    while not next(stream).text:
        pass
    for worker in spaces.WORKERS:
        worker.idle = False  # so that a process is forked now
    try:
        with closing(watch(busy, ask(), Options(max_tokens=20))) as updates:
            assert any(update.reply.text for update in updates)
    finally:
        stream.close()
        for worker in spaces.WORKERS:
            worker.idle = True


@pytest.mark.slow
def test_time_limit(calls: list[int], answering: Path) -> None:
    """A reply that takes longer than the call may last is cut off before the platform kills the process."""
    final = last(watch(here(answering, pace=2), ask(), Options(max_tokens=25)))
    assert calls == [11]
    assert final.reply.verdict.outcome is Outcome.CUT_OFF
    assert ANSWER.startswith(final.reply.text)


BIG, BIGGER = (Here(Model(id=name, name=name, source=f"owner/{name}")) for name in ("big", "bigger"))
DEMO = Here(Model(id="demo", name="Demo", source="packaged:demo"))


@pytest.mark.parametrize(
    ("engine", "reference", "tokens", "wanted"),
    [
        (BIG, None, 250, 20),
        (BIG, None, 251, 21),
        (BIG, BIGGER, 250, 30),
        (BIG, DEMO, 250, 30),
        (BIG, DEMO, 1000, 60),
        (BIG, BIGGER, 100_000, 120),
    ],
)
def test_seconds(engine: Here, reference: Here | None, tokens: int, wanted: int) -> None:
    """A call is for as long as the tokens may take, the reference's after the reply's, and never too long."""
    options = Options(max_tokens=tokens)
    call = Call(engine=engine, reference=reference, turn=ask(), options=options, compare=Compare.FLAGGED, lang="en")
    assert seconds(call) == wanted


def test_engines_are_values() -> None:
    """What stands for an engine is the same after pickling, and says which engines need a GPU."""
    engines: list[tuple[Here, bool]] = [(BIG, True), (DEMO, False)]
    for engine, on_gpu in engines:
        protocol: Engine = engine
        assert pickle.loads(pickle.dumps(protocol)) == engine
        assert engine.on_gpu is on_gpu
