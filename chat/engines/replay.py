"""Recorded replies, played back as if live: for talks, for hosts without a GPU, for models too large for home."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from chat.engines.paced import READING_PACE, paced
from chat.engines.types import Chunk, Options
from chat.errors import LoadError, QuestionError
from chat.recordings import Recording, Recordings, read_recordings
from chat.similar import SAME, Questions
from detectors import Turn
from detectors.language import language

LOOKED_AT = 12  # of the likest questions
NAMED = 3  # of them that an error names
NEAR = 0.35  # likeness from which it is of help to be named


def models_of(path: Path) -> tuple[str, ...]:
    """The models whose replies the file holds, those with the most first. Raises `LoadError` for one without any."""
    return tuple(model for model, _ in Counter(r.model for r in _read(path).recordings).most_common())


def _read(path: Path) -> Recordings:
    try:
        state = path.stat()
    except OSError:
        return read_recordings(path)  # which says what is wrong
    return _read_once(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=2)  # a file's models are an engine each
def _read_once(path: Path, _changed: int, _size: int) -> Recordings:
    return read_recordings(path)


class ReplayEngine:
    """Plays the file's replies, at `pace` characters a second (0: at once), always labelled as recorded.

    A question in other words plays the likest recorded one, and says so. `model` chooses among several in the file.
    The `Options` of a question may ask for another pace. Raises `LoadError` for a file without recordings, or without
    this model.
    """

    def __init__(self, path: Path, *, pace: int = READING_PACE, model: str = "") -> None:
        read = _read(path)
        every, self.skipped = read.recordings, read.skipped
        self.models = models_of(path)
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
        pace = self._pace if options.pace is None else options.pace
        yield Chunk(note=_note(recording, turn.question, several=len(self.models) > 1))
        for text in _pieces(recording.thinking, pace):
            yield Chunk(thinking=text)
        for text in _pieces(recording.reply, pace):
            yield Chunk(text=text)
        yield Chunk(outcome=recording.outcome)

    def _find(self, question: str) -> Recording:
        with self._lock:  # the words are read in at the first question
            at = self._found.same(question)
            if at is not None:
                return self._recordings[at]
            nearest = self._found.nearest(question, LOOKED_AT)
        best, likeness = max(nearest, key=lambda found: found[1])
        if likeness >= SAME:
            return self._recordings[best]
        near = (self._found.questions[at] for at, likeness in nearest if likeness >= NEAR)
        close = [f"“{other}”" for other in near if len({language(other), language(question)} - {None}) < 2][:NAMED]
        hint = f"The nearest are {'; '.join(close)}." if close else "The list of questions has all that are."
        raise QuestionError(f"Nothing is recorded for that question. {hint}")


def _pieces(text: str, pace: int) -> Iterator[str]:
    return paced(text, pace) if pace else iter((text,) if text else ())


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
