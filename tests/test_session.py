"""The pipeline from an engine's chunks to updates."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from conftest import TIANANMEN, ask
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.engines.paced import PacedEngine
from chat.engines.scripted import Script, ScriptedEngine
from chat.engines.types import Chunk, Options
from chat.errors import EngineError, QuestionError
from chat.session import Compare, Update, clean_question, watch
from detectors import Flag, Label, Outcome, Turn

QUESTION = ask(TIANANMEN)
PREAMBLE = "That is a matter of history. "
REFUSAL = "I'm sorry, but I cannot discuss this topic. Let's talk about something else. "
ANSWER = (
    "Troops opened fire on the protesters in Beijing on 4 June. Hundreds of people died, by most estimates. "
    "The government has kept the subject out of books and newspapers there ever since, and has never given a count. "
)
SLOW = 0.06  # seconds between chunks; enough for each to be shown


def updates(script: Script, *, delay: float = 0.0, **rest: Any) -> list[Update]:
    """All updates of the scripted reply to a question about Tiananmen."""
    return list(watch(ScriptedEngine(script, delay=delay), QUESTION, **rest))


def last(script: Script, **rest: Any) -> Update:
    """The final update."""
    return updates(script, **rest)[-1]


def test_snapshots_grow() -> None:
    """Each snapshot holds all of the one before; the last one holds everything."""
    script = [Chunk(thinking="Let me "), Chunk(thinking="see."), *ANSWER.split(maxsplit=3)]
    shown = updates(script, delay=SLOW)
    assert len(shown) > len(script)
    for before, after in pairwise(shown):
        assert after.reply.text.startswith(before.reply.text)
        assert after.reply.thinking.startswith(before.reply.thinking)
        assert after.seconds >= before.seconds
        assert not before.reply.done
    assert shown[-1].reply.thinking == "Let me see."
    assert shown[-1].reply.text == "".join(ANSWER.split(maxsplit=3))


@pytest.mark.parametrize(
    ("script", "compare"),
    [
        ([ANSWER], Compare.OFF),
        ([REFUSAL], Compare.FLAGGED),
        ([ANSWER], Compare.ALWAYS),
        ([], Compare.ALWAYS),
        ([RuntimeError("no")], Compare.FLAGGED),
        ([Chunk(text="Hm", outcome=Outcome.CUT_OFF)], Compare.OFF),
    ],
)
def test_one_final_update(script: Script, compare: Compare) -> None:
    """Exactly one update is final, and it is the last."""
    shown = updates(script, reference=ScriptedEngine([ANSWER] * 5), compare=compare)
    assert [update.final for update in shown] == [False] * (len(shown) - 1) + [True]


def test_text_at_intervals_verdict_at_once() -> None:
    """Text is shown at intervals, however many chunks there are; a change of verdict does not wait for the next."""
    many = [*PREAMBLE, *REFUSAL, *("and so on " * 100)]
    shown = updates(many)
    assert len(shown) < len(many) / 4
    flagged = next(update for update in shown if update.reply.verdict.flag is Flag.LOOKS_CENSORED)
    assert not flagged.final
    assert len(flagged.reply.text) <= len(PREAMBLE + REFUSAL)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(PREAMBLE + REFUSAL + ANSWER)), max_size=8))
def test_chunks_do_not_matter(cuts: list[int]) -> None:
    """A reply cut anywhere ends in the same text and verdict."""
    text = PREAMBLE + REFUSAL + ANSWER
    edges = [0, *sorted(cuts), len(text)]
    assert last([text[a:b] for a, b in pairwise(edges)]).reply == last([text]).reply


@pytest.mark.parametrize(
    ("compare", "reply", "asked"),
    [
        (Compare.OFF, REFUSAL, False),
        (Compare.FLAGGED, REFUSAL, True),
        (Compare.FLAGGED, ANSWER, False),
        (Compare.ALWAYS, ANSWER, True),
        (Compare.ALWAYS, REFUSAL, True),
    ],
)
def test_when_the_reference_is_asked(compare: Compare, reply: str, asked: bool) -> None:
    """The reference is asked the same question, whole: never, where the reply is flagged, or always."""
    reference = ScriptedEngine(ANSWER.splitlines(keepends=True), name="other")
    end = last([reply], reference=reference, compare=compare)
    assert reference.turns == [QUESTION] * asked
    if asked:
        assert end.reference is not None
        assert (end.reference.model, end.reference.text) == ("other", ANSWER)
        assert end.reference.verdict.label is Label.ANSWERED
    else:
        assert end.reference is None


def test_no_reference_without_an_engine() -> None:
    """Where there is no reference engine there is no reference, whatever is wanted."""
    assert last([REFUSAL], compare=Compare.ALWAYS).reference is None


def test_reference_begins_during_the_reply() -> None:
    """The reference begins as soon as the reply is flagged, and goes on when the reply has ended."""
    shown = updates(
        [REFUSAL, *["More of it. "] * 4],
        delay=SLOW,
        reference=ScriptedEngine([*["Word "] * 8], delay=SLOW),
        compare=Compare.FLAGGED,
    )
    together = [u for u in shown if u.reference is not None and not u.reply.done]
    assert any(u.reference is not None and u.reference.text for u in together)
    assert any(u.reply.done and not u.final for u in shown)


def test_failing_reference() -> None:
    """A reference that fails says so, and leaves the reply as it is."""
    end = last([ANSWER], reference=ScriptedEngine([RuntimeError("no memory")]), compare=Compare.ALWAYS)
    assert end.reply.verdict.outcome is Outcome.COMPLETE
    assert end.reference is not None
    assert "no memory" in (end.reference.error or "")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("CUDA out of memory."), "The model broke off: CUDA out of memory. Ask again"),
        (EngineError("The server went away. Start it again."), "The server went away. Start it again."),
    ],
)
@pytest.mark.parametrize("before", ["", PREAMBLE + REFUSAL])
def test_engine_that_raises(error: Exception, said: str, before: str) -> None:
    """An engine's error ends the reply as failed, keeps what was said, and is told; nothing is raised."""
    engine = ScriptedEngine([before, error] if before else [error])
    *_, end = watch(engine, QUESTION)
    assert end.reply.text == before
    assert end.reply.verdict.outcome is Outcome.FAILED
    assert (end.reply.error or "").startswith(said)
    assert end.reply.verdict.flag is (Flag.LOOKS_CENSORED if before else Flag.TOO_EARLY)
    assert engine.open_streams == 0


class Broken:
    """An engine whose `stream` is a plain function, and raises when it is called."""

    name = "broken"

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        raise ConnectionError("No server there.")


def test_engine_that_raises_when_called() -> None:
    """An engine may raise before there is an iterator; that is a failed reply too, the reference's as well."""
    *_, end = watch(Broken(), QUESTION, reference=Broken(), compare=Compare.ALWAYS)
    assert end.reference is not None
    for reply in (end.reply, end.reference):
        assert reply.verdict.outcome is Outcome.FAILED
        assert "No server there." in (reply.error or "")


def test_closing_closes_the_engines() -> None:
    """Closing the iterator ends both engines' streams."""
    engine, reference = ScriptedEngine([REFUSAL] * 50, delay=0.01), ScriptedEngine([ANSWER] * 50, delay=0.01)
    watching = watch(engine, QUESTION, reference=reference, compare=Compare.FLAGGED)
    while not reference.open_streams:
        next(watching)
    assert engine.open_streams == 1
    watching.close()
    assert (engine.open_streams, reference.open_streams) == (0, 0)


def test_ending_closes_the_engines() -> None:
    """Nothing is left open after the final update either."""
    engine, reference = ScriptedEngine([REFUSAL]), ScriptedEngine([Chunk(text="Hm", outcome=Outcome.CUT_OFF)])
    list(watch(engine, QUESTION, reference=reference, compare=Compare.ALWAYS))
    assert (engine.open_streams, reference.open_streams) == (0, 0)


def test_stopping() -> None:
    """Setting `stop` ends reply and reference at once, with a final update that holds what was said."""
    stop = threading.Event()
    engine, reference = ScriptedEngine([PREAMBLE] * 99, delay=SLOW), ScriptedEngine([ANSWER] * 99, delay=SLOW)
    shown = []
    for update in watch(engine, QUESTION, reference=reference, compare=Compare.ALWAYS, stop=stop):
        shown.append(update)
        if update.reference and update.reference.text and not stop.is_set():
            stop.set()
            began = time.monotonic()
    assert time.monotonic() - began < 0.5
    end = shown[-1]
    assert end.final
    assert end.reference is not None
    assert end.reply.verdict.outcome is end.reference.verdict.outcome is Outcome.STOPPED
    assert end.reply.text.startswith(PREAMBLE)
    assert (engine.open_streams, reference.open_streams) == (0, 0)


def test_stopping_after_the_reply() -> None:
    """A reply that was complete stays so, when the reference is stopped."""
    stop = threading.Event()
    reference = ScriptedEngine(["Word "] * 99, delay=SLOW)
    for update in watch(ScriptedEngine([ANSWER]), QUESTION, reference=reference, compare=Compare.ALWAYS, stop=stop):
        if update.reply.done:
            stop.set()
    assert update.reply.verdict.outcome is Outcome.COMPLETE
    assert update.reference is not None
    assert update.reference.verdict.outcome is Outcome.STOPPED


@pytest.mark.parametrize(
    ("script", "outcome", "flag"),
    [
        ([ANSWER], Outcome.COMPLETE, Flag.NO_SIGN),
        ([REFUSAL], Outcome.COMPLETE, Flag.LOOKS_CENSORED),
        ([], Outcome.EMPTY, Flag.DID_NOT_ANSWER),
        ([" \n "], Outcome.EMPTY, Flag.DID_NOT_ANSWER),
        ([Chunk(thinking="Hm."), Chunk(outcome=Outcome.COMPLETE)], Outcome.EMPTY, Flag.DID_NOT_ANSWER),
        ([Chunk(text="There", outcome=Outcome.CUT_OFF)], Outcome.CUT_OFF, Flag.TOO_EARLY),
        ([PREAMBLE, Chunk(outcome=Outcome.FILTERED)], Outcome.FILTERED, Flag.LOOKS_CENSORED),
        ([Chunk(outcome=Outcome.FILTERED)], Outcome.FILTERED, Flag.LOOKS_CENSORED),
        ([ANSWER, Chunk(retract=True), REFUSAL], Outcome.RETRACTED, Flag.LOOKS_CENSORED),
        ([ANSWER, Chunk(retract=True)], Outcome.RETRACTED, Flag.LOOKS_CENSORED),
    ],
)
def test_outcomes(script: Script, outcome: Outcome, flag: Flag) -> None:
    """Every way of ending has its outcome; empty, cut off, filtered and taken back are never clean."""
    verdict = last(script).reply.verdict
    assert (verdict.outcome, verdict.flag) == (outcome, flag)


def test_taken_back() -> None:
    """What was taken back is kept apart, and what replaces it is the reply."""
    shown = updates([ANSWER, Chunk(retract=True), REFUSAL], delay=SLOW)
    assert ANSWER in [update.reply.text for update in shown]
    assert (shown[-1].reply.retracted, shown[-1].reply.text) == (ANSWER, REFUSAL)


@pytest.mark.parametrize("reply", [ANSWER, REFUSAL])
@pytest.mark.parametrize("thinking", ["The guidelines say that I must avoid this. It is sensitive.", "Let me see."])
def test_thinking_as_field_or_tags(thinking: str, reply: str) -> None:
    """Thinking in a field of its own, in tags, and with only a closing tag gives the same reply and verdict."""
    field = last([Chunk(thinking=thinking), reply]).reply
    assert (field.thinking, field.text) == (thinking, reply)
    for text in (f"<think>{thinking}</think>{reply}", f"<think>\n{thinking}</think>\n\n{reply}"):
        assert last([*text]).reply == field
    restarted = last([f"{thinking}</think>{reply}"]).reply
    assert (restarted.text, restarted.verdict.flag) == (field.text, field.verdict.flag)


class Busy(ScriptedEngine):
    """An engine with two others ahead, who leave one by one."""

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        for ahead in (2, 2, 1, 1):
            yield Chunk(waiting=ahead)
            time.sleep(SLOW)
        yield from super().stream(turn, options)


def test_waiting_is_shown() -> None:
    """While there is a line before the model, updates tell how many are ahead; then no more."""
    *shown, end = watch(Busy([ANSWER]), QUESTION)
    assert {update.reply.waiting for update in shown} >= {2, 1}
    assert end.reply.waiting is None


def test_options_and_turn_reach_the_engine() -> None:
    """The engine is asked exactly this turn, with these options."""
    asked = []

    class Listening(ScriptedEngine):
        def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
            asked.append((turn, options))
            return super().stream(turn, options)

    options = Options(temperature=0.3, max_tokens=7, seed=1)
    list(watch(Listening([ANSWER]), QUESTION, options))
    assert asked == [(QUESTION, options)]


def test_words_of_evidence() -> None:
    """Evidence points at the reply's own words, though white space came before them."""
    reply = last(["\n\n  ", *REFUSAL]).reply
    spans = [finding.span for finding in reply.verdict.evidence if finding.span and finding.span.where == "reply"]
    assert "cannot discuss" in " ".join(reply.words(span) for span in spans)


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("Who was it?", "Who was it?"),
        ("  Who\nwas it? \n", "Who\nwas it?"),
        ("六四事件是什么？", "六四事件是什么？"),
        ("🙂", "🙂"),
        ("half \ud83d of it", "half \ufffd of it"),
        ("nu\0ll", "null"),
        ("\u3000全角\u3000", "全角"),
    ],
)
def test_clean_question(typed: str, question: str) -> None:
    """White space around a question goes, half characters are replaced, the rest stays."""
    assert clean_question(typed) == question


@pytest.mark.parametrize("typed", ["", " ", "\n\t ", "\0", "\u3000"])
def test_no_question(typed: str) -> None:
    """Nothing but white space is no question."""
    with pytest.raises(QuestionError, match="Type one"):
        clean_question(typed)


def test_a_silent_reference_does_not_slow_the_reply() -> None:
    """While the reference says nothing, a reply at a pace keeps it."""
    text = "A reply that comes at a pace. " * 8
    silent = ScriptedEngine(["At last."], delay=10)
    began = time.monotonic()
    for update in watch(PacedEngine(ScriptedEngine([text]), 200), QUESTION, reference=silent, compare=Compare.ALWAYS):
        if update.reply.done:
            break
    assert time.monotonic() - began < 2 * len(text) / 200


def test_a_reply_has_its_time() -> None:
    """One that takes longer is cut off there, and keeps what it said; the engine is closed."""
    engine = ScriptedEngine(["This goes on. "] * 500, delay=0.02)
    *_, update = watch(engine, QUESTION, Options(max_seconds=0.2))
    assert update.reply.verdict.outcome is Outcome.CUT_OFF
    assert update.reply.text.startswith("This goes on.")
    assert engine.open_streams == 0


@pytest.mark.parametrize("waits", [Chunk(waiting=2), Chunk(loading=0.5)])
def test_waiting_is_not_counted(waits: Chunk) -> None:
    """The time counts from when the model is at the reply: not in line, and not while it is loaded."""
    *_, update = updates([*[waits] * 6, ANSWER], delay=0.1, options=Options(max_seconds=0.4))
    assert update.reply.verdict.outcome is Outcome.COMPLETE
    assert update.reply.text == ANSWER
