"""Cutting a stream into thinking and reply, and into sentences, whatever the chunks."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.segment import CHANNEL, CHANNEL_MARKS, FRAMES, MAX_SENTENCE, TAGS, Sentences, ThinkingSplitter, split
from detectors.types import Sentence

MILLION = 1_000_000
PLENTY = 60.0  # seconds; the slowest of these takes three

SENTENCES: list[tuple[str, list[str]]] = [
    # English
    ("", []),
    (" \n\n\t ", []),
    ("He came. She left.", ["He came.", "She left."]),
    ("No full stop at all", ["No full stop at all"]),
    ("Who? Me! Yes.", ["Who?", "Me!", "Yes."]),
    ("What?! No!! Well.", ["What?!", "No!!", "Well."]),
    ("Wait... I see.", ["Wait...", "I see."]),
    ("Well… I see.", ["Well…", "I see."]),
    ("Joined.Without a space.", ["Joined.Without a space."]),
    ("One\nTwo\n\nThree", ["One", "Two", "Three"]),
    ("One.\r\nTwo.", ["One.", "Two."]),
    ("  Led in.   And out.  ", ["Led in.", "And out."]),
    # Abbreviations, and what only looks like one
    ("Dr. Li met Mr. Wu. They spoke.", ["Dr. Li met Mr. Wu.", "They spoke."]),
    ("J. B. Smith came. He sat.", ["J. B. Smith came.", "He sat."]),
    ("I can't. I won’t. Bye.", ["I can't.", "I won’t.", "Bye."]),
    ("The U.S. Senate voted. It passed.", ["The U.S. Senate voted.", "It passed."]),
    ("The P.R.C. was founded then. Yes.", ["The P.R.C. was founded then.", "Yes."]),
    ("Take fruit, e.g. apples. Or not.", ["Take fruit, e.g. apples.", "Or not."]),
    ("See fig. 3 and vol. 2. Then stop.", ["See fig. 3 and vol. 2.", "Then stop."]),
    ("He saw the best. It was gold.", ["He saw the best.", "It was gold."]),
    # Numbers
    ("It cost 3.5 million. Much.", ["It cost 3.5 million.", "Much."]),
    ("Version 1.2.3 is out. Get it.", ["Version 1.2.3 is out.", "Get it."]),
    ("That was in 1989. Then 1990.", ["That was in 1989.", "Then 1990."]),
    ("He was 30. She was 20.", ["He was 30.", "She was 20."]),
    ("It is at a.example.org/x.y now. Go.", ["It is at a.example.org/x.y now.", "Go."]),
    # Quotes, brackets, emphasis
    ('He said "No!" She left.', ['He said "No!"', "She left."]),
    ("He said “No.” She left.", ["He said “No.”", "She left."]),
    ("(See below.) Then go.", ["(See below.)", "Then go."]),
    ("**Short.** Then long.", ["**Short.**", "Then long."]),
    ('"Well," he said. "Go."', ['"Well," he said.', '"Go."']),
    # Lists
    ("1. First\n2. Second\n10. Tenth", ["1. First", "2. Second", "10. Tenth"]),
    ("- one\n- two", ["- one", "- two"]),
    ("* **Bold:** text. More.\n* two", ["* **Bold:** text.", "More.", "* two"]),
    ("Lead:\n\n1. One. Two.\n", ["Lead:", "1. One.", "Two."]),
    # Chinese
    ("他走了。她来了！谁？", ["他走了。", "她来了！", "谁？"]),
    ("他走了", ["他走了"]),
    ("他说：“不行。”然后走了。", ["他说：“不行。”", "然后走了。"]),
    ("「好。」他說。", ["「好。」", "他說。"]),
    ("（见下文。）然后", ["（见下文。）", "然后"]),
    ("什么！？不。", ["什么！？", "不。"]),
    ("不！！！走。", ["不！！！", "走。"]),
    ("算了……再说吧。", ["算了……再说吧。"]),
    ("共3.5亿元。很多。", ["共3.5亿元。", "很多。"]),
    ("一、甲\n二、乙", ["一、甲", "二、乙"]),
    ("半角｡也是。", ["半角｡", "也是。"]),
    # Both, and other scripts
    ("中文。English. 中文？Yes!", ["中文。", "English.", "中文？", "Yes!"]),
    ("Xi Jinping（习近平）spoke. 他说了。", ["Xi Jinping（习近平）spoke.", "他说了。"]),
    ("Hi 😀! Bye 👩‍👩‍👧.", ["Hi 😀!", "Bye 👩‍👩‍👧."]),
    ("مرحبا. شكرا.", ["مرحبا.", "شكرا."]),
    ("Lone \ud800half. And\udfff.", ["Lone \ud800half.", "And\udfff."]),
    ("A\x00b.\x07 C.", ["A\x00b.\x07 C."]),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentences(text: str, expected: list[str]) -> None:
    """A text is cut where a reader would say that a sentence ends."""
    assert [sentence.text for sentence in split(text)] == expected


@pytest.mark.parametrize("text", [text for text, _ in SENTENCES])
def test_spans_and_numbers(text: str) -> None:
    """A sentence's span is where it stands in the text, and sentences are counted from 0."""
    for number, sentence in enumerate(split(text, "thinking")):
        assert text[sentence.span.start : sentence.span.end] == sentence.text
        assert (sentence.index, sentence.span.where) == (number, "thinking")


def cut(text: str, *, size: int) -> list[str]:
    """The text in chunks of this size."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def fed(chunks: list[str]) -> list[Sentence]:
    """The sentences of a text that comes in these chunks."""
    sentences = Sentences()
    found = [sentence for chunk in chunks for sentence in sentences.feed(chunk)]
    return found + sentences.close()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("text", [text for text, _ in SENTENCES])
def test_chunks_do_not_matter(text: str, size: int) -> None:
    """The sentences are the same however the text was cut."""
    assert fed(cut(text, size=size)) == split(text)


@given(text=st.text(alphabet='aA1 .。！!?…"”)*\n\t' + "r", max_size=90), size=st.integers(1, 20))
@settings(max_examples=300, deadline=None)
def test_chunks_do_not_matter_for_any_punctuation(text: str, size: int) -> None:
    """However full stops, quotes and white space are heaped up, the cuts between chunks change nothing."""
    assert fed(cut(text, size=size)) == split(text)


@given(unit=st.text(alphabet="ab .。”\n", min_size=1, max_size=12), size=st.integers(1, 900))
@settings(max_examples=100, deadline=None)
def test_chunks_do_not_matter_around_the_longest_sentence(unit: str, size: int) -> None:
    """A text that is cut for its length is cut at the same places whatever the chunks."""
    text = "x" * (MAX_SENTENCE - 12) + unit * 110
    assert fed(cut(text, size=size)) == split(text)


@given(text=st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_nothing_is_lost(text: str) -> None:
    """All but white space is in one sentence, in order."""
    assert "".join("".join(s.text.split()) for s in split(text)) == "".join(text.split())


def test_sentence_comes_as_soon_as_its_end_is_known() -> None:
    """A sentence is given out with the character after it, and not before: a quotation mark may follow."""
    sentences = Sentences()
    assert sentences.feed("He said “No.") == []
    assert sentences.feed("”") == []
    assert [s.text for s in sentences.feed(" ")] == ["He said “No.”"]
    assert sentences.feed("他走了。") == []
    assert [s.text for s in sentences.feed("她")] == ["他走了。"]
    assert [s.text for s in sentences.feed("来了\n")] == ["她来了"]
    assert sentences.close() == []


@pytest.mark.parametrize("unit", ["word ", "字", "a", "e.g. ", "1.5,"])
def test_text_without_an_end_is_cut(unit: str) -> None:
    """Text without full stops still gives sentences, each of at most `MAX_SENTENCE` characters."""
    text = unit * 1000
    found = split(text)
    assert len(found) >= len(text) // MAX_SENTENCE
    assert all(len(sentence.text) <= MAX_SENTENCE for sentence in found)
    assert "".join(s.text for s in found).replace(" ", "") == text.replace(" ", "")


def test_long_text_is_cut_between_words() -> None:
    """Where there are spaces, no word is cut in two."""
    assert {word for s in split("alpha beta " * 300) for word in s.text.split()} == {"alpha", "beta"}


@pytest.mark.parametrize("unit", ["A plain sentence. ", "这是一句话。", "word ", "字", ".", "ab\n", "a\t"])
def test_million_characters(unit: str) -> None:
    """A million characters at once take no more than they do in small chunks."""
    began = time.monotonic()
    assert split(unit * (MILLION // len(unit)))
    assert time.monotonic() - began < PLENTY


def parts(chunks: list[str], *, opened: bool = False) -> tuple[str, str]:
    """(thinking, reply) of a text that comes in these chunks."""
    splitter = ThinkingSplitter(opened=opened)
    text = {"thinking": "", "reply": ""}
    for pieces in [*(splitter.feed(chunk) for chunk in chunks), splitter.close()]:
        for piece in pieces:
            if piece.restart:
                text = {"thinking": text["reply"], "reply": ""}
            text[piece.where] += piece.text
    return text["thinking"], text["reply"]


# (text, thinking, reply)
THOUGHT: list[tuple[str, str, str]] = [
    *[(f"{opening}why{closing}so", "why", "so") for opening, closing in TAGS],
    *[(f"\n {opening}why{closing}\n\nso", "why", "\n \n\nso") for opening, closing in TAGS],
    *[(f"why{closing}so", "why", "so") for _, closing in TAGS],
    *[(f"{opening}{closing}so", "", "so") for opening, closing in TAGS],
    *[(f"{opening}\n\n{closing}\n\nso", "\n\n", "\n\nso") for opening, closing in TAGS],
    *[(f"{opening}never closed", "never closed", "") for opening, _ in TAGS],
    *[(f"{opening}why{closing}", "why", "") for opening, closing in TAGS],
    *[(opening, "", "") for opening, _ in TAGS],
    # No thinking
    ("", "", ""),
    ("so", "", "so"),
    ("a < b and c > d", "", "a < b and c > d"),
    ("<thin", "", "<thin"),
    ("so <think", "", "so <think"),
    ("<thinker>so</thinker>", "", "<thinker>so</thinker>"),
    ("[THINKING] so", "", "[THINKING] so"),
    ("[think]so", "", "[think]so"),
    ("< think>so", "", "< think>so"),
    ("<<think", "", "<<think"),
    # Quoted in mid-answer
    ("Models write <think> first.", "", "Models write <think> first."),
    ("<think>why</think>They write <think>x</think> so.", "why", "They write <think>x</think> so."),
    ("<think>why</think>so</think>", "why", "so</think>"),
    ("why</think>They write </think> and <think>.", "why", "They write </think> and <think>."),
    # Nested, and of different kinds
    ("<think>a<think>b</think>c", "a<think>b", "c"),
    ("<think>a</thinking>b</think>c", "a</thinking>b", "c"),
    ("<think>say [THINK] or [/THINK]</think>c", "say [THINK] or [/THINK]", "c"),
    # Two blocks, with nothing said between them
    ("<think>a</think>\n<think>b</think>c", "ab", "\nc"),
    # Looks like a tag until its last character
    ("<<think>why</think>so", "<<think>why", "so"),
    ("<think>a < b </thin </think>so", "a < b </thin ", "so"),
]


ANALYSIS = "<|channel|>analysis<|message|>"
FINAL = "<|channel|>final<|message|>"
NEXT = "<|end|><|start|>assistant"

# (text, thinking, reply)
CHANNELS: list[tuple[str, str, str]] = [
    (f"{ANALYSIS}why{NEXT}{FINAL}so<|return|>", "why", "so"),
    (f"<|start|>assistant{ANALYSIS}why{NEXT}{FINAL}so<|return|>", "why", "so"),
    (f"\n{ANALYSIS}why{NEXT}{FINAL}so", "why", "\nso"),
    (f"{FINAL}so<|return|>", "", "so"),
    (f"{FINAL}so<|return|>\n", "", "so"),
    (f"{ANALYSIS}why{FINAL}so", "why", "so"),
    (f"{ANALYSIS}why<|end|>{FINAL}so<|end|>", "why", "so"),
    (f"{ANALYSIS}why<|end|>\n<|start|>assistant\n<|channel|>final\n<|message|>so", "why", "so"),
    (f"{ANALYSIS}why{NEXT}<|channel|>final <|constrain|>json<|message|>{{}}<|return|>", "why", "{}"),
    (f"{ANALYSIS}{NEXT}{FINAL}so", "", "so"),
    (f"{ANALYSIS}never ended", "never ended", ""),
    (f"{ANALYSIS}why<|end|>", "why", ""),
    (f"{ANALYSIS}why{NEXT}", "why", ""),
    (f"{ANALYSIS}why{NEXT}<|channel|>final", "why", ""),
    (ANALYSIS, "", ""),
    # More than two messages
    (f"{ANALYSIS}One.{NEXT}{ANALYSIS}Two.{NEXT}{FINAL}so", "One.\n\nTwo.", "so"),
    (f"{ANALYSIS}One.{NEXT}<|channel|>commentary<|message|>Two.{NEXT}{FINAL}so", "One.\n\nTwo.", "so"),
    (
        f"{ANALYSIS}Ask.<|end|><|start|>assistant<|channel|>commentary to=functions.find <|constrain|>json<|message|>"
        f"{{}}<|call|><|start|>functions.find to=assistant<|channel|>commentary<|message|>[]{NEXT}{FINAL}so",
        "Ask.\n\n{}\n\n[]",
        "so",
    ),
    (f"{ANALYSIS}why<|end|><|start|>assistant to=functions.find<|channel|>commentary<|message|>{{}}", "why\n\n{}", ""),
    (f"{FINAL}One.{NEXT}{FINAL}Two.", "", "One.\n\nTwo."),
    # Only mentioned
    ("The token <|channel|> names a channel.", "", "The token <|channel|> names a channel."),
    (f"It writes `{ANALYSIS}` first.", "", f"It writes `{ANALYSIS}` first."),
    ("<|channel|> names a channel.", "", "<|channel|> names a channel."),
    ("<|channel|>analysis is a channel.", "", "<|channel|>analysis is a channel."),
    ("<|channel|>other<|message|>so", "", "<|channel|>other<|message|>so"),
    ("<|channel|>finally<|message|>so", "", "<|channel|>finally<|message|>so"),
    ("<|channel|>", "", "<|channel|>"),
    ("<|start|>assistant", "", "<|start|>assistant"),
    ("<|message|>so<|end|>", "", "<|message|>so<|end|>"),
    ("so<|end|>", "", "so<|end|>"),
    ("<|channel|><think>", "", "<|channel|><think>"),
    (f"{'<|channel|>' + 'x' * 200}{FINAL}so", "", f"{'<|channel|>' + 'x' * 200}{FINAL}so"),
    (f"{FINAL}It writes {ANALYSIS} first, <|end|> last.", "", f"It writes {ANALYSIS} first, <|end|> last."),
    (
        f"{ANALYSIS}Is <|channel|> meant, or </think>?{NEXT}{FINAL}<think>",
        "Is <|channel|> meant, or </think>?",
        "<think>",
    ),
    (f"<think>Is {ANALYSIS} meant?</think>so", f"Is {ANALYSIS} meant?", "so"),
    ("analysis is a channel.", "", "analysis is a channel."),
    # A server took the marks away
    ("analysisThe user asks.assistantfinalHello!", "analysisThe user asks.", "Hello!"),
    ("analysisThe user asks.assistantfinalassistantfinal", "analysisThe user asks.", "assistantfinal"),
    ("analysis of the assistantfinal word", "", "analysis of the assistantfinal word"),
    ("Here: analysisThe user.assistantfinalHello", "", "Here: analysisThe user.assistantfinalHello"),
    ("analysisResult holds the assistant", "", "analysisResult holds the assistant"),
]

# (text, thinking, reply)
FRAMED: list[tuple[str, str, str]] = [
    *[(f"<think>why</think>\n{opening}so{closing}", "why", "\nso") for opening, closing in FRAMES],
    *[(f"why</think>{opening}so{closing}", "why", "so") for opening, closing in FRAMES],
    *[(f"<think>why</think>{opening}so", "why", "so") for opening, _ in FRAMES],
    # Without thinking, or within the reply, it is part of that
    *[(f"{opening}so{closing}", "", f"{opening}so{closing}") for opening, closing in FRAMES],
    *[(f"<think>why</think>In {o}x{c}.", "why", f"In {o}x{c}.") for o, c in FRAMES],
    *[(f"<think>{o}x{c}</think>so", f"{o}x{c}", "so") for o, c in FRAMES],
    # A closing tag in an answer about XML, which was opened there
    ("Write <thought>x</thought> so.", "", "Write <thought>x</thought> so."),
    ("Write <reasoning>x</reasoning> so.", "", "Write <reasoning>x</reasoning> so."),
]

THOUGHT += CHANNELS + FRAMED


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(("text", "thinking", "reply"), THOUGHT)
def test_thinking(text: str, thinking: str, reply: str, size: int) -> None:
    """Thinking and reply are told apart, wherever the chunks cut the tags."""
    assert parts(cut(text, size=size)) == (thinking, reply)


def test_channels_without_marks_in_two_chunks() -> None:
    """They too may be cut anywhere."""
    text = "analysisThe user asks.assistantfinalHello!"
    for at in range(len(text) + 1):
        assert parts([text[:at], text[at:]]) == ("analysisThe user asks.", "Hello!")


@pytest.mark.parametrize(("opening", "closing"), TAGS)
def test_tag_in_two_chunks(opening: str, closing: str) -> None:
    """A tag may be cut anywhere."""
    text = f"{opening}why{closing}so"
    for at in range(len(text) + 1):
        assert parts([text[:at], text[at:]]) == ("why", "so")


LOOSE = ["<", "</th", "[/", "◁", "<|", "a", " ", "\n", "字"]


@given(
    words=st.lists(
        st.sampled_from([*(tag for pair in (*TAGS, *FRAMES) for tag in pair), *LOOSE]),
        max_size=12,
    ),
    size=st.integers(1, 14),
    opened=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_heaps_of_tags(words: list[str], size: int, opened: bool) -> None:
    """However tags are heaped up, the cuts between chunks change nothing."""
    text = "".join(words)
    assert parts(cut(text, size=size), opened=opened) == parts([text], opened=opened)


@given(
    words=st.lists(
        st.sampled_from(
            [
                *CHANNEL_MARKS,
                ANALYSIS,
                FINAL,
                NEXT,
                "analysis",
                "final",
                " to=x",
                "assistantfinal",
                "<think>",
                "A",
                *LOOSE,
            ]
        ),
        max_size=14,
    ),
    size=st.integers(1, 30),
)
@settings(max_examples=500, deadline=None)
def test_heaps_of_channels(words: list[str], size: int) -> None:
    """However marks of channels are heaped up, the cuts between chunks change nothing."""
    text = "".join(words)
    assert parts(cut(text, size=size)) == parts([text])


@pytest.mark.parametrize("closing", [closing for _, closing in TAGS])
def test_opened_in_the_prompt(closing: str) -> None:
    """Where the prompt opened the thinking, all is thinking up to any closing tag."""
    assert parts([f"why{closing}so"], opened=True) == ("why", "so")
    assert parts(["why"], opened=True) == ("why", "")


def test_text_is_not_held_back() -> None:
    """Only what may be the start of a tag is kept for later."""
    splitter = ThinkingSplitter()
    assert [piece.text for piece in splitter.feed("so a <b> c <")] == ["so a <b> c "]
    assert splitter.feed("thi") == []
    assert [piece.text for piece in splitter.feed("s")] == ["<this"]
    assert splitter.close() == []


@pytest.mark.parametrize(
    ("text", "opened", "thought"),
    [
        ("<think></think>so", False, True),
        ("why</think>so", False, True),
        ("so", True, True),
        ("so", False, False),
        ("Say <think> now", False, False),
        ("<|channel|>analysis<|message|>", False, True),
        ("<|channel|>final<|message|>so", False, False),
    ],
)
def test_thought(text: str, opened: bool, thought: bool) -> None:
    """It is known whether a thinking block was opened, however empty."""
    splitter = ThinkingSplitter(opened=opened)
    splitter.feed(text)
    assert splitter.thought is thought


@pytest.mark.parametrize("unit", ["x <think> y", "<", "◁think▷</think>", "plain text ", f"{ANALYSIS}x{NEXT}", CHANNEL])
def test_million_characters_with_tags(unit: str) -> None:
    """A million characters of tags and near-tags are split at once."""
    began = time.monotonic()
    thinking, reply = parts([unit * (MILLION // len(unit))])
    assert thinking or reply
    assert time.monotonic() - began < PLENTY
