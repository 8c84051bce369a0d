"""Updates to HTML. Pure functions; everything that a person or a model wrote is escaped."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from markdown_it import MarkdownIt

from chat.session import Compare, Reply
from chat.ui.texts import Texts
from detectors import Evidence, Flag, Label, Span, Verdict
from detectors.segment import split

# Weaker findings are kept in the verdict and left out of the page; where the reply answers, or is still read, so are
# hints (one line of thinking, say), which would accuse it of what the verdict does not.
SHOWN_FROM, SHOWN_UNFLAGGED_FROM = 0.2, 0.5
# How sure, in words; from this probability on.
SURE_WORDS = ((0.9, "Very sure"), (0.75, "Fairly sure"), (0.0, "Not very sure"))
LABEL_WORDS = {
    Label.REFUSED: "refusal",
    Label.DEFLECTED: "deflection",
    Label.OFFICIAL_LINE: "official line",
    Label.UNDECIDED: "note",
    Label.ANSWERED: "answer",
}
_PATHS = {
    Flag.LOOKS_CENSORED: '<path d="M3 12h18" stroke-width="6"/><path d="M5 5h9M5 19h12"/>',
    Flag.REFUSED_FOR_SAFETY: '<path d="M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6z"/>',
    Flag.COULD_NOT_ANSWER: (
        '<circle cx="12" cy="12" r="9"/><path d="M9.5 9.5a2.5 2.5 0 115 0c0 1.8-2.5 2-2.5 4M12 17h.01"/>'
    ),
    Flag.DID_NOT_ANSWER: '<circle cx="12" cy="12" r="9"/><path d="M8 12h8"/>',
    Flag.NO_SIGN: '<circle cx="12" cy="12" r="9"/><path d="M8 12.5l2.7 2.7L16 9.5"/>',
    Flag.TOO_EARLY: '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>',
}


def icon(flag: Flag) -> str:
    """The flag's icon as inline SVG."""
    return (
        '<svg class="un-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{_PATHS[flag]}</svg>'
    )


def sure(verdict: Verdict) -> str:
    """How sure the verdict is, in words."""
    return next(words for least, words in SURE_WORDS if verdict.confidence >= least)


def what(verdict: Verdict, texts: Texts) -> str:
    """One sentence: what the reply does, or how it ended, or what the flag means."""
    if verdict.label in (Label.REFUSED, Label.DEFLECTED, Label.OFFICIAL_LINE):
        return texts.label[verdict.label]
    if verdict.label is Label.UNDECIDED and verdict.outcome in texts.outcome:
        return texts.outcome[verdict.outcome]
    return texts.flag.of(verdict.flag).about


def shown(verdict: Verdict) -> list[Evidence]:
    """The findings that are strong enough to be shown beside this verdict."""
    unflagged = verdict.label in (Label.ANSWERED, Label.UNDECIDED)
    least = SHOWN_UNFLAGGED_FROM if unflagged else SHOWN_FROM
    return [finding for finding in verdict.evidence if finding.score >= least]


def title(verdict: Verdict, texts: Texts) -> str:
    """The flag's name; of a reply that ended before there was enough to judge, that there is none."""
    if verdict.final and verdict.flag is Flag.TOO_EARLY:
        return texts.no_verdict
    return texts.flag.of(verdict.flag).title


def flag_card(reply: Reply | None, texts: Texts, *, question: str = "", place: str = "") -> str:
    """The live flag: colour, icon and text, how sure, the topic, and what to keep in mind."""
    if reply is None:
        return (
            '<section class="un-card un-flag un-flag--idle" role="status">'
            f"<h2>The flag appears here</h2><p>{escape(texts.placeholder)}</p></section>"
        )
    verdict, flag = reply.verdict, reply.verdict.flag
    silent = not (verdict.final or reply.text or reply.thinking or reply.retracted)
    live = "" if verdict.final else '<span class="un-live">so far</span>'  # a recording is not live
    rows = [
        f'<section class="un-card un-flag un-flag--{flag.value}" data-flag="{flag.value}" '
        f'data-final="{str(verdict.final).lower()}" role="status">',
        f"<header>{icon(flag)}<h2>{escape(title(verdict, texts))}</h2>{live}</header>",
    ]
    unsaid = reply.error if not (reply.text or reply.thinking) else None  # says why there is nothing to judge
    rows.append(f'<p class="un-what">{escape(unsaid or (texts.waiting if silent else what(verdict, texts)))}</p>')
    if verdict.label is not Label.UNDECIDED:
        percent = round(verdict.confidence * 100)
        rows.append(
            f'<div class="un-sure"><span>{sure(verdict)}</span>'
            f'<span class="un-bar" role="img" aria-label="{percent} percent sure">'
            f'<i style="width:{percent}%"></i></span><b>{percent}%</b></div>'
        )
    rows += [f'<p class="un-alert">{escape(reply.error)}</p>'] if reply.error and not unsaid else []
    if verdict.outcome in texts.outcome and verdict.label is not Label.UNDECIDED:
        rows.append(f'<p class="un-alert">{escape(texts.outcome[verdict.outcome])}</p>')
    rows.append(_before_it(reply))
    for failure in verdict.failed:
        rows.append(
            f'<p class="un-alert">The detector “{escape(failure.detector)}” failed; the verdict does without it.</p>'
        )
    facts = [("Topic", f"{verdict.topic.name} · {verdict.topic.region}")] if verdict.topic else []
    facts += [("Model", reply.model)]
    facts += [(place or "Question", _shorten(question, 90))] if question else []
    rows.append("<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts) + "</dl>")
    rows.append(f'<p class="un-small">{escape(_meaning(verdict, texts))}</p></section>')
    return "".join(rows)


def _before_it(reply: Reply) -> str:
    """What is to be known beside the reply, and what it waits for."""
    rows = [f'<p class="un-alert">{escape(reply.note)}</p>'] if reply.note else []
    if reply.loading is not None:
        percent = round(reply.loading * 100)
        rows.append(
            f'<div class="un-sure"><span>Loading the model</span><span class="un-bar" role="img" '
            f'aria-label="{percent} percent loaded"><i style="width:{percent}%"></i></span><b>{percent}%</b></div>'
        )
    if reply.waiting:
        ahead = "1 reply is" if reply.waiting == 1 else f"{reply.waiting} replies are"
        rows.append(f'<p class="un-alert">{ahead} ahead of yours.</p>')
    return "".join(rows)


def _meaning(verdict: Verdict, texts: Texts) -> str:
    """What the flag claims, and what it does not."""
    about = texts.flag.of(verdict.flag).about
    if verdict.label in (Label.ANSWERED, Label.UNDECIDED):
        return texts.caveat
    return f"{about} {texts.caveat}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked sentence (or a few), and the findings that rest on words in it."""

    start: int
    end: int
    findings: tuple[tuple[Span, Evidence], ...]

    @property
    def label(self) -> Label:
        """The label of the strongest finding."""
        return max(self.findings, key=lambda pair: pair[1].score)[1].label

    @property
    def why(self) -> str:
        """The findings' reasons, each once."""
        return " ".join(dict.fromkeys(finding.reason for _, finding in self.findings))


def marks(text: str, evidence: Iterable[Evidence], where: str = "reply") -> list[Mark]:
    """The sentences of the text on which findings of this part rest, in order; those that touch share a mark."""
    spanned = [(e.span, e) for e in evidence if e.span and e.span.where == where]
    sentences = [s.span for s in split(text)] if spanned else []
    found: list[Mark] = []
    for span, finding in sorted(spanned, key=lambda pair: pair[0]):
        start = max((s.start for s in sentences if s.start <= span.start), default=span.start)
        end = min((s.end for s in sentences if s.end >= span.end), default=span.end)
        if found and start < found[-1].end:
            last = found.pop()
            found.append(Mark(last.start, max(last.end, end), (*last.findings, (span, finding))))
        else:
            found.append(Mark(start, end, ((span, finding),)))
    return found


def marked(text: str, places: Sequence[Mark], first: int = 1) -> str:
    """The text with its marks, numbered from `first`; the words themselves are underlined."""
    out, at = [], 0
    for number, mark in enumerate(places, first):
        out.append(escape(text[at : mark.start]) + _mark(text, mark, number))
        at = mark.end
    return "".join([*out, escape(text[at:])])


def _mark(text: str, mark: Mark, number: int) -> str:
    inner, at = [], mark.start
    for span, _ in mark.findings:
        start = max(at, span.start)
        if start < span.end:
            inner.append(f"{escape(text[at:start])}<u>{escape(text[start : span.end])}</u>")
            at = span.end
    inner.append(escape(text[at : mark.end]))
    return (
        f'<mark class="un-mark un-mark--{mark.label.value}" title="{escape(mark.why)}">'
        f"{''.join(inner)}<sup>{number}</sup></mark>"
    )


def evidence_panel(reply: Reply | None) -> str:
    """The reply with its telling sentences marked, and a plain reason for each."""
    if reply is None:
        return ""
    evidence = shown(reply.verdict)
    accused = any(finding.label is not Label.UNDECIDED for finding in evidence)  # a filter may leave no words
    if not (reply.text or reply.thinking or reply.retracted or accused):
        return ""
    thought, said = marks(reply.thinking, evidence, "thinking"), marks(reply.text, evidence)
    rows = ['<section class="un-card un-evidence"><h3>Evidence</h3>']
    if thought:
        rows.append(
            '<h4>In its thinking</h4><div class="un-text" dir="auto">'
            + "".join(f"<p>{_mark(reply.thinking, mark, number)}</p>" for number, mark in enumerate(thought, 1))
            + "</div>"
        )
    if reply.retracted:
        rows.append(f'<h4>Taken back</h4><div class="un-text un-gone" dir="auto">{escape(reply.retracted)}</div>')
    if reply.text:
        rows.append(f'<div class="un-text" dir="auto">{marked(reply.text, said, len(thought) + 1)}</div>')
    loose = [e for e in evidence if (e.span is None or e.span.where == "question")]
    items = [_reason(mark.label, mark.why) for mark in [*thought, *said]]
    if (items or loose) and reply.verdict.label is Label.ANSWERED:  # else the page seems to contradict itself
        rows.append('<p class="un-small">This speaks against the verdict, and was outweighed:</p>')
    if items:
        rows.append(f"<ol>{''.join(items)}</ol>")
    if loose:
        rows.append(f"<ul>{''.join(_reason(e.label, e.reason) for e in loose)}</ul>")
    if not items and not loose:
        rows.append('<p class="un-small">No sentence stands out.</p>')
    return "".join([*rows, "</section>"])


def _reason(label: Label, why: str) -> str:
    return f'<li class="un-why un-why--{label.value}"><b>{LABEL_WORDS[label]}</b> {escape(why)}</li>'


def reference_panel(reference: Reply | None, compare: Compare, name: str, texts: Texts) -> str:
    """The reference model's answer to the same question, with its own flag."""
    if compare is Compare.OFF and reference is None:
        return ""
    if reference is None:
        when = "when a reply is flagged" if compare is Compare.FLAGGED else "every time"
        return (
            '<section class="un-card un-reference un-reference--empty"><h3>Compare</h3>'
            f'<p class="un-small">{escape(name)} answers the same question here {when}.</p></section>'
        )
    verdict = reference.verdict
    alert = reference.error or (texts.outcome.get(verdict.outcome, "") if verdict.label is Label.UNDECIDED else "")
    error = f'<p class="un-alert">{escape(alert)}</p>' if alert else ""
    return (
        '<section class="un-card un-reference"><header><h3>The same question to '
        f'{escape(reference.model)}</h3><span class="un-chip un-chip--{verdict.flag.value}">'
        f"{icon(verdict.flag)}{escape(title(verdict, texts))}</span></header>{error}{_before_it(reference)}"
        f'<div class="un-answer" dir="auto">{markdown(reference.text)}</div></section>'
    )


def markdown(text: str) -> str:
    """A model's Markdown as HTML: its own HTML escaped, no pictures (they would be fetched from elsewhere)."""
    return str(_markdown().render(text))


@functools.cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
