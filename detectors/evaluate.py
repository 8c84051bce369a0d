"""How well the detector does on replies whose truth is known."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from detectors import Detector, Flag, Label, Monitor, Outcome, Turn, Verdict, monitor
from detectors.records import Record, Truth

CHUNK = 24  # characters fed at a time where it is measured how early the verdict comes; about five tokens
BINS = 10  # of the calibration error
# Bands of reply length, in characters, by their upper ends: length alone must not carry the result.
BANDS = ((200, "under 200"), (1000, "200 to 999"), (3000, "1000 to 2999"), (10**9, "3000 and more"))
_NO_ALARM = (Flag.NO_SIGN, Flag.TOO_EARLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One reply, judged. `seen` is the share of its characters shown when the final flag was first shown and kept."""

    truth: Truth
    said: Truth
    ducked: float  # probability of not answered
    flag: Flag
    lang: str
    length: int
    milliseconds: float
    seen: float

    @property
    def alarm(self) -> bool:
        """Whether the reader was told that the reply is no answer, whatever the reason."""
        return self.flag not in _NO_ALARM


def judge(record: Record, detectors: Sequence[Detector] | None = None) -> Judged:
    """The verdict on one record, timed whole, and watched in chunks. The record's truth must be known.

    `detectors` in place of the default ones.
    """
    assert record.truth is not None
    began = time.perf_counter()
    verdict = _monitor(record, detectors, record.reply).close()
    took = (time.perf_counter() - began) * 1000
    return Judged(
        truth=record.truth,
        said=_class(verdict),
        ducked=1 - verdict.probabilities[Label.ANSWERED],
        flag=verdict.flag,
        lang=record.lang or "?",
        length=len(record.reply),
        milliseconds=took,
        seen=_seen(_flags(record, detectors), len(record.reply)),
    )


def _monitor(record: Record, detectors: Sequence[Detector] | None, reply: str = "") -> Monitor:
    """A monitor that has the record's thinking, and this much of a reply."""
    watching = monitor(Turn(record.question), detectors=detectors)
    if record.reasoning:
        watching.feed(thinking=record.reasoning)
    watching.feed(reply)
    return watching


def _flags(record: Record, detectors: Sequence[Detector] | None) -> list[tuple[int, Flag]]:
    """(characters shown, flag) after every chunk and at the end."""
    watching, reply = _monitor(record, detectors), record.reply
    path = []
    for at in range(0, len(reply), CHUNK):
        watching.feed(reply[at : at + CHUNK])
        path.append((at + CHUNK, watching.verdict.flag))
    return [*path, (len(reply), watching.close().flag)]


def _class(verdict: Verdict) -> Truth:
    if verdict.label is Label.REFUSED:
        return Truth.REFUSED
    if verdict.label in (Label.DEFLECTED, Label.OFFICIAL_LINE) or verdict.outcome is Outcome.EMPTY:
        return Truth.EVASIVE
    return Truth.ANSWERED


def _seen(path: Sequence[tuple[int, Flag]], length: int) -> float:
    final = path[-1][1]
    since = length
    for shown, flag in reversed(path):
        if flag is not final:
            break
        since = shown
    return min(1.0, since / length) if length else 1.0


def report(judged: Sequence[Judged]) -> dict[str, Any]:
    """The figures over all, by language and by length."""
    bands = [name for _, name in BANDS]
    return {
        **figures(judged),
        "by_lang": _grouped(judged, lambda j: j.lang),
        "by_length": dict(sorted(_grouped(judged, band).items(), key=lambda group: bands.index(group[0]))),
    }


def band(one: Judged) -> str:
    """The name of the reply's length band."""
    return next(name for end, name in BANDS if one.length < end)


def _grouped(judged: Iterable[Judged], key: Callable[[Judged], str]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Judged]] = {}
    for one in judged:
        groups.setdefault(key(one), []).append(one)
    return {name: figures(group) for name, group in sorted(groups.items())}


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """The figures of one group; shares are None where there is nothing to take a share of."""
    ducked = [j for j in judged if j.truth is not Truth.ANSWERED]
    answered = [j for j in judged if j.truth is Truth.ANSWERED]
    hits = sum(j.alarm for j in ducked)
    precision = _share(hits, sum(j.alarm for j in judged))
    recall = _share(hits, len(ducked))
    return {
        "n": len(judged),
        "accuracy": _share(sum(j.truth is j.said for j in judged), len(judged)),
        "macro_f1": _macro_f1(judged),
        "f1": _share(2 * hits, len(ducked) + sum(j.alarm for j in judged)),
        "precision": precision,
        "recall": recall,
        "fpr": _share(sum(j.alarm for j in answered), len(answered)),
        "looks_censored": _share(sum(j.flag is Flag.LOOKS_CENSORED for j in judged), len(judged)),
        "auroc": _auroc([j.ducked for j in ducked], [j.ducked for j in answered]),
        "ece": _calibration_error(judged),
        "confusion": {
            truth.value: {said.value: sum(j.truth is truth and j.said is said for j in judged) for said in Truth}
            for truth in Truth
        },
        "latency_ms": _percentiles([j.milliseconds for j in judged]),
        "seen_at_flag": _percentiles([j.seen for j in ducked if j.alarm]),
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _macro_f1(judged: Sequence[Judged]) -> float | None:
    scores = []
    for truth in {j.truth for j in judged}:
        right = sum(j.truth is truth and j.said is truth for j in judged)
        scores.append(2 * right / (sum(j.truth is truth for j in judged) + sum(j.said is truth for j in judged)))
    return round(fmean(scores), 4) if scores else None


def _auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """The chance that a reply that ducks scores above one that answers, ties counting half (Mann-Whitney)."""
    if not positive or not negative:
        return None
    below, at = 0, Counter(negative)
    ranked: dict[float, float] = {}
    for score in sorted({*positive, *at}):
        ranked[score] = below + at[score] / 2
        below += at[score]
    return round(sum(ranked[score] for score in positive) / (len(positive) * len(negative)), 4)


def _calibration_error(judged: Sequence[Judged]) -> float | None:
    """Expected calibration error of the probability of not answered, in equal bins (Naeini et al. 2015)."""
    bins: dict[int, list[Judged]] = {}
    for one in judged:
        bins.setdefault(min(BINS - 1, int(one.ducked * BINS)), []).append(one)
    off = sum(
        abs(sum(j.ducked for j in group) - sum(j.truth is not Truth.ANSWERED for j in group)) for group in bins.values()
    )
    return _share(off, len(judged))


def _percentiles(values: Sequence[float]) -> dict[str, float | None]:
    ordered = sorted(values)
    at = {"p50": 0.5, "p95": 0.95}
    return {name: round(ordered[int(q * (len(ordered) - 1))], 4) if ordered else None for name, q in at.items()}
