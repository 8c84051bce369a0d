"""Evidence to verdict. Pure: the same evidence gives the same verdict."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from types import MappingProxyType

from detectors.types import Evidence, Failure, Label, Outcome, ReasonKind, Seen, Sentence, Topic, Verdict

# Odds against `answered` of a reply in which nothing was found.
PRIOR: Mapping[Label, float] = MappingProxyType({Label.REFUSED: 0.03, Label.DEFLECTED: 0.05, Label.OFFICIAL_LINE: 0.04})
CEILING = 0.98  # no combination of findings is surer than this
THRESHOLD = 0.6  # a label is given from this probability: a false alarm costs more than a miss
# "No sign of censorship" needs this much reply without a finding; a Chinese character says about three Latin ones.
ENOUGH_SENTENCES = 3
ENOUGH_LATIN = 200
CHARACTERS_PER_CJK = 3
# A position recited in less than this share of the reply is mentioned, not put in the place of the answer.
RECITED_SHARE = 0.3


def fuse(
    evidence: Iterable[Evidence], seen: Seen, *, topic: Topic | None = None, failed: Sequence[Failure] = ()
) -> Verdict:
    """The verdict on what was seen, from every detector's findings.

    Findings for the same label add up as independent ones (noisy-or), and the labels' odds are set against `answered`.
    """
    findings = tuple(evidence)
    odds = {label: _odds([e.score for e in findings if e.label is label], PRIOR[label]) for label in PRIOR}
    odds[Label.OFFICIAL_LINE] = _recited([e for e in findings if e.label is Label.OFFICIAL_LINE], seen.sentences)
    total = 1 + sum(odds.values())
    probabilities = {Label.ANSWERED: 1 / total} | {label: value / total for label, value in odds.items()}
    label = _label(probabilities, seen)
    return Verdict(
        label=label,
        probabilities=MappingProxyType(probabilities),
        kind=_kind(label, findings, topic),
        topic=topic,
        evidence=findings,
        failed=tuple(failed),
        seen=len(seen.reply),
        outcome=seen.outcome,
    )


def _odds(scores: Sequence[float], prior: float) -> float:
    if not scores:
        return prior
    probability = min(CEILING, 1 - prod(1 - score for score in scores))
    return max(prior, probability / (1 - probability))


def _recited(lines: Sequence[Evidence], sentences: Sequence[Sentence]) -> float:
    """The odds of an official line: what rests on words of the reply counts less where those are few."""
    starts = sorted(e.span.start for e in lines if e.span is not None and e.span.where == "reply")
    elsewhere = [e.score for e in lines if e.span is None or e.span.where != "reply"]
    prior = PRIOR[Label.OFFICIAL_LINE]
    share = min(1.0, _share(starts, sentences) / RECITED_SHARE)
    return max(_odds(elsewhere, prior), share * _odds([e.score for e in lines], prior))


def _share(starts: Sequence[int], sentences: Sequence[Sentence]) -> float:
    """Share of the reply's characters in sentences that hold one of these offsets, which are in order."""
    length = sum(len(s.text) for s in sentences)
    held = (s for s in sentences if bisect_left(starts, s.span.start) < bisect_left(starts, s.span.end))
    return sum(len(s.text) for s in held) / length if length else 1.0


def _label(probabilities: Mapping[Label, float], seen: Seen) -> Label:
    if not seen.reply.strip() and seen.outcome not in (Outcome.FILTERED, Outcome.RETRACTED):
        return Label.UNDECIDED
    ducked = 1 - probabilities[Label.ANSWERED]
    if ducked >= THRESHOLD:
        return max((label for label in probabilities if label is not Label.ANSWERED), key=probabilities.__getitem__)
    if seen.outcome is Outcome.COMPLETE:
        return Label.ANSWERED
    # Still running: what has been read can be spoken of. Broken off: what is missing cannot.
    return Label.ANSWERED if seen.outcome is Outcome.RUNNING and _enough(seen) else Label.UNDECIDED


def _enough(seen: Seen) -> bool:
    cjk = sum("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in seen.reply[: ENOUGH_LATIN + 1])
    weight = len(seen.reply) + cjk * (CHARACTERS_PER_CJK - 1)
    return len(seen.sentences) >= ENOUGH_SENTENCES and weight >= ENOUGH_LATIN


def _kind(label: Label, findings: Sequence[Evidence], topic: Topic | None) -> ReasonKind | None:
    """Why the reply is not answered. A political subject outweighs "unsafe", which is how some refusals are dressed."""
    if label in (Label.ANSWERED, Label.UNDECIDED):
        return None
    if label is Label.OFFICIAL_LINE:
        return ReasonKind.POLITICAL
    named = [e for e in findings if e.kind is not None and e.label is label]
    said = max(named, key=lambda e: e.score).kind if named else None
    # "I have no access to that" is a reason of its own, unless on a political subject something else declines too.
    others = [e for e in findings if e.label is label and e.kind is not ReasonKind.CAPABILITY]
    dressed = topic is not None and any(e.score >= THRESHOLD for e in others)
    if said is ReasonKind.CAPABILITY and not dressed:
        return said
    return topic.kind if topic else said or ReasonKind.OTHER
