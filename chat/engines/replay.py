"""Recorded replies, played back as if live: for talks, for hosts without a GPU, for models too large for home."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from chat.engines.types import HEARTBEAT, Chunk, Options
from chat.errors import LoadError, QuestionError
from chat.recordings import Recording, read_recordings
from chat.similar import SAME, Questions
from detectors import Turn

READING_PACE = 160  # characters a second, about as fast as a model types
NAMED = 3  # questions that an error names


class ReplayEngine:
    """Plays the file's replies, at `pace` characters a second (0: at once), always labelled as recorded.

    A question in other words plays the likest recorded one, and says so. `model` chooses among several in the file.
    Raises `LoadError` for a file without recordings, or without this model.
    """

    def __init__(self, path: Path, *, pace: int = READING_PACE, model: str = "") -> None:
        every = read_recordings(path).recordings
        self.models = tuple(Counter(recording.model for recording in every))
        if model and model not in self.models:
            raise LoadError(f"{path} has no replies of {model!r}. It has those of {', '.join(self.models)}.")
        chosen = [recording for recording in every if not model or recording.model == model]
        first: dict[str, Recording] = {}
        for recording in chosen:
            first.setdefault(recording.turn.question, recording)
        self._recordings = tuple(first.values())
        self._pace = pace
        self._found = Questions(tuple(first))
        self._lock = threading.Lock()
        self.name = _label(chosen)

    @property
    def questions(self) -> tuple[str, ...]:
        """The recorded questions, in order."""
        return self._found.questions

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The recorded reply to this question, or to the one that asks the same. Raises `QuestionError`."""
        recording = self._find(turn.question)
        yield Chunk(note=_note(recording, turn.question, several=len(self.models) > 1))
        for text in self._pieces(recording.thinking):
            yield Chunk(thinking=text)
        for text in self._pieces(recording.reply):
            yield Chunk(text=text)
        yield Chunk(outcome=recording.outcome)

    def _find(self, question: str) -> Recording:
        with self._lock:  # the words are read in at the first question
            at = self._found.same(question)
            if at is not None:
                return self._recordings[at]
            nearest = self._found.nearest(question, NAMED)
        if nearest[0][1] >= SAME:
            return self._recordings[nearest[0][0]]
        close = "; ".join(f"“{self._found.questions[at]}”" for at, _ in nearest)
        raise QuestionError(f"Nothing is recorded for that question. The nearest are {close}.")

    def _pieces(self, text: str) -> Iterator[str]:
        if not self._pace:
            if text:
                yield text
            return
        size = max(1, round(self._pace * HEARTBEAT / 2))
        for start in range(0, len(text), size):
            yield text[start : start + size]
            time.sleep(size / self._pace)


def _label(recordings: list[Recording]) -> str:
    models = Counter(recording.model for recording in recordings)
    dates = {recording.date for recording in recordings}
    model = next(iter(models)) if len(models) == 1 else f"{len(models)} models"
    return f"{model or 'Unnamed model'} (recorded{f' {dates.pop()}' if len(dates) == 1 and '' not in dates else ''})"


def _note(recording: Recording, question: str, *, several: bool) -> str:
    """What is played: whose reply, of which day, and to which question if it is another than was typed."""
    whose = f" of {recording.model}" if several and recording.model else ""
    when = f", {recording.date}" if recording.date else ""
    other = "" if recording.turn.question == question else f", to the question “{recording.turn.question}”"
    return f"Recorded reply{whose}{when}{other}."
