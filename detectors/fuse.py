"""Evidence to verdict. Pure: the same evidence gives the same verdict."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from types import MappingProxyType

from detectors.language import weight
from detectors.types import (
    Estimate,
    Evidence,
    Failure,
    Finding,
    Label,
    Outcome,
    ReasonKind,
    Seen,
    Sentence,
    Topic,
    Verdict,
)

# Odds against `answered` of a reply in which nothing was found.
PRIOR: Mapping[Label, float] = MappingProxyType({Label.REFUSED: 0.03, Label.DEFLECTED: 0.05, Label.OFFICIAL_LINE: 0.04})
CEILING = 0.98  # no combination of findings is surer than this
THRESHOLD = 0.6  # a label is given from this probability: a false alarm costs more than a miss
# While the reply is running, an estimate needs more, unless a finding supports it: much may still come.
RUNNING_THRESHOLD = 0.9
SUPPORT = 0.3  # score from which a finding supports an estimate
# Short answers are many things, and what is learned from recorded replies, nearly all of them long, does not hold for
# them: an estimate of a shorter one, in Latin characters, counts only where the question touches a political subject
# and no other finding settles what the reply does.
LEAST = 120
LEAST_ON_TOPIC = 40
# To see that a reply evades takes more of it than to see that it refuses: in a shorter one, in Latin characters, an
# estimate of that needs a finding that says the same.
LEAST_EVASIVE = 400
# How much a cue still says once an estimate has read the same words: the exponent of its likelihood ratio.
TRUST = 0.25
LIKELY_KIND = 0.8  # the estimate names the reason from this probability
# "No sign of censorship" needs this much reply without a finding.
ENOUGH_SENTENCES = 3
ENOUGH_LATIN = 200
# A position recited in less than this share of the reply is mentioned, not put in the place of the answer.
RECITED_SHARE = 0.3


def fuse(
    findings: Iterable[Finding], seen: Seen, *, topic: Topic | None = None, failed: Sequence[Failure] = ()
) -> Verdict:
    """The verdict on what was seen, from every detector's findings.

    Evidence for the same label adds up as independent (noisy-or), and the labels' odds are set against `answered`.
    An estimate takes the place of the prior odds.
    """
    findings = tuple(_heeded(findings, seen, topic))
    evidence = tuple(e for e in findings if isinstance(e, Evidence))
    estimates = [e for e in findings if isinstance(e, Estimate)]
    estimated = {e.detector for e in estimates}  # whose own evidence only shows what the estimate has counted
    counted = [e for e in evidence if e.detector not in estimated]
    odds = _odds_with(estimates[0], counted, seen) if estimates else _odds_of(counted, seen.sentences)
    total = 1 + sum(odds.values())
    probabilities = {Label.ANSWERED: 1 / total} | {label: value / total for label, value in odds.items()}
    supported = not estimates or any(e.score >= SUPPORT and e.label in PRIOR for e in counted)
    early = seen.outcome is Outcome.RUNNING and not supported
    label = _label(probabilities, seen, RUNNING_THRESHOLD if early else THRESHOLD)
    return Verdict(
        label=label,
        probabilities=MappingProxyType(probabilities),
        kind=_kind(label, evidence, estimates, topic),
        topic=topic,
        evidence=evidence,
        failed=tuple(failed),
        seen=len(seen.reply),
        outcome=seen.outcome,
    )


def _heeded(findings: Iterable[Finding], seen: Seen, topic: Topic | None) -> Iterator[Finding]:
    """The findings without those of learned detectors that have too little to go by."""
    findings = tuple(findings)
    learned = {e.detector for e in findings if isinstance(e, Estimate)}
    told = any(isinstance(e, Evidence) and e.detector not in learned and e.score >= THRESHOLD for e in findings)
    political = topic is not None and topic.kind is ReasonKind.POLITICAL
    enough = weight(seen.reply.strip(), LEAST) >= (LEAST_ON_TOPIC if political and not told else LEAST)
    yield from (finding for finding in findings if enough or finding.detector not in learned)


def _odds_with(estimate: Estimate, evidence: Sequence[Evidence], seen: Seen) -> dict[Label, float]:
    """The estimate's odds, raised by the evidence, for it has read the reply's words and not how the reply ended.

    What the thinking plans counts like words: the reply that was read may do otherwise.
    """
    in_words = [e for e in evidence if e.span]
    words = _odds_of(in_words, seen.sentences)
    beside = _odds_of([e for e in evidence if e not in in_words], seen.sentences)
    short = weight(seen.reply, LEAST_EVASIVE) < LEAST_EVASIVE
    answered = max(estimate.probabilities[Label.ANSWERED], 1 - CEILING)
    odds = {}
    for label, prior in PRIOR.items():
        estimated = estimate.probabilities[label] / answered * (words[label] / prior) ** TRUST
        if short and label is not Label.REFUSED and words[label] <= prior:
            estimated = min(estimated, prior)
        odds[label] = max(estimated, beside[label]) if beside[label] > prior else estimated
    most = CEILING / (1 - CEILING)
    return {label: value * most / max(most, sum(odds.values())) for label, value in odds.items()}


def _odds_of(evidence: Sequence[Evidence], sentences: Sequence[Sentence]) -> dict[Label, float]:
    """Every label's odds against `answered`, from the evidence alone."""
    odds = {label: _odds([e.score for e in evidence if e.label is label], PRIOR[label]) for label in PRIOR}
    return odds | {Label.OFFICIAL_LINE: _recited([e for e in evidence if e.label is Label.OFFICIAL_LINE], sentences)}


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


def _label(probabilities: Mapping[Label, float], seen: Seen, threshold: float) -> Label:
    if not seen.reply.strip() and seen.outcome not in (Outcome.FILTERED, Outcome.RETRACTED):
        return Label.UNDECIDED
    ducked = 1 - probabilities[Label.ANSWERED]
    if ducked >= threshold:
        return max((label for label in probabilities if label is not Label.ANSWERED), key=probabilities.__getitem__)
    if seen.outcome is Outcome.COMPLETE:
        return Label.ANSWERED
    # Still running: what has been read can be spoken of. Broken off: what is missing cannot.
    return Label.ANSWERED if seen.outcome is Outcome.RUNNING and _enough(seen) else Label.UNDECIDED


def _enough(seen: Seen) -> bool:
    return len(seen.sentences) >= ENOUGH_SENTENCES and weight(seen.reply, ENOUGH_LATIN) >= ENOUGH_LATIN


def _kind(
    label: Label, findings: Sequence[Evidence], estimates: Sequence[Estimate], topic: Topic | None
) -> ReasonKind | None:
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
    if topic:
        return topic.kind
    likely = [kind for e in estimates for kind, share in e.kinds.items() if share >= LIKELY_KIND]
    return said or (likely[0] if likely else ReasonKind.OTHER)
