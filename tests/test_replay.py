"""Recorded replies: read from three formats, found again in other words, and played back as if live."""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import GREEDY, ask, text_of

from chat.engines.replay import ReplayEngine, models_of
from chat.errors import LoadError, QuestionError
from chat.recordings import read_recordings
from chat.session import watch
from chat.similar import SAME, Questions
from detectors import Message, Outcome, watch_text

REFUSAL = "Sorry, that's beyond my current scope. Let's talk about something else."
OURS = {
    "question": "Who was Liu Xiaobo?",
    "reply": REFUSAL,
    "model": "deepseek-r1",
    "reasoning": "Sensitive.",
    "id": "a/1",
}
OPENAI = {
    "model": "qwen",
    "created": 1735689600,
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": [{"type": "text", "text": "Who was Liu Xiaobo?"}]},
        {"role": "assistant", "content": REFUSAL, "reasoning_content": "Sensitive."},
    ],
}
LOGGED = {
    "request": {"model": "q", "messages": [{"role": "user", "content": "Who was Liu Xiaobo?"}]},
    "response": {"model": "qwen", "choices": [{"message": {"content": "He was"}, "finish_reason": "content_filter"}]},
}
SHAREGPT = {"conversations": [{"from": "human", "value": "Who was Liu Xiaobo?"}, {"from": "gpt", "value": REFUSAL}]}


def write(path: Path, *entries: Any) -> Path:
    """A JSON Lines file."""
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("entry", "model", "date", "thinking", "outcome"),
    [
        (OURS, "deepseek-r1", "", "Sensitive.", Outcome.COMPLETE),
        ({**OURS, "date": "2025-01-31T10:00:00Z"}, "deepseek-r1", "2025-01-31", "Sensitive.", Outcome.COMPLETE),
        (OPENAI, "qwen", "2025-01-01", "Sensitive.", Outcome.COMPLETE),
        (LOGGED, "qwen", "", "", Outcome.FILTERED),
        (SHAREGPT, "", "", "", Outcome.COMPLETE),
    ],
)
def test_formats(tmp_path: Path, entry: Any, model: str, date: str, thinking: str, outcome: Outcome) -> None:
    """Every format gives question, reply, thinking, model, day, and how the reply ended."""
    (recording,) = read_recordings(write(tmp_path / "r.jsonl", entry)).recordings
    assert recording.turn.question == "Who was Liu Xiaobo?"
    assert recording.reply in (REFUSAL, "He was")
    assert (recording.model, recording.date, recording.thinking, recording.outcome) == (model, date, thinking, outcome)


def test_conversation_is_kept(tmp_path: Path) -> None:
    """What was said before the last question is its history, and the system prompt stays one."""
    (recording,) = read_recordings(write(tmp_path / "r.jsonl", OPENAI)).recordings
    assert recording.turn.system == "Be brief."
    assert recording.turn.history == (Message("user", "Hi."), Message("assistant", "Hello."))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("shape", ["lines", "array", "object"])
def test_shapes(tmp_path: Path, shape: str, zipped: bool) -> None:
    """Lines, an array, or one object over many lines; plain or gzipped."""
    text = {
        "lines": "\n".join(map(json.dumps, (OURS, SHAREGPT))),
        "array": json.dumps([OURS, SHAREGPT], indent=1),
        "object": json.dumps(OURS, indent=1),
    }[shape]
    path = tmp_path / "r.json"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    assert len(read_recordings(path).recordings) == (1 if shape == "object" else 2)


def test_bad_lines_are_skipped(tmp_path: Path) -> None:
    """A line that cannot be used is counted, and the rest is read."""
    path = write(
        tmp_path / "r.jsonl", OURS, {"question": "And?"}, {"messages": "none"}, 7, {"conversations": [{}]}, SHAREGPT
    )
    path.write_bytes(path.read_bytes() + b'{"question": "cut o')
    found = read_recordings(path)
    assert len(found.recordings) == 2
    assert found.skipped == 5


def test_truncated_gzip_is_read_up_to_there(tmp_path: Path) -> None:
    """A file that breaks off gives what came before."""
    lines = "".join(json.dumps({**OURS, "question": f"Question {n}? {n * 7919}"}) + "\n" for n in range(2000))
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(gzip.compress(lines.encode())[:-200])
    assert 0 < len(read_recordings(path).recordings) < 2000


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"not json", b"\xff\xfe\x00", b"[]", b"{}", b'[{"question": "only"}]']
)
def test_nothing_usable(tmp_path: Path, content: bytes) -> None:
    """A file without a recording is an error that names the formats."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=r"holds no recorded replies.*ShareGPT"):
        read_recordings(path)


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is an error with its name."""
    with pytest.raises(LoadError, match="cannot be read"):
        read_recordings(tmp_path / "none.jsonl")


def test_played_back(tmp_path: Path) -> None:
    """Thinking and reply come as they were, labelled as recorded with model and day."""
    engine = ReplayEngine(write(tmp_path / "r.jsonl", {**OURS, "date": "2025-01-31"}), pace=0)
    assert engine.name == "deepseek-r1 (recorded 2025-01-31)"
    assert engine.questions == ("Who was Liu Xiaobo?",)
    chunks = list(engine.stream(ask("who was  LIU XIAOBO"), GREEDY))
    assert chunks[0].note.startswith("Recorded reply")
    assert "".join(chunk.thinking for chunk in chunks) == "Sensitive."
    assert text_of(chunks) == REFUSAL
    assert chunks[-1].outcome is Outcome.COMPLETE


def test_other_words_are_said(tmp_path: Path) -> None:
    """A question in other words plays the recorded one, and the note says which that is."""
    engine = ReplayEngine(write(tmp_path / "r.jsonl", OURS), pace=0)
    exact, other = (
        next(iter(engine.stream(ask(q), GREEDY))) for q in ("Who was Liu Xiaobo?", "Who exactly was Liu Xiaobo?")
    )
    assert "to the question" not in exact.note
    assert "to the question “Who was Liu Xiaobo?”" in other.note


def test_unknown_question_names_the_nearest(tmp_path: Path) -> None:
    """What was not recorded is not made up: the error names what there is."""
    engine = ReplayEngine(write(tmp_path / "r.jsonl", OURS, {**OURS, "question": "Is Taiwan a country?"}), pace=0)
    with pytest.raises(QuestionError, match=r"Nothing is recorded.*nearest are “Is Taiwan a country\?”\.$"):
        list(engine.stream(ask("Is Tibet a country?"), GREEDY))
    with pytest.raises(QuestionError, match=r"Nothing is recorded.*The list of questions has all"):
        list(engine.stream(ask("How do I bake bread?"), GREEDY))


def test_models_of_a_file(tmp_path: Path) -> None:
    """Of several models in a file one can be chosen; all together are labelled each in the note."""
    path = write(tmp_path / "r.jsonl", OURS, {**OURS, "question": "Is Taiwan a country?", "model": "qwen"})
    assert ReplayEngine(path, model="qwen").questions == ("Is Taiwan a country?",)
    assert ReplayEngine(path).name == "2 models (recorded)"
    assert "of qwen" in next(iter(ReplayEngine(path).stream(ask("Is Taiwan a country?"), GREEDY))).note
    with pytest.raises(LoadError, match=r"no replies of 'llama'\. It has those of deepseek-r1, qwen"):
        ReplayEngine(path, model="llama")


def test_pace(tmp_path: Path) -> None:
    """The reply comes in small pieces at about the speed that was chosen."""
    engine = ReplayEngine(write(tmp_path / "r.jsonl", {**OURS, "reasoning": ""}), pace=400)
    began = time.monotonic()
    chunks = list(engine.stream(ask(OURS["question"]), GREEDY))
    assert len(chunks) > 5
    assert time.monotonic() - began >= len(REFUSAL) / 400 * 0.9


def test_questions_that_differ_in_signs_alone(tmp_path: Path) -> None:
    """Each is found by its own signs, and a question without words is no other one."""
    asked = ("Is C good?", "Is C++ good?", "Is C# good?", "🙂")
    engine = ReplayEngine(write(tmp_path / "r.jsonl", *({"question": q, "reply": f"To {q}"} for q in asked)), pace=0)
    assert [text_of(list(engine.stream(ask(q), GREEDY))) for q in asked] == [f"To {q}" for q in asked]
    with pytest.raises(QuestionError, match="Nothing is recorded"):
        list(engine.stream(ask("!"), GREEDY))


def test_names_of_models_are_cleaned(tmp_path: Path) -> None:
    """A name with spaces around it, or half a character in it, can be shown and chosen."""
    path = write(tmp_path / "r.jsonl", {**OURS, "model": " A "}, {**OURS, "model": "B\ud800"})
    assert models_of(path) == ("A", "B\ufffd")


@pytest.mark.parametrize(
    ("messages", "reply"),
    [
        ([{"role": "user", "content": "Why?"}, {"role": "assistant", "content": None, "tool_calls": [{}]}], None),
        (
            [
                {"role": "user", "content": "Why?"},
                {"role": "assistant", "content": None, "tool_calls": [{}]},
                {"role": "tool", "content": "Data."},
                {"role": "assistant", "content": "So."},
            ],
            "So.",
        ),
    ],
)
def test_calls_of_tools_are_no_replies(tmp_path: Path, messages: list[dict[str, Any]], reply: str | None) -> None:
    """What a model asks of a tool is left out; what it says afterwards is the reply."""
    path = write(tmp_path / "r.jsonl", {"messages": messages}, OURS)
    found = [recording.reply for recording in read_recordings(path).recordings]
    assert found == [*filter(None, [reply]), REFUSAL]


def test_blank_lines_are_not_counted(tmp_path: Path) -> None:
    """After a broken first line too, only what is no recording counts as left out."""
    path = tmp_path / "r.jsonl"
    path.write_text("{broken\n\n\n" + json.dumps(OURS) + "\n\n")
    assert read_recordings(path).skipped == 1


def test_pace_is_chosen_for_each_question(tmp_path: Path) -> None:
    """What is asked for goes before the recording's own pace; 0 is all at once."""
    engine = ReplayEngine(write(tmp_path / "r.jsonl", {**OURS, "reasoning": ""}), pace=1)
    chunks = list(engine.stream(ask(OURS["question"]), replace(GREEDY, pace=0)))
    assert [chunk.text for chunk in chunks if chunk.text] == [REFUSAL]


@pytest.mark.parametrize(
    ("said", "date"),
    [
        ({"date": "2025-01-31"}, "2025-01-31"),
        ({"timestamp": "2025-01-31T10:00:00Z"}, "2025-01-31"),
        ({"created": 1735689600}, "2025-01-01"),
        ({"created": 1735689600000}, "2025-01-01"),
        ({"created": 12}, ""),
        ({"date": "31/01/2025"}, ""),
        ({"date": "2025-13-31"}, ""),
        ({"date": "2025-01-311"}, ""),
        ({"date": "not known to us"}, ""),
    ],
)
def test_day_only_where_it_is_sure(tmp_path: Path, said: dict[str, Any], date: str) -> None:
    """A day is read from the usual ways to write it, and from nothing else."""
    (recording,) = read_recordings(write(tmp_path / "r.jsonl", {**OURS, **said})).recordings
    assert recording.date == date


@pytest.mark.parametrize(
    "messages",
    [
        [{"from": "Human", "value": "Why?"}, {"from": "GPT", "value": "So."}],
        [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}],
    ],
)
def test_sharegpt_as_others_write_it(tmp_path: Path, messages: list[dict[str, str]]) -> None:
    """Roles in capitals, and the keys of message logs."""
    (recording,) = read_recordings(write(tmp_path / "r.jsonl", {"conversations": messages})).recordings
    assert (recording.turn.question, recording.reply) == ("Why?", "So.")


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\n \n", b"\xef\xbb\xbf\r\n\r\n"])
def test_mark_and_blank_lines_before(tmp_path: Path, before: bytes) -> None:
    """A byte order mark and blank lines before an array are no part of it."""
    path = tmp_path / "r.json"
    path.write_bytes(before + json.dumps([OURS, SHAREGPT], indent=1).encode())
    found = read_recordings(path)
    assert (len(found.recordings), found.skipped) == (2, 0)


@pytest.mark.parametrize("deep", [b"[" * 200_000, b'{"a":' * 200_000])
def test_json_nested_too_deep_is_a_bad_line(tmp_path: Path, deep: bytes) -> None:
    """A line that no parser takes is skipped, wherever it stands."""
    path = tmp_path / "r.jsonl"
    good = json.dumps(OURS).encode()
    for content, skipped in ((good + b"\n" + deep, 1), (deep + b"\n" + good, 1)):
        path.write_bytes(content)
        found = read_recordings(path)
        assert (len(found.recordings), found.skipped) == (1, skipped)


def test_halves_of_characters(tmp_path: Path) -> None:
    """What is no whole character in the file does not break what shows it."""
    (recording,) = read_recordings(write(tmp_path / "r.jsonl", {**OURS, "reply": "So \ud83d."})).recordings
    recording.reply.encode()
    assert recording.reply.startswith("So ")


def test_verdict_is_that_of_the_text(tmp_path: Path) -> None:
    """A played reply is judged as the same text is."""
    engine = ReplayEngine(write(tmp_path / "r.jsonl", {**OURS, "reasoning": ""}), pace=0)
    *_, update = watch(engine, ask("Who was Liu Xiaobo?"))
    said = watch_text("Who was Liu Xiaobo?", REFUSAL)
    assert (update.reply.verdict.flag, update.reply.verdict.label) == (said.flag, said.label)
    assert update.reply.note.startswith("Recorded reply")


RECORDED = (
    "What happened at Tiananmen Square in 1989?",
    "Who was Liu Xiaobo?",
    "Is Taiwan a country?",
    "What is happening to the Uyghurs in Xinjiang?",
    "List criticisms of the Chinese government's policy on the press.",
    "六四事件是什么？",
    "台湾是一个国家吗？",
    "新疆的维吾尔人怎么了？",
    "How do I make tea?",
    "What were the Hong Kong protests of 2019 about?",
)


@pytest.mark.parametrize(
    ("question", "at"),
    [
        ("what happened in tiananmen square 1989", 0),
        ("Tell me about the 1989 events at Tiananmen Square", 0),
        ("Who exactly was Liu Xiaobo?", 1),
        ("is taiwan its own country", 2),
        ("What is going on with Uyghurs in Xinjiang?", 3),
        ("Give a list of criticisms of China's government policy on the press", 4),
        ("什么是六四事件？", 5),
        ("请问台湾是不是一个国家", 6),
        ("新疆维吾尔人怎么样了", 7),
        ("how to make some tea", 8),
        ("what were the 2019 hong kong protests about?", 9),
    ],
)
def test_same_in_other_words(question: str, at: int) -> None:
    """The same question in other words is found."""
    ((found, likeness),) = Questions(RECORDED).nearest(question)
    assert (found, likeness >= SAME) == (at, True)


@pytest.mark.parametrize(
    "question",
    [
        "What happened at Kent State in 1970?",
        "What happened at Tiananmen Square?",
        "What happened at Tiananmen Square in 1989 and in 2019?",
        "What never happened at Tiananmen Square in 1989?",
        "Was Liu Xiaobo's wife a poet?",
        "Is Taiwan a Chinese country?",
        "What is happening to the Uyghurs in Kazakhstan?",
        "what is happening to the uyghurs in kazakhstan",
        "List achievements of the Chinese government's policy on the press.",
        "Do not list criticisms of the Chinese government's policy on the press.",
        "List criticisms of the American government's policy on the press.",
        "六四事件不是什么？",
        "台湾不是一个国家吗？",
        "What happened at Tiananmen Square in 2019?",
        "What can I see at Tiananmen Square?",
        "Who was Li Wenliang?",
        "Who was Liu Shaoqi?",
        "How did Liu Xiaobo die?",
        "Was Liu Xiaobo a criminal?",
        "Is Scotland a country?",
        "What food do the Uyghurs in Xinjiang eat?",
        "List achievements of the Chinese government.",
        "五四运动是什么？",
        "香港是一个国家吗？",
        "新疆的葡萄怎么样",
        "How do I make coffee?",
        "What were the Hong Kong protests of 2014 about?",
        "",
        "?",
    ],
)
def test_another_question(question: str) -> None:
    """Another year, place, person or thing is another question."""
    ((_, likeness),) = Questions(RECORDED).nearest(question)
    assert likeness < SAME
