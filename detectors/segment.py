"""Cuts a stream into thinking and reply, and each of those into sentences, whatever the chunks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from detectors.types import Sentence, Span

# What reasoning models write around their thinking: DeepSeek, Qwen and most others; Kimi; Magistral; Seed-OSS; Cohere;
# OpenThinker and Sky-T1; Gemma 4; EXAONE Deep; and smaller ones.
TAGS: tuple[tuple[str, str], ...] = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel>thought", "<channel|>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
)
# These are also found in answers that are about XML, opened there before they are closed.
_ORDINARY = {"</thought>", "</reasoning>"}
# What some of them write around the reply that follows.
FRAMES: tuple[tuple[str, str], ...] = (
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<answer>", "</answer>"),
)
# gpt-oss writes messages, each in a channel. Their header: the end of the last, the role, the channel's name, whom it
# is for, and its format, of which only the name is always there (github.com/openai/harmony, docs/format.md).
CHANNEL = "<|channel|>"
CHANNEL_MARKS = (CHANNEL, "<|start|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>", "<|return|>")
_ENDS = ("<|end|>", "<|call|>", "<|return|>")
_LAST_END = r"(?:<\|(?:end|call|return)\|>\s*)?"
_ROLE = r"(?:<\|start\|>[^<]{0,100})?"
_FORMAT = r"(?:<\|constrain\|>[^<]{0,100})?"
_HEADER = re.compile(
    rf"{_LAST_END}{_ROLE}<\|channel\|>\s*(?P<name>analysis|commentary|final)\b[^<]{{0,100}}{_FORMAT}<\|message\|>"
)
_HEADER_SO_FAR = re.compile(rf"{_LAST_END}{_ROLE}(?:<\|channel\|>[^<]{{0,100}}{_FORMAT})?")
# What is left of two such messages where a server took the marks away.
_BARE_FINAL = "assistantfinal"
_BARE_ANALYSIS = re.compile(r"\s*analysis[A-Z]")

_OPENING = dict(TAGS)
_FRAME = dict(FRAMES)
_MARKS = (*(tag for pair in (*TAGS, *FRAMES) for tag in pair), *CHANNEL_MARKS)
_ANY = re.compile("|".join(re.escape(mark) for mark in (*_MARKS, _BARE_FINAL)))
_STARTS = {mark[:size] for mark in _MARKS for size in range(1, len(mark))}
_BARE_STARTS = {_BARE_FINAL[:size] for size in range(1, len(_BARE_FINAL))}
_LONGEST = max(map(len, _MARKS))

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
    Only a reply's beginning may open a thinking block or the first channel: a tag quoted in the middle of an answer is
    just text.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._where: Literal["reply", "thinking"] = "thinking" if opened else "reply"
        self._closing: str | None = None
        self._frame: str | None = None  # what closes the frame around the reply
        self._quoted: set[str] = set()  # closing tags of those that were opened within the reply
        self._channels = False  # the text comes in channels
        self._header = ""  # what may be the header of a channel
        self._pending = ""
        self._beginning = ""  # of the reply
        self._replied = False  # the reply holds something other than white space
        self.thought = opened  # a thinking block was opened

    def feed(self, text: str) -> list[Piece]:
        """The pieces that can be told apart so far; what may be the start of a tag is kept for later."""
        self._pending += text
        pieces: list[Piece] = []
        at = 0
        for match in _ANY.finditer(self._pending):
            self._text(pieces, self._pending[at : match.start()])
            self._mark(pieces, match.group())
            at = match.end()
        self._pending = self._pending[at:]
        cut = len(self._pending) - self._possible_mark()
        self._text(pieces, self._pending[:cut])
        self._pending = self._pending[cut:]
        return pieces

    def close(self) -> list[Piece]:
        """What was kept back: it was no tag."""
        pieces: list[Piece] = []
        self._text(pieces, self._pending)
        if not (self._channels and self._header.startswith(_ENDS)):
            self._emit(pieces, self._header)
        self._pending = self._header = ""
        return pieces

    def _text(self, pieces: list[Piece], text: str) -> None:
        if text and not (self._header and self._heads(pieces, text)):
            self._emit(pieces, text)

    def _mark(self, pieces: list[Piece], mark: str) -> None:
        if (self._header or self._may_head(mark)) and self._heads(pieces, mark):
            return
        if self._channels:
            self._emit(pieces, mark)
        elif self._where == "reply" and mark in _FRAME and self.thought and not self._replied:
            self._frame = _FRAME[mark]
        elif self._where == "reply" and mark == self._frame:
            self._frame = None
        else:
            self._tag(pieces, mark)

    def _tag(self, pieces: list[Piece], tag: str) -> None:
        if tag in _OPENING and self._where == "reply" and not self._replied:
            self._where, self._closing, self.thought = "thinking", _OPENING[tag], True
        elif tag in _OPENING.values() and self._where == "thinking" and self._closing in (None, tag):
            self._where, self._closing = "reply", None
        elif self._never_opened(tag):
            pieces.append(Piece("", "reply", restart=True))
            self._replied, self.thought = False, True
        else:
            if self._where == "reply" and tag in _OPENING:
                self._quoted.add(_OPENING[tag])
            self._emit(pieces, tag)

    def _never_opened(self, tag: str) -> bool:
        """Whether this tag closes thinking that began before the reply's first character."""
        if self._where != "reply" or self.thought:
            return False
        if tag == _BARE_FINAL:
            return self._bare
        return tag in _OPENING.values() and not (tag in _ORDINARY and tag in self._quoted)

    @property
    def _bare(self) -> bool:
        """Whether the reply begins with a channel's name that has lost its marks."""
        return bool(_BARE_ANALYSIS.match(self._beginning))

    @property
    def _may_be_bare(self) -> bool:
        """The same, of a reply whose beginning may still be pending."""
        return self._where == "reply" and bool(_BARE_ANALYSIS.match(self._beginning + self._pending))

    def _may_head(self, mark: str) -> bool:
        """Whether a channel's header may begin with this mark here."""
        if self._where == "reply":
            return mark in _ENDS if self._channels else not self._replied and mark in ("<|start|>", CHANNEL)
        return self._channels and mark in (*_ENDS, "<|start|>", CHANNEL)

    def _heads(self, pieces: list[Piece], part: str) -> bool:
        """Whether this goes on with a header. Where it does not, what there is of one was text."""
        header = self._header + part
        if match := _HEADER.fullmatch(header):
            self._header = ""
            self._enter(pieces, match["name"])
            return True
        if _HEADER_SO_FAR.fullmatch(header):
            self._header = header
            return True
        text, self._header = self._header, ""
        self._emit(pieces, text)
        return False

    def _enter(self, pieces: list[Piece], channel: str) -> None:
        where: Literal["reply", "thinking"] = "reply" if channel == "final" else "thinking"
        if self._channels and where == self._where:
            self._emit(pieces, "\n\n")  # two messages in a row
        self._where, self._channels = where, True
        self.thought = self.thought or where == "thinking"

    def _emit(self, pieces: list[Piece], text: str) -> None:
        if not text:
            return
        if self._where == "reply":
            if len(self._beginning.lstrip()) < len("analysisX"):
                self._beginning = (self._beginning + text).lstrip()[: len("analysisX")]
            self._replied = self._replied or not text.isspace()
        pieces.append(Piece(text, self._where))

    def _possible_mark(self) -> int:
        """Length of the longest end of the pending text that a mark could begin with."""
        for size in range(min(_LONGEST - 1, len(self._pending)), 0, -1):
            end = self._pending[-size:]
            if end in _STARTS or (end in _BARE_STARTS and self._may_be_bare):
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
