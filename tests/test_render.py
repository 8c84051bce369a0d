"""Updates to HTML: what the reader is told of a reply, and that nothing in it becomes HTML of its own."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.session import Compare, Reply
from chat.ui import render
from chat.ui.texts import load_texts
from detectors import Evidence, Failure, Flag, Label, Outcome, ReasonKind, Span, Topic, Verdict

TEXTS = load_texts()
VOID = ("br", "hr", "path", "circle")
TAGS = {
    *("section", "header", "h2", "h3", "h4", "p", "div", "span", "b", "i", "u", "dl", "dt", "dd", "ol", "ul", "li"),
    *("mark", "sup", "svg", "path", "circle", "a", "code", "pre", "em", "strong", "br", "hr", "blockquote"),
}


class Read(HTMLParser):
    """HTML as a browser takes it: tags, attributes, text, and the text of each element by tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.by_tag: dict[str, list[str]] = {}
        self._open: list[tuple[str, int]] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append((tag, len(self.text)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        opened, at = self._open.pop()
        assert opened == tag
        self.by_tag.setdefault(tag, []).append(self.text[at:])

    def handle_data(self, data: str) -> None:
        self.text += data

    def classes(self) -> set[str]:
        return {name for key, value in self.attributes if key == "class" for name in value.split()}

    def only(self, tag: str) -> str:
        (text,) = self.by_tag[tag]
        return text


def verdict(label: Label = Label.ANSWERED, p: float = 0.97, **rest: Any) -> Verdict:
    """A final verdict of this label, with probability `p`."""
    if label is Label.ANSWERED:
        answered, main = p, Label.REFUSED
    else:
        answered, main = 1 - p, Label.REFUSED if label is Label.UNDECIDED else label
    probabilities = dict.fromkeys((Label.ANSWERED, Label.REFUSED, Label.DEFLECTED, Label.OFFICIAL_LINE), 0.0)
    probabilities |= {Label.ANSWERED: answered, main: 1 - answered}
    return Verdict(label, probabilities, **{"outcome": Outcome.COMPLETE, **rest})


def reply(said: Verdict | None = None, **rest: Any) -> Reply:
    """A reply with this verdict."""
    return Reply(**{"model": "Model", "verdict": said or verdict(), **rest})


def finding(
    text: str, words: str, label: Label = Label.REFUSED, *, score: float = 0.9, reason: str = "It says no.",
    where: Any = "reply",
) -> Evidence:  # fmt: skip
    """A finding on these words of the text."""
    start = text.index(words)
    return Evidence("cues", label, score, reason, Span(start, start + len(words), where))


FLAGS = {
    Flag.LOOKS_CENSORED: verdict(Label.REFUSED, kind=ReasonKind.POLITICAL),
    Flag.REFUSED_FOR_SAFETY: verdict(Label.REFUSED, kind=ReasonKind.SAFETY),
    Flag.COULD_NOT_ANSWER: verdict(Label.REFUSED, kind=ReasonKind.CAPABILITY),
    Flag.DID_NOT_ANSWER: verdict(Label.DEFLECTED, kind=ReasonKind.OTHER),
    Flag.NO_SIGN: verdict(Label.ANSWERED),
    Flag.TOO_EARLY: verdict(Label.UNDECIDED, outcome=Outcome.RUNNING),
}


@pytest.mark.parametrize("flag", Flag)
def test_flag_card(flag: Flag) -> None:
    """Every flag is told by a class for its colour, by an icon and by words."""
    said = FLAGS[flag]
    assert said.flag is flag
    html = render.flag_card(reply(said, text="Well."), TEXTS)
    card = Read(html)
    assert f"un-flag--{flag.value}" in card.classes()
    assert ("data-flag", flag.value) in card.attributes
    assert ("role", "status") in card.attributes
    assert render.icon(flag) in html
    assert card.only("h2") == TEXTS.flag.of(flag).title
    assert TEXTS.flag.of(flag).about in card.text


@pytest.mark.parametrize(
    ("rest", "waits"),
    [
        ({}, True),
        ({"loading": 0.5}, True),
        ({"waiting": 2}, True),
        ({"text": "Well."}, False),
        ({"thinking": "Let me see."}, False),
    ],
)
def test_waiting_for_the_first_words(rest: dict[str, Any], waits: bool) -> None:
    """Until the model has said something, the card does not pretend to read."""
    card = Read(render.flag_card(reply(FLAGS[Flag.TOO_EARLY], **rest), TEXTS))
    assert (TEXTS.waiting in card.text) is waits
    assert (TEXTS.flag.of(Flag.TOO_EARLY).about in card.text) is not waits


def test_flags_differ() -> None:
    """No two flags look or read alike."""
    assert len({render.icon(flag) for flag in Flag}) == len(Flag)
    assert len({TEXTS.flag.of(flag).title for flag in Flag}) == len(Flag)
    assert len({TEXTS.flag.of(flag).about for flag in Flag}) == len(Flag)


def test_no_reply_yet() -> None:
    """Before the first question, the card says where the flag will be, and there is no evidence."""
    card = Read(render.flag_card(None, TEXTS))
    assert "un-flag--idle" in card.classes()
    assert TEXTS.placeholder in card.text
    assert render.evidence_panel(None) == ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (verdict(p=1.0), "Very sure"),
        (verdict(p=0.9), "Very sure"),
        (verdict(p=0.8999), "Fairly sure"),
        (verdict(p=0.75), "Fairly sure"),
        (verdict(p=0.7499), "Not very sure"),
        (verdict(p=0.41), "Not very sure"),
        (verdict(Label.REFUSED, 0.9), "Very sure"),
        (verdict(Label.DEFLECTED, 0.8999), "Fairly sure"),
        (verdict(Label.OFFICIAL_LINE, 0.7499), "Not very sure"),
        # How sure it is that there is no answer, whichever way it ducks.
        (
            Verdict(
                Label.REFUSED,
                {Label.ANSWERED: 0.05, Label.REFUSED: 0.5, Label.DEFLECTED: 0.45, Label.OFFICIAL_LINE: 0.0},
            ),
            "Very sure",
        ),
    ],
)
def test_sure(said: Verdict, words: str) -> None:
    """How sure the flag is, in words and in percent."""
    assert render.sure(said) == words
    card = render.flag_card(reply(said), TEXTS)
    assert f"<span>{words}</span>" in card
    assert f"<b>{said.confidence * 100:.0f}%</b>" in card


def test_undecided_has_no_number() -> None:
    """While it is too early to tell there is no percentage."""
    assert "%" not in Read(render.flag_card(reply(FLAGS[Flag.TOO_EARLY]), TEXTS)).text


@pytest.mark.parametrize("outcome", Outcome)
def test_live_until_final(outcome: Outcome) -> None:
    """The card says that this is so far exactly while the reply runs."""
    card = Read(render.flag_card(reply(verdict(outcome=outcome)), TEXTS))
    final = outcome is not Outcome.RUNNING
    assert ("data-final", str(final).lower()) in card.attributes
    assert ("so far" in card.by_tag["span"]) is not final


@pytest.mark.parametrize("outcome", TEXTS.outcome)
@pytest.mark.parametrize("label", Label)
def test_outcome_is_told(outcome: Outcome, label: Label) -> None:
    """How a reply ended is told where that is not the model's own full stop, whatever the label."""
    assert TEXTS.outcome[outcome] in Read(render.flag_card(reply(verdict(label, outcome=outcome)), TEXTS)).text


@pytest.mark.parametrize("label", [Label.REFUSED, Label.DEFLECTED, Label.OFFICIAL_LINE])
def test_what_it_does(label: Label) -> None:
    """A flagged reply's card says what the reply does."""
    assert render.what(verdict(label), TEXTS) == TEXTS.label[label]
    assert TEXTS.label[label] in Read(render.flag_card(reply(verdict(label)), TEXTS)).text


def test_empty_reply() -> None:
    """A reply without a word is an outcome of its own, and never clean."""
    ended = reply(verdict(Label.UNDECIDED, outcome=Outcome.EMPTY))
    card = Read(render.flag_card(ended, TEXTS))
    assert "un-flag--did_not_answer" in card.classes()
    assert TEXTS.outcome[Outcome.EMPTY] in card.text
    assert render.evidence_panel(ended) == ""


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.STOPPED, Outcome.CUT_OFF])
def test_ended_before_there_was_enough(outcome: Outcome) -> None:
    """What ended from outside before there was enough to judge has no verdict, and none is hinted at."""
    error = "The server is down." if outcome is Outcome.FAILED else None
    ended = reply(verdict(Label.UNDECIDED, outcome=outcome), error=error)
    card = Read(render.flag_card(ended, TEXTS))
    assert TEXTS.no_verdict in card.only("h2")
    assert "un-flag--too_early" in card.classes()
    assert (error or TEXTS.outcome[outcome]) in card.text
    panel = Read(render.reference_panel(reply(verdict(Label.UNDECIDED, outcome=outcome)), Compare.OFF, "n", TEXTS))
    assert TEXTS.no_verdict in panel.text
    assert TEXTS.outcome[outcome] in panel.text


@pytest.mark.parametrize(("label", "outweighed"), [(Label.ANSWERED, True), (Label.REFUSED, False)])
def test_findings_against_the_verdict_are_said_to_be_that(label: Label, outweighed: bool) -> None:
    """Beside a reply that answers, a finding is there as what was outweighed; beside a duck as what it rests on."""
    text = "I cannot say. Troops opened fire."
    said = reply(verdict(label, evidence=(finding(text, "I cannot say"),)), text=text)
    assert ("was outweighed" in Read(render.evidence_panel(said)).text) is outweighed


def test_nothing_outweighed_where_there_is_nothing() -> None:
    """A clean reply is not said to have anything against it."""
    assert "outweighed" not in render.evidence_panel(reply(text="Troops opened fire."))


def test_a_filter_that_leaves_no_words() -> None:
    """What a filter took away before its first word is evidence still."""
    taken = Evidence("structure", Label.REFUSED, 0.95, "A content filter cut it off.")
    said = reply(verdict(Label.REFUSED, outcome=Outcome.FILTERED, evidence=(taken,)))
    assert "A content filter cut it off." in Read(render.evidence_panel(said)).text


def test_caveat_is_always_there() -> None:
    """Every flag comes with what to keep in mind."""
    assert all(TEXTS.caveat in Read(render.flag_card(reply(said), TEXTS)).text for said in FLAGS.values())


@pytest.mark.parametrize(
    ("waiting", "words"),
    [(1, "1 reply is ahead of yours."), (3, "3 replies are ahead of yours."), (0, None), (None, None)],
)
def test_waiting(waiting: int | None, words: str | None) -> None:
    """A reply in line says how many are ahead of it."""
    card = Read(render.flag_card(reply(FLAGS[Flag.TOO_EARLY], waiting=waiting), TEXTS))
    assert words in card.text if words else "ahead of yours" not in card.text


def test_facts() -> None:
    """The card names topic, model and question; a long question is cut short, and an earlier reply has its place."""
    topic = Topic("t", "Tiananmen 1989", "China")
    said = reply(verdict(topic=topic), model="Some Model")
    card = Read(render.flag_card(said, TEXTS, question="word " * 40))
    assert card.by_tag["dt"] == ["Topic", "Model", "Question"]
    assert card.by_tag["dd"][:2] == ["Tiananmen 1989 · China", "Some Model"]
    assert len(card.by_tag["dd"][2]) <= 90
    assert card.by_tag["dd"][2].endswith("word…")
    assert "Reply 1 of 3" in Read(render.flag_card(said, TEXTS, question="q", place="Reply 1 of 3")).by_tag["dt"]


def test_failed_detectors_are_named() -> None:
    """Every detector that failed is named, and its traceback is not shown."""
    said = verdict(failed=(Failure("probe", "CUDA went away"), Failure("judge <2>", "no")))
    text = Read(render.flag_card(reply(said), TEXTS)).text
    assert "“probe” failed" in text
    assert "“judge <2>” failed" in text
    assert "CUDA" not in text


# --- Marks -----------------------------------------------------------------------------------------------------------

FIRST, SECOND = "It says no.", "It changes the subject."
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
# text, words of each finding -> marked sentences, underlined words of each
MARKED: dict[str, tuple[str, tuple[str, ...], list[tuple[str, list[str]]]]] = {
    "one": (
        "Hello there. I cannot discuss this. Goodbye.",
        ("cannot discuss",),
        [("I cannot discuss this.", ["cannot discuss"])],
    ),
    "whole sentence": ("Well. I will not.", ("I will not.",), [("I will not.", ["I will not."])]),
    "first and last": ("Nope. Well then. Never.", ("Nope.", "Never"), [("Nope.", ["Nope."]), ("Never.", ["Never"])]),
    "neighbours": ("I won't. I can't.", ("won't", "can't"), [("I won't.", ["won't"]), ("I can't.", ["can't"])]),
    "two in a sentence": (
        "Sorry, but I cannot. Bye.",
        ("Sorry", "cannot"),
        [("Sorry, but I cannot.", ["Sorry", "cannot"])],
    ),
    "overlapping": (
        "I really cannot say. Bye.",
        ("really cannot", "cannot say"),
        [("I really cannot say.", ["really cannot", " say"])],
    ),
    "one in another": ("I cannot say.", ("I cannot say", "cannot"), [("I cannot say.", ["I cannot say"])]),
    "the same twice": ("I cannot say.", ("cannot", "cannot"), [("I cannot say.", ["cannot"])]),
    "across sentences": (
        "One. Let's talk. About food. Two.",
        ("talk. About",),
        [("Let's talk. About food.", ["talk. About"])],
    ),
    "unfinished": ("Well. I cannot sa", ("cannot",), [("I cannot sa", ["cannot"])]),
    "no full stop, line break": ("Hm\nI cannot\nBye", ("cannot",), [("I cannot", ["cannot"])]),
    "abbreviation": ("Dr. No cannot say. Bye.", ("cannot",), [("Dr. No cannot say.", ["cannot"])]),
    "Chinese": ("你好。我不能谈这个问题。再见。", ("不能谈",), [("我不能谈这个问题。", ["不能谈"])]),
    "emoji": (f"{FAMILY} 🙏🏽! I can't 🙈 say. OK.", ("can't 🙈",), [("I can't 🙈 say.", ["can't 🙈"])]),
    "Arabic": ("مرحبا. لا أستطيع الإجابة. شكرا.", ("لا أستطيع",), [("لا أستطيع الإجابة.", ["لا أستطيع"])]),
    "Hebrew in English": ("Hi. It is אסור to say. Bye.", ("אסור",), [("It is אסור to say.", ["אסור"])]),
    "combining": ("Cafe\u0301. Je ne peux pas. Fin.", ("ne peux pas",), [("Je ne peux pas.", ["ne peux pas"])]),
    "HTML": ("<b>No</b>. I & you <can't> say. OK.", ("<can't>",), [("I & you <can't> say.", ["<can't>"])]),
}


@pytest.mark.parametrize("name", MARKED)
def test_marks(name: str) -> None:
    """Marks fall on whole sentences and underline the exact words; findings on the same sentence share a mark."""
    text, words, expected = MARKED[name]
    places = render.marks(text, [finding(text, each) for each in words])
    assert [text[place.start : place.end] for place in places] == [sentence for sentence, _ in expected]
    html = render.marked(text, places)
    assert Read(html).by_tag.get("u") == [underlined for _, each in expected for underlined in each]
    assert without_numbers(html) == text


def without_numbers(html: str) -> str:
    """What the HTML says, less the marks' numbers."""
    read = Read(html)
    for number in read.by_tag.get("sup", []):
        html = html.replace(f"<sup>{number}</sup>", "")
    return Read(html).text


LETTERS = st.text("ab .!?\n。！，不能谈🙏\u0301\u200dא<&>\"'${}`", max_size=60)


@given(LETTERS, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=5))
def test_marks_keep_the_text(text: str, places: list[tuple[int, int]]) -> None:
    """Wherever findings rest, the text stays whole, marks do not overlap, and their words are underlined just once."""
    spans = [Span(start, min(start + length, len(text))) for start, length in places if start < len(text)]
    found = render.marks(text, [Evidence("cues", Label.REFUSED, 0.9, "No.", span) for span in spans])
    html = render.marked(text, found)
    assert without_numbers(html) == text
    assert all(one.end <= other.start for one, other in pairwise(found))
    covered = sorted({at for span in spans for at in range(span.start, span.end)})
    assert "".join(Read(html).by_tag.get("u", [])) == "".join(text[at] for at in covered)


def test_shared_mark() -> None:
    """A shared mark has the label of its strongest finding, and each reason once."""
    text = "Sorry, let's talk about food instead."
    (place,) = render.marks(
        text,
        [
            finding(text, "Sorry", score=0.4, reason=FIRST),
            finding(text, "talk about", Label.DEFLECTED, score=0.8, reason=SECOND),
            finding(text, "instead", Label.DEFLECTED, score=0.5, reason=SECOND),
        ],
    )
    assert place.label is Label.DEFLECTED
    assert place.why == f"{FIRST} {SECOND}"
    assert "un-mark--deflected" in render.marked(text, [place])


@pytest.mark.parametrize(
    ("label", "score", "shown"),
    [
        (Label.REFUSED, 0.19, False),
        (Label.REFUSED, 0.2, True),
        (Label.DEFLECTED, 1.0, True),
        (Label.ANSWERED, 0.49, False),
        (Label.UNDECIDED, 0.49, False),
        (Label.ANSWERED, 0.5, True),
        (Label.UNDECIDED, 1.0, True),
    ],
)
def test_weak_findings_are_not_shown(label: Label, score: float, shown: bool) -> None:
    """Findings too weak to tell anything are left out, with words to rest on or without.

    Beside an answer so are hints: they would accuse it of what it did not do.
    """
    text = "I cannot say."
    with_words = verdict(label, evidence=(finding(text, "cannot", score=score, reason=FIRST),))
    without = verdict(label, evidence=(Evidence("structure", Label.DEFLECTED, score, FIRST),))
    for said in (with_words, without):
        panel = Read(render.evidence_panel(reply(said, text=text)))
        assert (FIRST in panel.by_tag.get("li", [""])[0]) is shown
        assert ("No sentence stands out." in panel.text) is not shown


@pytest.mark.parametrize("label", Label)
def test_reason_is_listed(label: Label) -> None:
    """Each mark's reason is listed under the reply, with what it is a sign of."""
    text = "I cannot say."
    said = verdict(evidence=(finding(text, "cannot", label),))
    panel = Read(render.evidence_panel(reply(said, text=text)))
    assert panel.only("li") == f"{render.LABEL_WORDS[label]} It says no."
    assert {f"un-why--{label.value}", f"un-mark--{label.value}"} <= panel.classes()


def test_thinking_evidence() -> None:
    """Of the thinking only the telling sentences are shown; the reply's marks are numbered on from theirs."""
    thinking, text = "The user asks about 1989. I must avoid this. Let me see.", "Hello! I cannot say. Bye."
    evidence = (finding(text, "cannot"), finding(thinking, "must avoid", reason=SECOND, where="thinking"))
    panel = Read(render.evidence_panel(reply(verdict(evidence=evidence), text=text, thinking=thinking)))
    assert "In its thinking" in panel.by_tag["h4"]
    assert panel.by_tag["mark"] == ["I must avoid this.1", "I cannot say.2"]
    assert panel.by_tag["u"] == ["must avoid", "cannot"]
    assert [reason.removeprefix("refusal ") for reason in panel.by_tag["li"]] == [SECOND, FIRST]
    assert "1989" not in panel.text


def test_thinking_without_evidence_is_not_shown() -> None:
    """Thinking in which nothing stands out is left to the chat."""
    panel = Read(render.evidence_panel(reply(text="Yes.", thinking="Secret thoughts.")))
    assert "In its thinking" not in panel.text
    assert "Secret" not in panel.text


def test_nothing_said_yet() -> None:
    """While nothing has been said there is no panel."""
    assert render.evidence_panel(reply(verdict(Label.UNDECIDED, outcome=Outcome.RUNNING))) == ""


def test_evidence_on_the_question() -> None:
    """A finding on the question has no place in the reply: its reason is listed, unnumbered."""
    said = verdict(evidence=(Evidence("cues", Label.DEFLECTED, 0.9, FIRST, Span(0, 4, "question")),))
    panel = Read(render.evidence_panel(reply(said, text="I cannot say.")))
    assert "mark" not in panel.tags
    assert FIRST in Read(render.evidence_panel(reply(said, text="I cannot say."))).only("ul")


def test_taken_back() -> None:
    """What was taken back stays to be read, struck out, beside what replaced it."""
    ended = reply(
        verdict(Label.REFUSED, outcome=Outcome.RETRACTED), text="Let's talk.", retracted="Troops <opened> fire."
    )
    panel = Read(render.evidence_panel(ended))
    assert "Taken back" in panel.by_tag["h4"]
    assert "Troops <opened> fire." in panel.by_tag["div"]
    assert "un-gone" in panel.classes()
    assert "Let's talk." in panel.by_tag["div"]


# --- Escaping --------------------------------------------------------------------------------------------------------

EVIL = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    '" onmouseover="alert(1)" x="',
    "${alert(1)}",
    "`${alert(1)}`",
    "{{constructor}} {{{value}}}",
    "</p></section></div>",
    "&lt;b&gt; &amp; &#60;",
    "\\x3cimg\\u003e",
    "<!-- x --> <style>*{display:none}</style>",
)


def cards(evil: str) -> dict[str, str]:
    """place -> HTML with these words in it."""
    text = f"I cannot say {evil} now"
    plain = reply(text=text)
    by_words = verdict(evidence=(finding(text, evil),))
    by_reason = verdict(evidence=(finding(text, "cannot", reason=evil),))
    loose = verdict(evidence=(Evidence("structure", Label.DEFLECTED, 0.9, evil),))
    failed = verdict(failed=(Failure(evil, evil),))
    thought = verdict(evidence=(finding(text, "cannot", where="thinking"),))
    topic = verdict(topic=Topic("t", evil, evil))
    return {
        "question": render.flag_card(plain, TEXTS, question=evil),
        "place": render.flag_card(plain, TEXTS, question="q", place=evil),
        "model": render.flag_card(reply(model=evil), TEXTS),
        "error": render.flag_card(reply(error=evil), TEXTS),
        "detector": render.flag_card(reply(failed), TEXTS),
        "topic": render.flag_card(reply(topic), TEXTS),
        "reply": render.evidence_panel(plain),
        "words": render.evidence_panel(reply(by_words, text=text)),
        "reason": render.evidence_panel(reply(by_reason, text=text)),
        "loose reason": render.evidence_panel(reply(loose, text=text)),
        "thinking": render.evidence_panel(reply(thought, thinking=text)),
        "retracted": render.evidence_panel(reply(retracted=evil)),
        "reference to come": render.reference_panel(None, Compare.ALWAYS, evil, TEXTS),
        "reference model": render.reference_panel(reply(model=evil), Compare.ALWAYS, "n", TEXTS),
        "reference note": render.reference_panel(reply(note=evil), Compare.ALWAYS, "n", TEXTS),
        "reference error": render.reference_panel(reply(error=evil), Compare.ALWAYS, "n", TEXTS),
    }


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("place", cards("x"))
def test_shown_as_written(place: str, evil: str) -> None:
    """Whatever a person, a model or a server writes is read as it was written, and is never HTML or a template."""
    html = cards(evil)[place]
    harmless = Read(cards("x")[place])
    read = Read(html)
    assert evil in read.text
    assert read.tags == harmless.tags
    assert [name for name, _ in read.attributes] == [name for name, _ in harmless.attributes]


def test_reason_as_a_tooltip() -> None:
    """A mark's tooltip is its reason, quotes and all."""
    reason = """It says "no" & 'never' <b>."""
    html = render.evidence_panel(reply(verdict(evidence=(finding("No.", "No", reason=reason),)), text="No."))
    assert ("title", reason) in Read(html).attributes


@pytest.mark.parametrize("evil", EVIL)
def test_markdown_is_tame(evil: str) -> None:
    """The reference's Markdown brings no element or attribute of its own."""
    for text in (evil, f"# {evil}", f"- {evil}", f"> {evil}", f"a\n\n{evil}\n", f"`{evil}`", f"```{evil}\n{evil}\n```"):
        read = Read(render.markdown(text))
        assert set(read.tags) <= {*TAGS, "h1"}
        assert {name for name, _ in read.attributes} <= {"class"}


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("[x](https://example.org/a?b=c)", ["https://example.org/a?b=c"]),
        ("<https://example.org>", ["https://example.org"]),
        ("[x](javascript:alert(1))", []),
        ("[x](JaVaScRiPt:alert(1))", []),
        ("[x](&#106;avascript:alert(1))", []),
        ("[x](java\nscript:alert(1))", []),
        ("<javascript:alert(1)>", []),
        ("[x](vbscript:x)", []),
        ("[x](data:text/html,<b>)", []),
        ("[x](file:///etc/passwd)", []),
        ("[x]\n\n[x]: javascript:alert(1)", []),
    ],
)
def test_markdown_links(text: str, links: Sequence[str]) -> None:
    """Links lead to the web, and never to a script or a file."""
    assert [value for name, value in Read(render.markdown(text)).attributes if name == "href"] == links


@pytest.mark.parametrize(
    "text", ["![p](https://example.org/p.png)", "![p][r]\n\n[r]: https://example.org/p.png", "[![p](//a/b)](//c)"]
)
def test_markdown_pictures(text: str) -> None:
    """A picture is not fetched."""
    read = Read(render.markdown(text))
    assert "img" not in read.tags
    assert "src" not in {name for name, _ in read.attributes}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**b** and *i*", "<p><strong>b</strong> and <em>i</em></p>\n"),
        ("one\ntwo", "<p>one<br />\ntwo</p>\n"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>\n"),
        ("1 < 2 & 3", "<p>1 &lt; 2 &amp; 3</p>\n"),
        ("六四", "<p>六四</p>\n"),
        ("", ""),
    ],
)
def test_markdown(text: str, html: str) -> None:
    """The reference's Markdown is rendered, and its HTML is shown as text."""
    assert render.markdown(text) == html


def test_markdown_table() -> None:
    """Tables are tables."""
    assert "<table>" in render.markdown("| a | b |\n| - | - |\n| 1 | 2 |")


# --- Reference -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compare", "words"),
    [
        (Compare.OFF, None),
        (Compare.FLAGGED, "Other answers the same question here when a reply is flagged."),
        (Compare.ALWAYS, "Other answers the same question here every time."),
    ],
)
def test_reference_to_come(compare: Compare, words: str | None) -> None:
    """Until there is a reference answer, its place says when there will be one; nothing where it is off."""
    html = render.reference_panel(None, compare, "Other", TEXTS)
    assert html == "" if words is None else words in Read(html).text


@pytest.mark.parametrize("flag", Flag)
def test_reference_has_its_own_flag(flag: Flag) -> None:
    """The reference answer is shown with its model and its own flag, also when comparing has been turned off."""
    html = render.reference_panel(
        reply(FLAGS[flag], model="Other", text="Troops *opened* fire.", error="It broke off."), Compare.OFF, "n", TEXTS
    )
    panel = Read(html)
    assert f"un-chip--{flag.value}" in panel.classes()
    assert render.icon(flag) in html
    assert TEXTS.flag.of(flag).title in panel.text
    assert "Other" in panel.only("h3")
    assert "Troops opened fire." in panel.text
    assert "It broke off." in panel.text


def test_reference_says_what_it_is_and_waits_for() -> None:
    """A recorded reference is labelled, and one that is loaded or stands in line says so."""
    said = reply(text="Yes.", note="Recorded reply of m, 2025-01-20.", loading=0.4, waiting=2)
    panel = Read(render.reference_panel(said, Compare.ALWAYS, "Other", TEXTS))
    for words in ("Recorded reply of m, 2025-01-20.", "40%", "2 replies are ahead of yours."):
        assert words in panel.text
