"""The learned detector: question and reply so far to the probability of each label.

Two readers, which err on different replies: a linear model over n-grams of the whole text in any language, and a small
encoder that reads the question with the reply's opening and closing. Their logits are weighed by a calibration for each
language, fitted on replies of models to questions that neither had been trained on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from detectors.config import WEIGHTS
from detectors.encoder import Encoder
from detectors.language import language, weight
from detectors.linear import OF_CLASSES, OF_EVASIONS, OF_KINDS, WHOLE, Floats, Linear, fields
from detectors.types import Estimate, Evidence, Finding, Label, Outcome, ReasonKind, Seen, Sentence, Turn

NAME = "classifier"
LEAST = 40  # Latin characters' worth of reply without which there is nothing to read; `fuse` says what of it counts
STEP = 120  # Latin characters that have to come before it reads a running reply again
AGAIN = 2  # it reads again when the reply has grown by this factor: the work stays proportional to the length
POINTED = 3  # sentences shown as evidence, at most
TELLING = 0.3  # what a sentence must add to the logit of not answered, to be shown
SHOWN_FROM = 0.5  # probability of not answered from which sentences are pointed at
# What is taken for likely of a reply in a language that it has not learned: [answered, refused, evasive].
STRANGE = np.array([0.9, 0.05, 0.05], np.float32)
_KINDS = (ReasonKind.POLITICAL, ReasonKind.SAFETY, ReasonKind.CAPABILITY, ReasonKind.OTHER)
_REASONS = {
    Label.REFUSED: "Reads like the refusals it has learned from.",
    Label.DEFLECTED: "Reads like the evasions it has learned from: it says something else than was asked.",
    Label.OFFICIAL_LINE: "Reads like the official positions it has learned from.",
}


@dataclass(frozen=True, slots=True)
class Scale:
    """What each reader's log-probabilities count for, and what is added: [answered, refused, evasive]."""

    linear: float
    encoder: float
    bias: tuple[float, float, float]


Scales = Mapping[str, Scale]  # by language; "" for any other


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scales for finished replies, and for those still running."""

    ended: Scales
    running: Scales

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Reads the JSON that `detectors.train` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        scales = {
            name: {lang: Scale(s["linear"], s["encoder"], tuple(s["bias"])) for lang, s in data[name].items()}
            for name in ("ended", "running")
        }
        return cls(**scales)


class Classifier:
    """Estimates every label's probability, and points at the sentences that tell. Raises `OSError` without weights."""

    name = NAME
    accumulates = False

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._linear = Linear.load(weights / "linear.safetensors")
        self._encoder = Encoder(weights / "encoder")
        self._calibration = Calibration.load(weights / "calibration.json")
        # What was read at the last look need not be read again at the next one.
        self._read = lru_cache(maxsize=64)(self._judge)

    def inspect(self, turn: Turn, seen: Seen) -> Iterator[Finding]:
        """The estimate, and the sentences that speak most for the label where it is not answered."""
        ended = seen.outcome is Outcome.COMPLETE
        end = len(seen.reply) if ended else _looked(seen.sentences)
        if weight(seen.reply[:end].strip(), LEAST) < LEAST:
            return
        estimate = self._read(turn.question, seen.reply[:end], ended)
        yield estimate
        yield from self._telling(estimate, seen.reply[:end], [s for s in seen.sentences if s.span.end <= end])

    def _judge(self, question: str, reply: str, ended: bool) -> Estimate:
        found = fields(question, reply, ended=ended)
        linear = self._linear.logits(found)
        lang = language(reply)
        scales = self._calibration.ended if ended else self._calibration.running
        scale = scales.get(lang or "", scales[""])
        encoder = self._encoder.logits(question, reply).numpy()
        logits = scale.linear * _log_softmax(linear[OF_CLASSES]) + scale.encoder * _log_softmax(encoder)
        chances = np.exp(_log_softmax(logits + np.array(scale.bias)))
        if lang is None:
            chances = (chances + STRANGE) / 2  # as much a guess as a reading: never enough to flag by itself
        answered, refused, evasive = (float(p) for p in chances)
        official = float(1 / (1 + np.exp(-linear[OF_EVASIONS][0])))
        kinds = np.exp(_log_softmax(linear[OF_KINDS]))
        return Estimate(
            NAME,
            MappingProxyType(
                {
                    Label.ANSWERED: answered,
                    Label.REFUSED: refused,
                    Label.DEFLECTED: evasive * (1 - official),
                    Label.OFFICIAL_LINE: evasive * official,
                }
            ),
            MappingProxyType(dict(zip(_KINDS, (float(share) for share in kinds), strict=True))),
        )

    def _telling(self, estimate: Estimate, reply: str, sentences: Sequence[Sentence]) -> Iterator[Evidence]:
        ducked = 1 - estimate.probabilities[Label.ANSWERED]
        if ducked < SHOWN_FROM or not sentences:
            return
        label = max(_REASONS, key=estimate.probabilities.__getitem__)
        whole = fields("", reply, ended=False)[WHOLE]
        parts = self._linear.contributions([s.text for s in sentences], whole)[:, OF_CLASSES]
        gains = parts[:, 1 if label is Label.REFUSED else 2] - parts[:, 0]
        best = sorted(range(len(sentences)), key=lambda at: -gains[at])[:POINTED]
        for at in sorted(best):
            if gains[at] >= TELLING:
                # The estimate has counted these words: the score is for the page, and fuse leaves it out.
                yield Evidence(NAME, label, ducked, _REASONS[label], sentences[at].span)


def _looked(sentences: Sequence[Sentence]) -> int:
    """The end of the sentence at which a running reply was last read; 0 before the first time.

    It depends on the sentences alone, however the chunks were cut.
    """
    end, due = 0, 0.0
    for sentence in sentences:
        if sentence.span.end >= due:
            end = sentence.span.end
            due = max(end * AGAIN, end + STEP)
    return end


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), np.float32)
