"""Updates as plain data, for JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chat.session import Reply, Update
from detectors import Span, Verdict


def verdict_record(update: Update, *, notice: str = "") -> dict[str, Any]:
    """A turn with its verdict, as `unsaid ask --json` prints it. `notice` is what is to be said of the model."""
    record = {"question": update.turn.question, **_reply(update.reply), "notice": notice, "seconds": update.seconds}
    if update.reference:
        record["reference"] = _reply(update.reference)
    return record


def _reply(reply: Reply) -> dict[str, Any]:
    return {
        "model": reply.model,
        "reply": reply.text,
        "thinking": reply.thinking,
        "retracted": reply.retracted,
        "error": reply.error,
        "note": reply.note,
        **verdict_fields(reply.verdict, reply.words),
    }


def verdict_fields(verdict: Verdict, words: Callable[[Span], str]) -> dict[str, Any]:
    """A verdict alone; `words` gives the text that a span covers."""
    return {
        "flag": verdict.flag,
        "label": verdict.label,
        "kind": verdict.kind,
        "confidence": round(verdict.confidence, 4),
        "probabilities": {label: round(p, 4) for label, p in verdict.probabilities.items()},
        "topic": verdict.topic and {"id": verdict.topic.id, "name": verdict.topic.name, "region": verdict.topic.region},
        "outcome": verdict.outcome,
        "final": verdict.final,
        "evidence": [
            {
                "detector": finding.detector,
                "label": finding.label,
                "score": round(finding.score, 4),
                "reason": finding.reason,
                "where": finding.span.where if finding.span else None,
                "start": finding.span.start if finding.span else None,
                "end": finding.span.end if finding.span else None,
                "text": words(finding.span) if finding.span else None,
            }
            for finding in verdict.evidence
        ],
        "failed_detectors": [{"detector": f.detector, "error": f.error} for f in verdict.failed],
    }
