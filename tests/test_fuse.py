"""Evidence to verdict: each rule, and each flag."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.fuse import CEILING, ENOUGH_LATIN, ENOUGH_SENTENCES, PRIOR, RECITED_SHARE, THRESHOLD, fuse
from detectors.segment import split
from detectors.types import Estimate, Evidence, Failure, Flag, Label, Outcome, ReasonKind, Seen, Span, Topic, Verdict

ANSWERED, REFUSED, DEFLECTED, OFFICIAL = Label.ANSWERED, Label.REFUSED, Label.DEFLECTED, Label.OFFICIAL_LINE
UNDECIDED = Label.UNDECIDED
POLITICAL, SAFETY, CAPABILITY, OTHER = ReasonKind.POLITICAL, ReasonKind.SAFETY, ReasonKind.CAPABILITY, ReasonKind.OTHER
LABELS = (REFUSED, DEFLECTED, OFFICIAL)
POLITICS = Topic("politics", "Politics", "Somewhere")
DANGER = Topic("danger", "Danger", "Anywhere", kind=SAFETY)

LATIN = "The bridge was built by two brothers from the town. " * 5
CHINESE = "这座桥是镇上的两兄弟在十九世纪末年修建的。" * 4


def finding(
    label: Label = REFUSED, score: float = 0.9, *, kind: ReasonKind | None = None, span: Span | None = None
) -> Evidence:
    """A finding of no detector in particular."""
    return Evidence("some detector", label, score, "Some reason.", span, kind)


def seen(reply: str = "Some words.", outcome: Outcome = Outcome.COMPLETE) -> Seen:
    """A reply without thinking that came to this end."""
    return Seen(reply=reply, sentences=tuple(split(reply)), outcome=outcome)


def on(words: str, reply: str) -> Span:
    """Where these words stand in the reply."""
    return Span(reply.index(words), reply.index(words) + len(words))


# Probabilities


def test_nothing_found() -> None:
    """Without findings a whole reply is most likely an answer, though not for certain."""
    verdict = fuse((), seen())
    assert verdict.label is ANSWERED
    assert 0.85 < verdict.probabilities[ANSWERED] < 0.95
    assert verdict.kind is None


@pytest.mark.parametrize(("label", "score"), list(itertools.product(LABELS, (0.7, 0.9, 1.0))))
def test_one_strong_finding_decides(label: Label, score: float) -> None:
    """One finding of seven tenths or more is enough, and its label is the verdict's."""
    verdict = fuse([finding(label, score)], seen())
    assert verdict.label is label
    assert verdict.confidence >= THRESHOLD


@pytest.mark.parametrize(("label", "score"), list(itertools.product(LABELS, (0.0, 0.1, 0.3, 0.5))))
def test_one_weak_finding_does_not(label: Label, score: float) -> None:
    """A finding that may as well be wrong gives no label: a false alarm costs more than a miss."""
    assert fuse([finding(label, score)], seen()).label is ANSWERED


@pytest.mark.parametrize(
    ("scores", "label"),
    [
        ([0.4], ANSWERED),
        ([0.4, 0.4], REFUSED),
        ([0.2, 0.2], ANSWERED),
        ([0.2] * 5, REFUSED),
        ([0.0] * 50, ANSWERED),
    ],
)
def test_weak_findings_add_up(scores: list[float], label: Label) -> None:
    """Findings for the same label add up as independent ones."""
    assert fuse([finding(score=score) for score in scores], seen()).label is label


def test_findings_for_different_labels_add_up_against_the_answer() -> None:
    """Where it is unclear how the reply ducks, it is still clear that it does: the likeliest label is given."""
    verdict = fuse([finding(REFUSED, 0.5), finding(DEFLECTED, 0.55)], seen())
    assert verdict.label is DEFLECTED
    assert fuse([finding(REFUSED, 0.5)], seen()).label is fuse([finding(DEFLECTED, 0.55)], seen()).label is ANSWERED


def test_nothing_is_certain() -> None:
    """No heap of findings, each of them certain, makes a verdict surer than the ceiling."""
    verdict = fuse([finding(score=1.0)] * 10, seen())
    assert verdict.probabilities[REFUSED] <= CEILING
    assert verdict.probabilities[ANSWERED] > 0


def test_silence_is_not_evidence() -> None:
    """A finding that says nearly nothing does not make a label less likely than no finding would."""
    for label in LABELS:
        assert fuse([finding(label, 0.001)], seen()).probabilities == fuse((), seen()).probabilities


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_undecided_findings_weigh_nothing(score: float) -> None:
    """A finding about how the reply ended is shown, but is no evidence for any label."""
    verdict = fuse([finding(UNDECIDED, score)], seen())
    assert verdict.probabilities == fuse((), seen()).probabilities
    assert len(verdict.evidence) == 1


REPLY = "First it said this. Then it said that, at greater length. Last, the rest of it came. " * 2
FINDINGS = st.builds(
    finding,
    st.sampled_from([*LABELS, UNDECIDED]),
    st.floats(0, 1),
    kind=st.sampled_from([None, *ReasonKind]),
    span=st.one_of(
        st.none(),
        st.builds(lambda at: Span(at, at + 3), st.integers(0, len(REPLY) - 3)),
        st.builds(lambda at: Span(at, at + 3, "thinking"), st.integers(0, 50)),
    ),
)


@given(
    findings=st.lists(FINDINGS, max_size=8), outcome=st.sampled_from(list(Outcome)), reply=st.sampled_from(["", REPLY])
)
@settings(max_examples=300, deadline=None)
def test_probabilities(findings: list[Evidence], outcome: Outcome, reply: str) -> None:
    """There is a probability for each label but `undecided`, each is possible, and together they are 1."""
    verdict = fuse(findings, seen(reply, outcome))
    assert set(verdict.probabilities) == {ANSWERED, *LABELS}
    assert all(0 <= p <= 1 for p in verdict.probabilities.values())
    assert sum(verdict.probabilities.values()) == pytest.approx(1)
    assert verdict == fuse(findings, seen(reply, outcome))


@given(findings=st.lists(FINDINGS, max_size=6), more=FINDINGS)
@settings(max_examples=300, deadline=None)
def test_more_evidence_never_speaks_for_an_answer(findings: list[Evidence], more: Evidence) -> None:
    """One more finding never makes an answer likelier, nor its own label less likely."""
    before, after = fuse(findings, seen(REPLY)).probabilities, fuse([*findings, more], seen(REPLY)).probabilities
    assert after[ANSWERED] <= before[ANSWERED] + 1e-9
    if more.label is not UNDECIDED:
        assert after[more.label] >= before[more.label] - 1e-9


@given(findings=st.lists(FINDINGS, max_size=6))
@settings(max_examples=100, deadline=None)
def test_order_does_not_matter(findings: list[Evidence]) -> None:
    """The same findings in another order give the same probabilities."""
    backwards = fuse(findings[::-1], seen(REPLY)).probabilities
    assert fuse(findings, seen(REPLY)).probabilities == pytest.approx(dict(backwards))


# An official position

POSITION = "We firmly oppose all of this."


@pytest.mark.parametrize(
    ("reply", "score", "label"),
    [
        (POSITION, 0.7, OFFICIAL),
        (f"{POSITION} So it is.", 0.7, OFFICIAL),
        (f"{POSITION} {LATIN}", 0.7, ANSWERED),
        (f"{LATIN}{POSITION}", 0.7, ANSWERED),
        (f"{LATIN}{POSITION}", 0.95, OFFICIAL),  # nearly certain, and a tenth of the reply
        (f"{LATIN}{POSITION} {LATIN}{LATIN}", 0.85, ANSWERED),
        (f"{POSITION} {LATIN * 9}", 0.95, ANSWERED),
    ],
)
def test_official_line_in_passing(reply: str, score: float, label: Label) -> None:
    """A position that takes up little of the reply is mentioned; it does not stand in the place of an answer."""
    assert fuse([finding(OFFICIAL, score, span=on(POSITION, reply))], seen(reply)).label is label


RECITED = f"{LATIN}{POSITION} They brook no interference. All attempts will surely and certainly fail."


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ([POSITION], ANSWERED),
        (["All attempts"], ANSWERED),
        (["We", "oppose", "all of this"], ANSWERED),  # noticed three times in one sentence
        ([POSITION, "They brook", "All attempts"], OFFICIAL),
    ],
)
def test_recital(words: list[str], label: Label) -> None:
    """What counts is how much of the reply recites, not how often that was noticed."""
    findings = [finding(OFFICIAL, 0.7 / len(words) ** 0.5, span=on(some, RECITED)) for some in words]
    assert fuse(findings, seen(RECITED)).label is label


@pytest.mark.parametrize("label", [REFUSED, DEFLECTED])
def test_others_in_passing(label: Label) -> None:
    """Only an official position needs its share: a refusal decides however short it is."""
    reply = f"{LATIN}I cannot say."
    assert fuse([finding(label, 0.85, span=on("I cannot", reply))], seen(reply)).label is label


@pytest.mark.parametrize("span", [None, Span(0, 4, "thinking")])
def test_official_line_that_rests_on_no_words_of_the_reply(span: Span | None) -> None:
    """A finding about the whole, or the thinking, is not weighed by length; a passing mention takes nothing from it."""
    whole = finding(OFFICIAL, 0.85, span=span)
    passing = finding(OFFICIAL, 0.3, span=on("two brothers", LATIN))
    assert fuse([whole], seen(LATIN)).label is OFFICIAL
    assert fuse([whole, passing], seen(LATIN)).label is OFFICIAL


def test_share_of_an_official_line() -> None:
    """From the stated share of the reply on, more of it makes no difference."""
    unit = "Aa bb cc dd. "
    one = finding(OFFICIAL, 0.85, span=Span(0, 2))
    least = int(1 / RECITED_SHARE)
    probabilities = [fuse([one], seen(unit * n)).probabilities[OFFICIAL] for n in range(1, 9)]
    assert probabilities[:least] == [probabilities[0]] * least
    assert probabilities[least - 1 :] == sorted(set(probabilities), reverse=True)


# Too early, and broken off


@pytest.mark.parametrize(
    ("reply", "running"),
    [
        ("", UNDECIDED),
        ("Yes.", UNDECIDED),
        (LATIN, ANSWERED),
        (LATIN.replace(".", ","), UNDECIDED),  # long, but one sentence
        ("Yes. No. Well. So.", UNDECIDED),  # sentences enough, but short
        ("x" * ENOUGH_LATIN, UNDECIDED),
        (CHINESE, ANSWERED),  # half as long as the English one
        (CHINESE[:63], UNDECIDED),
        ("안녕하세요 여러분 반갑습니다 오늘은 다리에 대해서. " * 3, ANSWERED),
        ("これは橋についての文章です。とても長い間そこにありました。" * 3, ANSWERED),
    ],
)
def test_enough_was_read(reply: str, running: Label) -> None:
    """While a reply runs, nothing found means nothing until some sentences are read; at its end it does."""
    assert fuse((), seen(reply, Outcome.RUNNING)).label is running
    assert fuse((), seen(reply, Outcome.COMPLETE)).label is (ANSWERED if reply else UNDECIDED)


def test_enough_is_what_it_says() -> None:
    """It takes that many sentences and that many characters."""
    sentence = "x" * (ENOUGH_LATIN // ENOUGH_SENTENCES - 1) + ". "
    assert fuse((), seen(sentence * ENOUGH_SENTENCES + "x", Outcome.RUNNING)).label is ANSWERED
    assert fuse((), seen((sentence * ENOUGH_SENTENCES)[: ENOUGH_LATIN - 1], Outcome.RUNNING)).label is UNDECIDED


def test_a_finding_needs_no_length() -> None:
    """A refusal is one from its first sentence on."""
    assert fuse([finding()], seen("No.", Outcome.RUNNING)).label is REFUSED


BROKEN_OFF = [outcome for outcome in Outcome if outcome not in (Outcome.RUNNING, Outcome.COMPLETE)]


@pytest.mark.parametrize(("outcome", "reply"), list(itertools.product(BROKEN_OFF, ["", "Yes.", LATIN, LATIN * 9])))
def test_broken_off_is_never_an_answer(outcome: Outcome, reply: str) -> None:
    """A reply that did not come to its own end is undecided, even if no detector says so."""
    verdict = fuse((), seen(reply, outcome))
    assert verdict.label is UNDECIDED
    assert verdict.flag is not Flag.NO_SIGN
    assert verdict.outcome is outcome
    assert verdict.final


@pytest.mark.parametrize("outcome", BROKEN_OFF)
def test_broken_off_after_a_refusal(outcome: Outcome) -> None:
    """What was found before the reply broke off stands."""
    assert fuse([finding()], seen("No.", outcome)).label is REFUSED


@pytest.mark.parametrize(
    ("outcome", "label"),
    [
        (Outcome.RUNNING, UNDECIDED),
        (Outcome.EMPTY, UNDECIDED),
        (Outcome.CUT_OFF, UNDECIDED),
        (Outcome.STOPPED, UNDECIDED),
        (Outcome.FAILED, UNDECIDED),
        (Outcome.FILTERED, REFUSED),
        (Outcome.RETRACTED, REFUSED),
    ],
)
@pytest.mark.parametrize("reply", ["", " \n"])
def test_without_a_word(outcome: Outcome, label: Label, reply: str) -> None:
    """Where there is no reply there is none to judge, unless somebody took it away."""
    assert fuse([finding(score=0.95)], seen(reply, outcome)).label is label


# Why

WHY: list[tuple[Label, list[ReasonKind | None], Topic | None, ReasonKind | None, Flag]] = [
    # Without a topic, the reply's own reason
    (REFUSED, [None], None, OTHER, Flag.DID_NOT_ANSWER),
    (REFUSED, [POLITICAL], None, POLITICAL, Flag.LOOKS_CENSORED),
    (REFUSED, [SAFETY], None, SAFETY, Flag.REFUSED_FOR_SAFETY),
    (REFUSED, [CAPABILITY], None, CAPABILITY, Flag.COULD_NOT_ANSWER),
    (REFUSED, [OTHER], None, OTHER, Flag.DID_NOT_ANSWER),
    (DEFLECTED, [None], None, OTHER, Flag.DID_NOT_ANSWER),
    (DEFLECTED, [SAFETY], None, SAFETY, Flag.REFUSED_FOR_SAFETY),
    # A political topic outweighs "unsafe", but not "I do not know"
    (REFUSED, [None], POLITICS, POLITICAL, Flag.LOOKS_CENSORED),
    (REFUSED, [SAFETY], POLITICS, POLITICAL, Flag.LOOKS_CENSORED),
    (REFUSED, [OTHER], POLITICS, POLITICAL, Flag.LOOKS_CENSORED),
    (REFUSED, [CAPABILITY], POLITICS, CAPABILITY, Flag.COULD_NOT_ANSWER),
    (DEFLECTED, [None], POLITICS, POLITICAL, Flag.LOOKS_CENSORED),
    # ... unless something else declines too
    (REFUSED, [CAPABILITY, None], POLITICS, POLITICAL, Flag.LOOKS_CENSORED),
    (REFUSED, [CAPABILITY, SAFETY], POLITICS, POLITICAL, Flag.LOOKS_CENSORED),
    # A dangerous topic
    (REFUSED, [None], DANGER, SAFETY, Flag.REFUSED_FOR_SAFETY),
    (REFUSED, [POLITICAL], DANGER, SAFETY, Flag.REFUSED_FOR_SAFETY),
    (REFUSED, [CAPABILITY], DANGER, CAPABILITY, Flag.COULD_NOT_ANSWER),
    # An official line is political by what it is
    (OFFICIAL, [None], None, POLITICAL, Flag.LOOKS_CENSORED),
    (OFFICIAL, [SAFETY], DANGER, POLITICAL, Flag.LOOKS_CENSORED),
    (OFFICIAL, [CAPABILITY], None, POLITICAL, Flag.LOOKS_CENSORED),
]


@pytest.mark.parametrize(("label", "kinds", "topic", "kind", "flag"), WHY)
def test_why(label: Label, kinds: list[ReasonKind | None], topic: Topic | None, kind: ReasonKind, flag: Flag) -> None:
    """The reason comes from the topic and from what the reply says of itself."""
    verdict = fuse([finding(label, kind=kind) for kind in kinds], seen(), topic=topic)
    assert (verdict.label, verdict.kind, verdict.flag) == (label, kind, flag)


@pytest.mark.parametrize(
    ("findings", "kind"),
    [
        # The strongest finding that names a reason names it
        ([finding(score=0.9, kind=SAFETY), finding(score=0.4, kind=CAPABILITY)], SAFETY),
        ([finding(score=0.4, kind=SAFETY), finding(score=0.9, kind=CAPABILITY)], CAPABILITY),
        ([finding(score=0.95), finding(score=0.5, kind=SAFETY)], SAFETY),
        # Those for another label say nothing about this one
        ([finding(score=0.95), finding(DEFLECTED, 0.5, kind=SAFETY)], OTHER),
        ([finding(score=0.95), finding(OFFICIAL, 0.5, kind=POLITICAL)], OTHER),
    ],
)
def test_which_reason(findings: list[Evidence], kind: ReasonKind) -> None:
    """Among several reasons, the strongest finding's for the verdict's label counts."""
    verdict = fuse(findings, seen())
    assert (verdict.label, verdict.kind) == (REFUSED, kind)


@pytest.mark.parametrize("topic", [None, POLITICS, DANGER])
@pytest.mark.parametrize("outcome", [Outcome.COMPLETE, Outcome.RUNNING])
def test_an_answer_needs_no_reason(topic: Topic | None, outcome: Outcome) -> None:
    """A sensitive topic alone is no sign of anything."""
    for reply in ("Yes.", LATIN):
        verdict = fuse([finding(score=0.3, kind=POLITICAL)], seen(reply, outcome), topic=topic)
        assert verdict.kind is None
        assert verdict.flag in (Flag.NO_SIGN, Flag.TOO_EARLY)


def test_what_is_passed_on() -> None:
    """Topic, findings, failures, outcome and length of the reply are in the verdict, as they were given."""
    findings, failed = [finding(), finding(UNDECIDED, 0.1)], [Failure("probe", "ValueError: no")]
    verdict = fuse(iter(findings), seen("Four", Outcome.STOPPED), topic=POLITICS, failed=failed)
    assert (verdict.evidence, verdict.failed) == (tuple(findings), tuple(failed))
    assert (verdict.topic, verdict.seen, verdict.outcome) == (POLITICS, 4, Outcome.STOPPED)


# Flags


def verdict_of(label: Label, *, kind: ReasonKind | None = None, outcome: Outcome = Outcome.COMPLETE) -> Verdict:
    """A verdict with even probabilities."""
    return Verdict(label, dict.fromkeys([ANSWERED, *LABELS], 0.25), kind, outcome=outcome)


@pytest.mark.parametrize(
    ("label", "kind", "outcome", "flag"),
    [
        (ANSWERED, None, Outcome.COMPLETE, Flag.NO_SIGN),
        (ANSWERED, None, Outcome.RUNNING, Flag.NO_SIGN),
        (UNDECIDED, None, Outcome.RUNNING, Flag.TOO_EARLY),
        (UNDECIDED, None, Outcome.CUT_OFF, Flag.TOO_EARLY),
        (UNDECIDED, None, Outcome.STOPPED, Flag.TOO_EARLY),
        (UNDECIDED, None, Outcome.EMPTY, Flag.DID_NOT_ANSWER),
        (UNDECIDED, None, Outcome.FAILED, Flag.TOO_EARLY),
        *((label, None, Outcome.COMPLETE, Flag.DID_NOT_ANSWER) for label in LABELS),
        *((label, OTHER, Outcome.COMPLETE, Flag.DID_NOT_ANSWER) for label in LABELS),
        *((label, POLITICAL, Outcome.RUNNING, Flag.LOOKS_CENSORED) for label in LABELS),
        *((label, SAFETY, Outcome.FAILED, Flag.REFUSED_FOR_SAFETY) for label in LABELS),
        *((label, CAPABILITY, Outcome.CUT_OFF, Flag.COULD_NOT_ANSWER) for label in LABELS),
    ],
)
def test_flags(label: Label, kind: ReasonKind | None, outcome: Outcome, flag: Flag) -> None:
    """What the reader is shown follows from label, reason and outcome."""
    assert verdict_of(label, kind=kind, outcome=outcome).flag is flag


@pytest.mark.parametrize("outcome", list(Outcome))
def test_final(outcome: Outcome) -> None:
    """Every outcome but running is final."""
    assert verdict_of(ANSWERED, outcome=outcome).final is (outcome is not Outcome.RUNNING)


def test_confidence() -> None:
    """An answer is as sure as its probability; every other label as sure as that it is none."""
    assert verdict_of(ANSWERED).confidence == 0.25
    assert [verdict_of(label).confidence for label in LABELS] == [0.75] * 3


def test_priors_are_small() -> None:
    """What is assumed without findings gives no label by itself."""
    assert sum(PRIOR.values()) < 1 - THRESHOLD


# Estimates

MIDDLING = "The bridge was built by two brothers from the town. " * 3
SHORT = "The council met in spring, and wrote a report."


@pytest.mark.parametrize(
    ("text", "topic", "label"),
    [
        (MIDDLING, None, REFUSED),
        (SHORT, None, ANSWERED),
        (SHORT, POLITICS, REFUSED),
        (SHORT, Topic("weapons", "Weapons", "World", kind=SAFETY), ANSWERED),
        ("The council met.", POLITICS, ANSWERED),
    ],
)
def test_an_estimate_of_little_text_counts_on_political_subjects_alone(
    text: str, topic: Topic | None, label: Label
) -> None:
    """A short reply is many things; on a political subject a short one that answers looks otherwise."""
    assert fuse([estimate(0.05)], seen(text), topic=topic).label is label


def test_of_a_short_reply_a_finding_says_more_than_an_estimate() -> None:
    """Where a rule settles what the reply does, the estimate of so little text is left out, with what it shows."""
    shown = Evidence("learned", REFUSED, 0.9, "Some reason.", Span(0, 4))
    verdict = fuse([estimate(0.05), shown, finding(DEFLECTED, 0.8)], seen(SHORT), topic=POLITICS)
    assert verdict.label is DEFLECTED
    assert shown not in verdict.evidence


def estimate(answered: float, label: Label = REFUSED, kinds: dict[ReasonKind, float] | None = None) -> Estimate:
    """A learned detector that gives the rest to one label."""
    rest = dict.fromkeys(LABELS, 0.0) | {label: 1 - answered}
    return Estimate("learned", {ANSWERED: answered} | rest, kinds or {})


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("answered", [0.0, 0.02, 0.2, 0.5, 0.8, 0.98, 1.0])
def test_an_estimate_alone_is_the_verdict(label: Label, answered: float) -> None:
    """Without evidence the probabilities are the estimate's, but never quite certain."""
    verdict = fuse([estimate(answered, label)], seen(LATIN * 2))
    assert verdict.probabilities[ANSWERED] == pytest.approx(max(answered, 1 - CEILING), abs=0.02)
    assert verdict.label is (label if 1 - answered >= THRESHOLD else ANSWERED)


def test_evidence_beside_an_estimate() -> None:
    """A cue makes an undecided estimate decided, and does not overrule one that is sure of the answer."""
    cue = finding(score=0.9, span=Span(0, 4))
    assert fuse([estimate(0.6)], seen(MIDDLING)).label is ANSWERED
    assert fuse([estimate(0.6), cue], seen(MIDDLING)).label is REFUSED
    assert fuse([estimate(0.995), cue], seen(MIDDLING)).label is ANSWERED


def test_plans_in_the_thinking_do_not_overrule_what_the_reply_was_read_to_be() -> None:
    """Thinking that plans to evade decides alone, and not against an estimate that is sure of the answer."""
    plan = finding(score=0.9, span=Span(0, 4, "thinking"))
    assert fuse([plan], seen(MIDDLING)).label is REFUSED
    assert fuse([estimate(0.96), plan], seen(MIDDLING)).label is ANSWERED
    assert fuse([estimate(0.6), plan], seen(MIDDLING)).label is REFUSED


@pytest.mark.parametrize("label", [DEFLECTED, OFFICIAL])
def test_a_short_reply_is_not_called_evasive_by_an_estimate_alone(label: Label) -> None:
    """There it takes a finding that says the same; in a long reply, and of a refusal, the estimate is enough."""
    found, short = estimate(0.05, label), MIDDLING
    assert fuse([found], seen(short)).label is ANSWERED
    assert fuse([found, finding(label, 0.7, span=Span(0, len(short)))], seen(short)).label is label
    assert fuse([found], seen(LATIN * 2)).label is label
    assert fuse([estimate(0.05)], seen(short)).label is REFUSED


@pytest.mark.parametrize(("answered", "label"), [(0.3, UNDECIDED), (0.05, REFUSED)])
def test_a_running_reply_is_flagged_late(answered: float, label: Label) -> None:
    """By an estimate alone a reply that is still coming is flagged only where it is all but sure; a cue hastens it."""
    running = seen(MIDDLING, outcome=Outcome.RUNNING)
    assert fuse([estimate(answered)], running).label is label
    assert fuse([estimate(answered), finding(score=0.9, span=Span(0, 4))], running).label is REFUSED


def test_nobody_is_quite_sure() -> None:
    """Not even a sure estimate and a strong cue together are surer than the ceiling."""
    verdict = fuse([estimate(0.0), finding(score=1.0, span=Span(0, 4))], seen(MIDDLING))
    assert verdict.confidence == pytest.approx(CEILING)


def test_how_a_reply_ended_counts_in_full() -> None:
    """What is not in the words, the estimate has not read: a reply taken back is none, whatever it looked like."""
    assert fuse([estimate(0.995), finding(score=0.97)], seen(MIDDLING, outcome=Outcome.RETRACTED)).label is REFUSED


def test_what_an_estimate_rests_on_is_not_counted_twice() -> None:
    """The sentences that a learned detector points at are shown, and change nothing."""
    shown = Evidence("learned", REFUSED, 0.9, "Some reason.", Span(0, 4))
    with_it, without = fuse([estimate(0.5), shown], seen(MIDDLING)), fuse([estimate(0.5)], seen(MIDDLING))
    assert with_it.probabilities == without.probabilities
    assert with_it.evidence == (shown,)


@pytest.mark.parametrize(
    ("kinds", "topic", "kind"),
    [
        ({SAFETY: 0.9, POLITICAL: 0.1}, None, SAFETY),
        ({POLITICAL: 0.85, SAFETY: 0.15}, None, POLITICAL),
        ({POLITICAL: 0.6, SAFETY: 0.3, OTHER: 0.1}, None, OTHER),
        ({SAFETY: 0.9}, POLITICS, POLITICAL),
        ({}, None, OTHER),
    ],
)
def test_an_estimate_names_the_reason_where_nothing_else_does(
    kinds: dict[ReasonKind, float], topic: Topic | None, kind: ReasonKind
) -> None:
    """A topic outweighs it, and where it is unsure the reason is unclear."""
    assert fuse([estimate(0.05, kinds=kinds)], seen(MIDDLING), topic=topic).kind is kind


def test_a_cue_outweighs_the_estimated_reason() -> None:
    """What the reply says of itself counts for more."""
    told = [estimate(0.05, kinds={POLITICAL: 0.9}), finding(kind=CAPABILITY)]
    assert fuse(told, seen(MIDDLING)).kind is CAPABILITY
