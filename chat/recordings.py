"""Recorded conversations from files: this project's own format, OpenAI message logs, and ShareGPT.

JSON Lines or one JSON array, plain or gzipped; every line says by its keys what it is. A line that cannot be used is
skipped and counted; the rest is read.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from chat.engines.wire import outcome_of, thinking_of
from chat.engines.wire import text_of as _text
from chat.errors import LoadError
from detectors import Message, Outcome, Turn
from detectors.characters import whole

_ROLES: dict[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
}
_DAY = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?!\d)")
OLDEST = 1e9  # seconds since 1970: September 2001; a smaller number is no time


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recorded reply to one turn; `date` as year-month-day, and like `model` empty where the file does not say."""

    turn: Turn
    reply: str
    thinking: str = ""
    model: str = ""
    date: str = ""
    outcome: Outcome = Outcome.COMPLETE


@dataclass(frozen=True, slots=True)
class Recordings:
    """What a file holds, and how many of its lines could not be used."""

    recordings: tuple[Recording, ...]
    skipped: int


def read_recordings(path: Path) -> Recordings:
    """Every recording of the file, in order. Raises `LoadError` where there is none."""
    found: list[Recording] = []
    skipped = 0
    for entry in _entries(path):
        recording = _recording(entry) if isinstance(entry, Mapping) else None
        if recording is None:
            skipped += 1
        else:
            found.append(recording)
    if not found:
        raise LoadError(
            f"{path} holds no recorded replies ({skipped} lines without a question and a reply). It may be JSON Lines "
            'with "question" and "reply", OpenAI messages, or ShareGPT conversations: docs/replay.md shows each.'
        )
    return Recordings(tuple(found), skipped)


def _entries(path: Path) -> Iterator[object]:
    """The file's objects; None for a line that is no JSON, and for a file that breaks off."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else path.open("rb") as lines:
            first = lines.readline().removeprefix(BOM_UTF8)
            while first and not first.strip():
                first = lines.readline()
            if first.lstrip().startswith(b"["):
                yield from _array(first + lines.read())
                return
            yield from _lines(first, lines)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield None
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror or error}. Check the name.") from error


def _array(data: bytes) -> Iterator[object]:
    try:
        yield from json.loads(data)
    except (ValueError, RecursionError):
        yield from map(
            _json, filter(bytes.strip, data.splitlines())
        )  # lines, of which the first is an array of its own


def _lines(first: bytes, rest: Any) -> Iterator[object]:
    """One object a line; or one object over many lines."""
    if first.strip() and _json(first) is None and first.lstrip().startswith(b"{"):
        data = first + rest.read()
        found = _json(data)
        lines = filter(bytes.strip, data.splitlines())
        yield from [found] if found is not None else map(_json, lines)
        return
    if first.strip():
        yield _json(first)
    for line in rest:
        if line.strip():
            yield _json(line)


def _json(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # also bytes that are not UTF-8, and JSON nested too deep
        return None


def _recording(entry: Mapping[str, Any]) -> Recording | None:
    """What the entry records, in whichever of the formats it is; None where it is none."""
    try:
        if "reply" in entry:
            return _ours(entry)
        if "conversations" in entry:
            said = [(m.get("from", m.get("role")), m.get("value", m.get("content")), m) for m in entry["conversations"]]
            return _conversation(said, entry, entry.get("finish_reason"))
        answer, asked = entry.get("response"), entry.get("request", entry)
        messages = [(m.get("role"), m.get("content"), m) for m in asked["messages"]]
        if isinstance(answer, Mapping):
            choice = answer["choices"][0]
            message = choice["message"]
            messages.append(("assistant", message.get("content"), message))
            return _conversation(messages, {**asked, **answer}, choice.get("finish_reason"))
        return _conversation(messages, entry, entry.get("finish_reason"))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return None


def _ours(entry: Mapping[str, Any]) -> Recording | None:
    question, reply = _text(entry.get("question")).strip(), entry.get("reply")
    if not question or not isinstance(reply, str):
        return None
    return Recording(
        turn=Turn(whole(question), system=whole(_text(entry.get("system")))),
        reply=whole(reply),
        thinking=whole(thinking_of(entry)),
        model=_model(entry),
        date=_date(entry),
        outcome=outcome_of(entry.get("finish_reason")),
    )


def _conversation(
    said: list[tuple[Any, Any, Mapping[str, Any]]], entry: Mapping[str, Any], end: Any
) -> Recording | None:
    """The last question that has a reply; what was said before it is its conversation."""
    messages = [
        (_ROLES[str(role).lower()], whole(_text(content) + _text(extra.get("refusal"))), extra)
        for role, content, extra in said
        if str(role).lower() in _ROLES
    ]
    system = "\n".join(text for role, text, _ in messages if role == "system")
    # A model that only calls a tool has not replied yet.
    spoken = [said for said in messages if said[0] != "system" and (said[1] or not said[2].get("tool_calls"))]
    while spoken and spoken[-1][0] != "assistant":
        spoken.pop()
    if len(spoken) < 2 or spoken[-2][0] != "user" or not spoken[-2][1].strip():
        return None
    *history, (_, question, _), (_, reply, extra) = spoken
    return Recording(
        turn=Turn(question.strip(), tuple(Message(role, text) for role, text, _ in history), system),
        reply=reply,
        thinking=whole(thinking_of(extra)),
        model=_model(entry),
        date=_date(entry),
        outcome=outcome_of(end),
    )


def _model(entry: Mapping[str, Any]) -> str:
    return whole(_text(entry.get("model"))).strip()


def _date(entry: Mapping[str, Any]) -> str:
    """The day, from the ways in which it is surely written down; empty where there is none."""
    for name in ("date", "created", "created_at", "timestamp", "create_time"):
        value = entry.get(name)
        if isinstance(value, str) and (day := _DAY.match(value)):
            return day[0]
        if isinstance(value, int | float) and OLDEST < value < 1e13:  # seconds since 1970, or thousandths of them
            return datetime.fromtimestamp(value / (1000 if value > 1e11 else 1), UTC).date().isoformat()
    return ""
