"""Cuts a stream into thinking and reply, and each of those into sentences, whatever the chunks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from detectors.types import Sentence, Span

# What reasoning models write around their thinking: DeepSeek, Qwen and most others; Kimi; Magistral.
TAGS: tuple[tuple[str, str], ...] = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
)
_OPENING = dict(TAGS)
_ANY = re.compile("|".join(re.escape(tag) for pair in TAGS for tag in pair))
_LONGEST = max(len(tag) for pair in TAGS for tag in pair)

MAX_SENTENCE = 600  # characters; text without full stops is cut here, so that a verdict still comes
_CLOSERS = "\"'”’»)]}）」』】》*_"
_WESTERN = ".!?…"
_EAST_ASIAN = "。！？｡"
_CLOSING_RUN = f"[{re.escape(_CLOSERS)}]{{0,6}}"
_END = re.compile(rf"[{_EAST_ASIAN}]{{1,8}}{_CLOSING_RUN}|[{re.escape(_WESTERN)}]{{1,8}}{_CLOSING_RUN}(?=\s)|\n")
_REACH = 16  # no match of `_END` and the character after it is longer
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|gen|col|lt|sgt|rev|no|vs|etc|e\.g|i\.e|cf|approx|fig|vol|jr|sr|u\.s|u\.k|u\.n|p\.r)"
    r"|(?<!['’])\b[A-Z]|^\s*\d{1,3})\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text, and the part it belongs to. `restart` says that all the reply so far was thinking after all."""

    text: str
    where: Literal["reply", "thinking"]
    restart: bool = False


class ThinkingSplitter:
    """Separates thinking from reply. A tag may be cut anywhere across chunks.

    A closing tag that was never opened (R1's templates open it in the prompt) turns the reply so far into thinking.
    Only a reply's beginning may open a thinking block: a tag quoted in the middle of an answer is just text.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._where: Literal["reply", "thinking"] = "thinking" if opened else "reply"
        self._closing: str | None = None
        self._pending = ""
        self._replied = False  # the reply holds something other than white space
        self.thought = opened  # a thinking block was opened

    def feed(self, text: str) -> list[Piece]:
        """The pieces that can be told apart so far; what may be the start of a tag is kept for later."""
        self._pending += text
        pieces: list[Piece] = []
        at = 0
        for match in _ANY.finditer(self._pending):
            self._emit(pieces, self._pending[at : match.start()])
            self._tag(pieces, match.group())
            at = match.end()
        self._pending = self._pending[at:]
        keep = self._possible_tag()
        cut = len(self._pending) - keep
        self._emit(pieces, self._pending[:cut])
        self._pending = self._pending[cut:]
        return pieces

    def close(self) -> list[Piece]:
        """What was kept back: it was no tag."""
        pieces: list[Piece] = []
        self._emit(pieces, self._pending)
        self._pending = ""
        return pieces

    def _tag(self, pieces: list[Piece], tag: str) -> None:
        if tag in _OPENING:
            if self._where == "reply" and not self._replied:
                self._where, self._closing, self.thought = "thinking", _OPENING[tag], True
            else:
                self._emit(pieces, tag)
        elif self._where == "thinking" and self._closing in (None, tag):
            self._where, self._closing = "reply", None
        elif self._where == "reply" and not self.thought:
            pieces.append(Piece("", "reply", restart=True))
            self._replied, self.thought = False, True
        else:
            self._emit(pieces, tag)

    def _emit(self, pieces: list[Piece], text: str) -> None:
        if not text:
            return
        if self._where == "reply" and not text.isspace():
            self._replied = True
        pieces.append(Piece(text, self._where))

    def _possible_tag(self) -> int:
        """Length of the longest end of the pending text that a tag could begin with."""
        for size in range(min(_LONGEST - 1, len(self._pending)), 0, -1):
            end = self._pending[-size:]
            if any(tag.startswith(end) for pair in TAGS for tag in pair):
                return size
        return 0


class Sentences:
    """Cuts one growing text into sentences. Each is given out once the character after it is known."""

    def __init__(self, where: Literal["reply", "thinking"] = "reply") -> None:
        self._where: Literal["reply", "thinking"] = where
        self._open = ""  # text of the unfinished sentence
        self._start = 0  # its offset in the whole
        self._from = 0  # how much of it has been searched for an end
        self._count = 0

    def feed(self, text: str) -> list[Sentence]:
        """The sentences that this text finished."""
        found: list[Sentence] = []
        # In blocks, so that a long text is not copied and searched to its end again for every sentence.
        for at in range(0, len(text), MAX_SENTENCE):
            self._open += text[at : at + MAX_SENTENCE]
            while (end := self._end()) is not None:
                self._cut(end, found)
        return found

    def close(self) -> list[Sentence]:
        """The last, unfinished sentence, if there is one."""
        found: list[Sentence] = []
        self._cut(len(self._open), found)
        return found

    def _end(self) -> int | None:
        """Where the unfinished sentence ends, if that is known."""
        at = self._from
        while match := _END.search(self._open, at):
            end = match.end()
            if end > MAX_SENTENCE:
                break
            if end == len(self._open) and match.group() != "\n":
                self._from = match.start()  # a closing quote may follow
                return None
            if match.group() == "\n" or not _ABBREVIATION.search(self._open, max(0, end - 12), end):
                return end
            at = end
        if len(self._open) > MAX_SENTENCE:
            space = self._open.rfind(" ", MAX_SENTENCE // 2, MAX_SENTENCE)
            return space + 1 if space > 0 else MAX_SENTENCE
        self._from = max(at, len(self._open) - _REACH)  # an end further left would have been found
        return None

    def _cut(self, end: int, found: list[Sentence]) -> None:
        raw = self._open[:end]
        text = raw.strip()
        if text:
            start = self._start + raw.index(text)
            found.append(Sentence(text, Span(start, start + len(text), self._where), self._count))
            self._count += 1
        self._open, self._start, self._from = self._open[end:], self._start + end, 0


def split(text: str, where: Literal["reply", "thinking"] = "reply") -> list[Sentence]:
    """The sentences of a whole text."""
    sentences = Sentences(where)
    return [*sentences.feed(text), *sentences.close()]
