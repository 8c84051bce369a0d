"""Names the sensitive subject that a question touches, from the list in `configs/topics.toml`."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from detectors.config import WEIGHTS, read
from detectors.errors import ConfigError
from detectors.types import ReasonKind, Span, Topic

if TYPE_CHECKING:
    from detectors.meaning import TopicReader

READER = WEIGHTS / "topics.safetensors"  # what finds topics by meaning

WINDOW = 300  # characters between a weak alias and its context word: about three sentences

HEAD = 3  # characters of an alias that are looked up before the whole of it
MOST_HITS = 5_000  # a question with more of them says the same again and again

_NUMERALS = "〇零一二三四五六七八九十百千万萬亿億两兩"
# What has to hold before an alias, by its first character, and after it, by its last.
_BEFORE = {"digit": r"(?<![#$€£¥])(?<!\d[.,:+*/=])", "numeral": f"(?<![{_NUMERALS}])"}
_AFTER = {
    "letter": r"(?:'?s|es|')?\b",  # plurals and possessives
    "digit": r"(?![\w%€£¥]|[.,:+*/=] ?\d)",
    "numeral": f"(?![{_NUMERALS}])",
}
_REST_OF_WORD = r"[a-z]*\b"


@dataclass(frozen=True, slots=True)
class TopicEntry:
    """One `[[topic]]` of the file.

    A `strong` alias settles the topic alone, a `weak` one only within `WINDOW` characters of a `context`
    word.
    An alias or context word inside a `but_not` phrase counts for nothing.
    A `general` topic yields to any that is not.
    A closing `*` stands for the rest of a Latin word.
    """

    id: str
    region: str
    name: dict[str, str]
    strong: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    but_not: tuple[str, ...] = ()
    general: bool = False
    kind: ReasonKind = ReasonKind.POLITICAL


@dataclass(frozen=True, slots=True)
class TopicFile:
    """The whole of `configs/topics.toml`."""

    topic: tuple[TopicEntry, ...]


class _Role(Enum):
    STRONG = auto()
    WEAK = auto()
    CONTEXT = auto()
    BUT_NOT = auto()


@dataclass(frozen=True, slots=True)
class _Use:
    """What an alias stands for in one topic, and what has to hold before and after it in the text."""

    entry: int
    role: _Role
    before: re.Pattern[str]
    after: re.Pattern[str]


class _Place(NamedTuple):
    start: int
    end: int

    def overlaps(self, other: _Place) -> bool:
        return self.start < other.end and other.start < self.end


class _Candidate(NamedTuple):
    """A topic that may be the answer; the fields are in the order in which they decide."""

    specific: bool
    strong: bool
    length: int
    earliness: int  # minus the offset
    order: int  # minus the place in the file


class TopicIndex:
    """Finds topics in questions, by their names and, with a reader, by meaning. Compiled once; `find` keeps nothing."""

    def __init__(self, entries: Iterable[TopicEntry], reader: TopicReader | None = None) -> None:
        self.entries = tuple(entries)
        self._reader = reader
        self._uses: dict[str, list[_Use]] = defaultdict(list)
        lengths: dict[str, set[int]] = defaultdict(set)  # head -> lengths of the aliases that begin so
        for number, entry in enumerate(self.entries):
            for role in _Role:
                for alias in getattr(entry, role.name.lower()):
                    text = fold(alias)[0].removesuffix("*")
                    before = _BEFORE.get(_kind(text[0]), "")
                    after = _REST_OF_WORD if alias.endswith("*") else _AFTER.get(_kind(text[-1]), "")
                    use = _Use(number, role, re.compile(before, re.ASCII), re.compile(after, re.ASCII))
                    self._uses[text].append(use)
                    lengths[text[:HEAD]].add(len(text))
        self._lengths = {head: sorted(those) for head, those in lengths.items()}
        others = {head[0] for head in lengths if not head[0].isascii()}
        # An alias may begin where a Latin word or number does, and at the first character of any other.
        starts = [r"\b[a-z0-9]", f"[{re.escape(''.join(sorted(others)))}]"]
        self._starts = [re.compile(start, re.ASCII) for start in starts[: 1 + bool(others)]]

    def find(self, question: str, lang: str = "en") -> Topic | None:
        """The topic that the question touches most plainly, or None.

        A specific topic goes before a general one, strong before weak, a longer alias before a shorter one. A topic
        that is found by meaning alone has the whole question for its span.
        `lang` is the language of the topic's name; English where the file has no such name.
        """
        text, offsets = fold(question)
        found: dict[tuple[int, _Role], list[_Place]] = defaultdict(list)
        for place, use in islice(self._hits(text), MOST_HITS):
            found[use.entry, use.role].append(place)
        for places in found.values():
            places.sort()
        best = max(self._candidates(found), default=None)
        if best is not None:
            start = -best.earliness
            span = Span(offsets[start], offsets[start + best.length - 1] + 1, "question")
            return _topic(self.entries[-best.order], span, lang)
        meant = self._reader.find(text) if self._reader else None
        entry = next((entry for entry in self.entries if entry.id == meant), None)
        return _topic(entry, Span(0, len(question), "question"), lang) if entry else None

    def _candidates(self, found: dict[tuple[int, _Role], list[_Place]]) -> Iterator[_Candidate]:
        """Every topic that has an alias which counts, once for each such alias."""
        excepted = {number: places for (number, role), places in found.items() if role is _Role.BUT_NOT}
        counted = {
            (number, role): [place for place in places if not _overlapped(place, excepted.get(number, ()))]
            for (number, role), places in found.items()
        }
        for (number, role), places in counted.items():
            if role is _Role.CONTEXT or role is _Role.BUT_NOT:
                continue
            contexts = counted.get((number, _Role.CONTEXT), ())
            for place in places:
                # A context word that is part of the alias itself is none.
                if role is _Role.WEAK and all(map(place.overlaps, _around(place, contexts))):
                    continue
                yield _Candidate(
                    specific=not self.entries[number].general,
                    strong=role is _Role.STRONG,
                    length=place.end - place.start,
                    earliness=-place.start,
                    order=-number,
                )

    def _hits(self, text: str) -> Iterator[tuple[_Place, _Use]]:
        """Where every alias is in the folded text, overlapping ones included, and its uses."""
        for starts in self._starts:
            for match in starts.finditer(text):
                start = match.start()
                for size in range(2, HEAD + 1):
                    for length in self._lengths.get(text[start : start + size], ()):
                        yield from self._uses_at(text, start, start + length)

    def _uses_at(self, text: str, start: int, end: int) -> Iterator[tuple[_Place, _Use]]:
        for use in self._uses.get(text[start:end], ()):
            rest = use.after.match(text, end)
            if rest and use.before.match(text, start):
                yield _Place(start, rest.end()), use


def _topic(entry: TopicEntry, span: Span, lang: str) -> Topic:
    name = entry.name.get(lang) or entry.name.get(re.split("[-_]", lang)[0]) or entry.name["en"]
    return Topic(entry.id, name, entry.region, span, entry.kind)


def load_topics(path: Path | None = None, *, reader: TopicReader | None = None) -> TopicIndex:
    """The topics of `configs/topics.toml`, or of the file at `path`. Raises `ConfigError`."""
    entries = read("topics", TopicFile, path=path).topic
    seen: dict[str, str] = {}  # id or strong alias -> the topic that has it
    for entry in entries:
        where = f"topics.toml: topic {entry.id!r}"
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.id):
            raise ConfigError(f"{where}: an id is kebab-case: small letters, digits and single hyphens.")
        if not entry.name.get("en"):
            raise ConfigError(f"{where}: no English name. Add `name = {{ en = ... }}`.")
        if not (entry.strong or entry.weak) or bool(entry.weak) is not bool(entry.context):
            raise ConfigError(f"{where}: it needs strong aliases, or weak ones together with context words.")
        for alias in (*entry.strong, *entry.weak, *entry.context, *entry.but_not):
            if "*" in alias and not re.search(r"^[^*]*[A-Za-z]\*$", alias):
                raise ConfigError(f"{where}: in {alias!r} the * is not at the end of a Latin word. Move it.")
            if len(fold(alias)[0].removesuffix("*").strip()) < 2:
                raise ConfigError(f"{where}: the alias {alias!r} is shorter than two characters.")
        for key in (f"id {entry.id}", *{f"strong alias {fold(alias)[0]}" for alias in entry.strong}):
            if key in seen:
                raise ConfigError(f"{where}: the {key!r} is already in topic {seen[key]!r}. Keep one.")
            seen[key] = entry.id
    return TopicIndex(entries, reader)


def fold(text: str) -> tuple[str, Sequence[int]]:
    """The text as it is compared, and for each character of that its offset in `text`.

    Without case, accents, width and invisible characters; every space and hyphen is one plain space.
    """
    table = {ord(character): _fold_character(character) for character in set(text)}
    folded = text.translate(table)
    if all(len(became) == 1 for became in table.values()):
        return folded, range(len(text))
    return folded, [offset for offset, character in enumerate(text) for _ in table[ord(character)]]


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    if character.isspace() or character == "_" or unicodedata.category(character) == "Pd":
        return " "
    if character in "‘’ʼ`´":
        return "'"
    parts = unicodedata.normalize("NFKD", character.casefold())
    kept = "".join(part for part in parts if unicodedata.category(part) not in ("Mn", "Cf"))
    folded = unicodedata.normalize("NFKC", kept)
    return folded if len(folded) < 2 or folded.isalnum() else character  # "…" stays one character


def _kind(character: str) -> str:
    if character.isascii():
        return "digit" if character.isdigit() else "letter" if character.isalpha() else "other"
    return "numeral" if character in _NUMERALS else "other"


def _overlapped(place: _Place, others: Sequence[_Place]) -> bool:
    return any(map(place.overlaps, _around(place, others)))


def _around(place: _Place, others: Sequence[_Place]) -> Iterator[_Place]:
    """Those of `others`, which are in order, that begin within `WINDOW` characters of the place."""
    for index in range(bisect_left(others, (place.start - WINDOW, 0)), len(others)):
        if others[index].start > place.end + WINDOW:
            return
        yield others[index]
