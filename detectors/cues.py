"""Cues: wordings with which models decline, change the subject or recite an official position.

They say *how* a reply ducks, never what it is about. Words in quotation marks, reported speech, lines of a
script and conditions ("if I cannot answer") do not count: there somebody else is speaking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from detectors.fold import fold
from detectors.types import Evidence, Label, ReasonKind, Seen, Sentence, Span, Turn

OPENING = 3  # index of the last sentence in which a refusal speaks for the whole reply
LONGEST_QUOTATION = 5_000  # characters of a paragraph in which the opening mark of a quotation is looked for
LOOK_BACK = 20_000  # characters of thinking in which an earlier finding makes a later one no news
RECITAL = 7  # index of the last sentence in which wordings of official texts are counted


@dataclass(frozen=True, slots=True)
class Cue:
    """A wording, as a regular expression on folded text: lower case, simplified characters, straight quotes.

    Line ends and indentation in the expression do not count. `score` holds in the opening, `late` after it.
    A cue with `then` gives a reason, and counts only in the sentence after one that declines.
    """

    group: str
    label: Label
    pattern: str
    score: float
    reason: str
    late: float = 0.15
    kind: ReasonKind | None = None
    then: bool = False


@dataclass(frozen=True, slots=True)
class Language:
    """The cues of one language, and what switches them off."""

    cues: tuple[Cue, ...]
    thinking: tuple[Cue, ...]
    recital: tuple[str, ...]  # wordings of official texts; one alone proves little
    recital_scores: tuple[float, ...]  # with 1, 2, ... different ones seen
    recital_reason: str
    kinds: tuple[tuple[ReasonKind, str], ...]  # why it declines, where that sentence says so
    reported: str  # before a match: somebody else's words, or a condition
    described: str  # anywhere in the sentence: a position is described, not taken
    unless: str  # right at a match, or after it: not a refusal after all
    partly: str  # after a match: it offers something instead
    voice: str  # in the question: a text in somebody else's voice is wanted


class Cues:
    """Finds wordings that decline, change the subject, or recite a government's or party's position.

    Scores come from the SpeechMap replies on which both judges agree (4,546 English, 959 Chinese, 1,009
    Finnish): the share of replies with the cue that were not answered, lowered where fewer than ten replies
    had it or where the questions, all on politics, flatter it. Cues that no such reply had ("let's talk about
    something else") are judged by eye. EVASIVE does not say whether a reply deflects or recites.
    """

    name = "cues"
    accumulates = True

    def __init__(self) -> None:
        # Imported here because the tables are written with the classes above.
        from detectors.cues_en import ENGLISH, FINNISH
        from detectors.cues_zh import CHINESE

        self._latin = (_Rules(ENGLISH), _Rules(FINNISH))
        self._chinese = (_Rules(CHINESE),)

    def inspect(self, turn: Turn, seen: Seen) -> Iterable[Evidence]:
        """Evidence in the new sentences: the likeliest finding for each label, sentence by sentence."""
        for sentence in seen.new:
            if sentence.span.where == "thinking":
                yield from self._thought(seen, sentence)
            else:
                yield from self._said(turn, seen, sentence)

    def _rules(self, text: str) -> tuple[_Rules, ...]:
        chinese = len(_CHINESE.findall(text))
        if not chinese:
            return self._latin
        # A character says about as much as a word: English with a Chinese term in it is still English.
        return self._latin + self._chinese if len(_WORD.findall(text)) > chinese else self._chinese

    def _thought(self, seen: Seen, sentence: Sentence) -> Iterator[Evidence]:
        """A plan to evade. Thinking turns round and round: the first such finding for a label stands for all."""
        folded = fold(sentence.text)
        for rules in self._rules(sentence.text):
            for cue, pattern in rules.thinking:
                if match := pattern.search(folded):
                    start = sentence.span.start
                    before = fold(seen.thinking[max(0, start - LOOK_BACK) : start])
                    if not any(other.search(before) for same, other in rules.thinking if same.label is cue.label):
                        yield _evidence(cue, sentence, match, cue.score, cue.kind)
                    return

    def _said(self, turn: Turn, seen: Seen, sentence: Sentence) -> Iterator[Evidence]:
        folded = fold(sentence.text)
        aside = Aside(sentence, seen.reply)
        for rules in self._rules(sentence.text):
            found: dict[Label, Evidence] = {}
            for cue, pattern in rules.cues:
                if cue.then and not self._declined_before(rules, seen, sentence):
                    continue
                match = rules.match(cue, pattern, folded, aside)
                if match is None:
                    continue
                score = cue.score if sentence.index <= OPENING else cue.late
                if cue.label is Label.OFFICIAL_LINE and rules.voice.search(fold(turn.question)):
                    score *= 0.5  # the text that was asked for may well speak so
                elif cue.label is Label.REFUSED and rules.partly.search(folded, match.end()):
                    score *= 0.9
                if cue.label not in found or found[cue.label].score < score:
                    kind = cue.kind or rules.kind(folded)
                    found[cue.label] = _evidence(cue, sentence, match, score, kind)
            recital = self._recital(rules, turn, seen, sentence)
            if recital and (Label.OFFICIAL_LINE not in found or found[Label.OFFICIAL_LINE].score < recital.score):
                found[Label.OFFICIAL_LINE] = recital
            yield from found.values()

    def _declined_before(self, rules: _Rules, seen: Seen, sentence: Sentence) -> bool:
        """Whether the sentence before this one declines."""
        if not 0 < sentence.index <= min(OPENING + 1, len(seen.sentences)):
            return False
        before = seen.sentences[sentence.index - 1]
        folded, aside = fold(before.text), Aside(before, seen.reply)
        return any(
            rules.match(cue, pattern, folded, aside)
            for cue, pattern in rules.cues
            if cue.label is Label.REFUSED and cue.score >= 0.8 and not cue.then
        )

    def _recital(self, rules: _Rules, turn: Turn, seen: Seen, sentence: Sentence) -> Evidence | None:
        """Official wordings pile up in a recital: how many different ones were used up to this sentence?"""
        if sentence.index > RECITAL:
            return None
        here = rules.recited(sentence, seen.reply)
        if not here:
            return None
        used = set(here)
        for before in seen.sentences[: sentence.index]:
            used |= rules.recited(before, seen.reply).keys()
        # About one a sentence or more: a longer text has room for a few by chance.
        count = min(len(used), len(rules.recital_scores)) if len(used) * 2 > sentence.index else 1
        if count > 1 and rules.voice.search(fold(turn.question)):
            count -= 1  # the text that was asked for may well speak so
        score = rules.recital_scores[count - 1]
        start, end = min(span[0] for span in here.values()), max(span[1] for span in here.values())
        span = Span(sentence.span.start + start, sentence.span.start + end, sentence.span.where)
        return Evidence(self.name, Label.OFFICIAL_LINE, score, rules.recital_reason, span, ReasonKind.POLITICAL)


def _evidence(cue: Cue, sentence: Sentence, match: re.Match[str], score: float, kind: ReasonKind | None) -> Evidence:
    start = sentence.span.start
    span = Span(start + match.start(), start + match.end(), sentence.span.where)
    return Evidence(Cues.name, cue.label, round(score, 2), cue.reason, span, kind)


def _compile(pattern: str) -> re.Pattern[str]:
    """The expression, written over several lines, as one."""
    return re.compile(re.sub(r"\n *", "", pattern))


class _Rules:
    """A `Language` with its expressions compiled."""

    def __init__(self, language: Language) -> None:
        self.cues = [(cue, _compile(cue.pattern)) for cue in language.cues]
        self.thinking = [(cue, _compile(cue.pattern)) for cue in language.thinking]
        self.recital = [_compile(pattern) for pattern in language.recital]
        self.recital_scores = language.recital_scores
        self.recital_reason = language.recital_reason
        self._kinds = [(kind, _compile(pattern)) for kind, pattern in language.kinds]
        self._reported = _compile(language.reported)
        self._described = _compile(language.described)
        self._unless = _compile(language.unless)
        self.partly = _compile(language.partly)
        self.voice = _compile(language.voice)

    def kind(self, folded: str) -> ReasonKind | None:
        """Why the sentence declines, in its own words."""
        return next((kind for kind, pattern in self._kinds if pattern.search(folded)), None)

    def match(self, cue: Cue, pattern: re.Pattern[str], folded: str, aside: Aside) -> re.Match[str] | None:
        """The cue's first match that is the model's own word."""
        for match in pattern.finditer(folded):
            if aside.covers(match.start()):
                continue
            if cue.label is Label.OFFICIAL_LINE:
                another = self._described.search(folded)
            else:
                another = self._reported.search(folded[: match.start()])
                another = another or self._unless.search(folded, match.start())
            if not another:
                return match
        return None

    def recited(self, sentence: Sentence, reply: str) -> dict[int, tuple[int, int]]:
        """Which official wordings the sentence uses, and where."""
        folded, aside = fold(sentence.text), Aside(sentence, reply)
        spans: dict[int, tuple[int, int]] = {}
        for number, pattern in enumerate(self.recital):
            match = pattern.search(folded)
            if match and not aside.covers(match.start()):
                spans[number] = match.span()
        return spans if spans and not self._described.search(folded) else {}


_WORD = _compile(r"[A-Za-z]{2,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_QUOTED = re.compile(
    r"“[^”]*(?:”|$)|\"[^\"]*(?:\"|$)|«[^»]*(?:»|$)|「[^」]*(?:」|$)|『[^』]*(?:』|$)"
    r"|(?<!\w)[‘'](?:[^’']|(?<=\w)[’'](?=\w))+[’'](?!\w)"
)
# "Envoy: I cannot answer" is a line of a script; "Short answer:" and "[GPT]:" are the model's own.
_SPEAKER = re.compile(r"\s*(?:>|[*_#\s-]*(?P<who>[^\W\d][^:：.!?。！？\n*]{0,40})[*_]{0,2}\s?[:：][*_]{0,2}\s?\S)")
_OWN_VOICE = re.compile(
    r"answer|respon[sd]|note\b|notice|assistant|\bai\b|gpt|\bbot\b|model|disclaimer|warning|important|reply|sorry"
    r"|apolog|unfortunately|\bi\b|\blet(?:'s|\sus)\b|\b(?:is|are)\b|回答|回复|回覆|答|注|说明|提示|助手|声明|抱歉|对不起|我"
)


class Aside:
    """The parts of a sentence in which somebody else speaks, worked out once there is a match to check."""

    def __init__(self, sentence: Sentence, whole: str) -> None:
        self._sentence = sentence
        self._whole = whole
        self._quotes: list[tuple[int, int]] | None = None

    def covers(self, offset: int) -> bool:
        """Whether the character at this offset of the sentence is in quotation marks or in a script."""
        if self._quotes is None:
            self._quotes = self._find()
        return any(start <= offset < end for start, end in self._quotes)

    def _find(self) -> list[tuple[int, int]]:
        text, start = self._sentence.text, self._sentence.span.start
        speaker = _SPEAKER.match(text)
        if speaker and not (speaker["who"] and _OWN_VOICE.search(fold(speaker["who"]))):
            return [(0, len(text))]
        # A quotation may have begun earlier in the paragraph.
        paragraph = max(self._whole.rfind("\n", 0, start) + 1, start - LONGEST_QUOTATION)
        before = start - paragraph
        line = self._whole[paragraph:start] + text
        spans = (match.span() for match in _QUOTED.finditer(line))
        return [(left - before, right - before) for left, right in spans if right > before]
