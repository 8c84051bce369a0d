"""What messages say, wherever servers put it, and how replies ended, whatever servers call that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chat.engines.events import LONGEST, NoReplyError, events
from chat.engines.wire import complaint_of, outcome_of, read
from chat.recordings import read_recordings
from detectors import Outcome

HI = {"type": "text", "text": "Hi."}
HM = {"type": "text", "text": "Hm."}
EVENT = b'{"choices": [{"delta": {"content": "Hi."}}]}'
SAID = {"choices": [{"delta": {"content": "Hi."}}]}
DONE = {"choices": [], "done": True}


@pytest.mark.parametrize(
    ("message", "text", "thinking"),
    [
        ({"content": "Hi."}, "Hi.", ""),
        ({"content": None}, "", ""),
        ({}, "", ""),
        ({"content": ["Hi", "."]}, "Hi.", ""),
        ({"content": [HI, HI]}, "Hi.Hi.", ""),
        ({"content": HI}, "Hi.", ""),
        ({"content": 5}, "", ""),
        ({"content": [{"type": "image_url", "image_url": {"url": "data:"}}]}, "", ""),
        ({"refusal": "No."}, "No.", ""),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, "No.", ""),
        ({"reasoning": "Hm."}, "", "Hm."),
        ({"reasoning_content": "Hm.", "content": None}, "", "Hm."),
        ({"thinking": "Hm."}, "", "Hm."),
        ({"reasoning_text": "Hm."}, "", "Hm."),
        ({"reasoning": {"text": "Hm."}}, "", "Hm."),
        ({"reasoning": {"content": "Hm."}}, "", "Hm."),
        ({"reasoning": [HM, HM]}, "", "Hm.Hm."),
        ({"reasoning": "Hm.", "reasoning_content": "Hm."}, "", "Hm."),
        ({"reasoning": "", "reasoning_content": "Hm."}, "", "Hm."),
        ({"content": [{"type": "thinking", "thinking": [HM]}, HI]}, "Hi.", "Hm."),
        ({"content": [{"type": "thinking", "thinking": "Hm."}]}, "", "Hm."),
        ({"content": [{"type": "reasoning", "text": "Hm."}, HI]}, "Hi.", "Hm."),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]}, "", "Hm."),
        ({"reasoning_details": [{"type": "reasoning.summary", "summary": "Hm."}]}, "", "Hm."),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "Zm9v"}]}, "", ""),
        ({"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]}, "", "Hm."),
        ({"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "x"}]}, "", "Hm."),
        ({"thinking_blocks": [{"type": "redacted_thinking", "data": "x"}]}, "", ""),
        ({"content": [[[[[[HI]]]]]]}, "", ""),
    ],
)
def test_messages(message: dict[str, Any], text: str, thinking: str) -> None:
    """Text and thinking are found under each of their names and in each shape, and nothing is taken twice."""
    delta = read(message)
    assert (delta.text, delta.thinking) == (text, thinking)


@pytest.mark.parametrize(
    ("outcome", "reasons"),
    [
        (Outcome.FILTERED, "content_filter content-filter sensitive SAFETY safety data_inspection_failed BLOCKLIST"),
        (Outcome.FILTERED, "PROHIBITED_CONTENT SPII guardrail_intervened refusal"),
        (Outcome.CUT_OFF, "length max_tokens MAX_TOKENS model_length model_context_window_exceeded RECITATION"),
        (Outcome.FAILED, "error network_error insufficient_system_resource abort"),
        (Outcome.COMPLETE, "stop STOP eos eos_token end_turn stop_sequence tool_calls function_call"),
        (Outcome.COMPLETE, "filter unheard_of errors sensitivity"),
    ],
)
def test_reasons(outcome: Outcome, reasons: str) -> None:
    """A reason is known in capitals and small; one that is not known, or is only like one, is no alarm."""
    assert {outcome_of(reason) for reason in reasons.split()} == {outcome}


def test_files_are_read_alike(tmp_path: Path) -> None:
    """A recorded message has its text, its thinking and its end where a server's has them."""
    said = {"content": [{"type": "thinking", "thinking": [HM]}, HI], "refusal": "No.", "role": "assistant"}
    asked = {"messages": [{"role": "user", "content": "Who?"}]}
    answered = {"choices": [{"message": said, "finish_reason": "sensitive"}]}
    file = tmp_path / "said.jsonl"
    file.write_text(json.dumps({"request": asked, "response": answered}))
    (recording,) = read_recordings(file).recordings
    assert (recording.reply, recording.thinking, recording.outcome) == ("Hi.No.", "Hm.", Outcome.FILTERED)


@pytest.mark.parametrize("reason", [None, "", 7, ["length"]])
def test_no_reason(reason: object) -> None:
    """What is no word is no reason either."""
    assert outcome_of(reason) is Outcome.COMPLETE


@pytest.mark.parametrize(
    ("body", "filtered"),
    [
        ({"error": {"message": "filtered due to the prompt", "code": "content_filter"}}, True),
        ({"error": {"code": None, "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, True),
        ({"error": {"code": "data_inspection_failed", "type": "data_inspection_failed"}}, True),
        ({"error": {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}}, True),
        ({"error": {"code": 400, "type": "content_filter", "message": "considered high risk"}}, True),
        ({"error": {"message": "Content Exists Risk", "code": "invalid_request_error"}}, True),
        ({"detail": "Content Exists Risk"}, True),
        ([{"error": {"code": "content_filter"}}], True),
        ({"error": {"message": "<400> InternalError.Algo.DataInspectionFailed: Input text data"}}, True),
        ({"error": {"message": "The context is too long; the content filter was not run", "code": 400}}, False),
        ({"error": {"message": "at most 1301 tokens", "code": "invalid_request_error"}}, False),
        ({"error": {"message": "wrong", "param": "1301", "code": "13010"}}, False),
        ({"error": {"message": "No risk: the content exists", "code": "invalid_request_error"}}, False),
        ({"error": "content_filter is no setting"}, False),
        ({"error": None}, False),
        (None, False),
        (7, False),
    ],
)
def test_errors_of_filters(body: object, filtered: bool) -> None:
    """A filter's error is known by its name or by its one message, and not by words that occur in others."""
    assert complaint_of(body).filtered is filtered


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "why"}}, "why"),
        ({"error": "why"}, "why"),
        ({"message": "why"}, "why"),
        ({"detail": "why"}, "why"),
        ([{"error": {"message": "why"}}], "why"),
        ("why", "why"),
        ([], ""),
        (None, ""),
        (7, ""),
    ],
)
def test_messages_of_errors(body: object, message: str) -> None:
    """An error's message is found in whatever JSON it came."""
    assert complaint_of(body).message == message


def heard(data: bytes, *, at_a_time: int) -> list[dict[str, Any]]:
    """The events of the data, which comes in pieces of so many bytes."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), at_a_time):
            yield data[start : start + at_a_time]

    async def everything() -> list[dict[str, Any]]:
        return [event async for event in events(pieces())]

    with ThreadPoolExecutor(1) as pool:  # a test of pages may have left an event loop in this thread
        return pool.submit(lambda: asyncio.run(everything())).result()


@pytest.mark.parametrize("at_a_time", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"data: %b\n\ndata: [DONE]\n\n", [SAID, DONE]),
        (b"data:%b\n\ndata:[DONE]\n\n", [SAID, DONE]),
        (b"data: %b\r\n\r\ndata: [DONE]\r\n\r\n", [SAID, DONE]),
        (b"data: %b\r\rdata: [DONE]", [SAID, DONE]),
        (b"\xef\xbb\xbfdata: %b\n\n", [SAID]),
        (b": ping\nevent: message\nid: 1\ndata: %b\n\n", [SAID]),
        (b"data: %b\n\ndata: [DONE]\n\ndata: %b\n\n", [SAID, DONE]),
        (b"data:\n\ndata: null\n\ndata: []\n\ndata: 7\n\ndata: %b\n\n", [SAID]),
        (b"%b", [SAID, DONE]),
        (b"\n\n %b\n", [SAID, DONE]),
        (b'data: %b\n\n{"error": "why"}', [SAID, {"error": "why"}, DONE]),
        (b'data: {"object": "error", "message": "why"}\n\n', [{"error": {"object": "error", "message": "why"}}]),
        (b"", []),
    ],
)
def test_streams(data: bytes, found: list[dict[str, Any]], at_a_time: int) -> None:
    """Events are found however they are written and cut up; a reply that is not streamed is one event and the end."""
    assert heard(data.replace(b"%b", EVENT), at_a_time=at_a_time) == found


def test_separators_in_json() -> None:
    """A line of events ends where lines end, and not at separators that JSON holds as they are."""
    (event,) = heard('data: {"said": "one\u2028two\x85three"}\n\n'.encode(), at_a_time=5)
    assert event == {"said": "one\u2028two\x85three"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"data: {not json}\n\n", "not JSON"),
        (b"data: " + b"[" * 200_000 + b"\n\n", "not JSON"),
        (b"<!DOCTYPE html><title>Sign in</title>", "web page"),
        (b"data: " + b"a" * (LONGEST + 1), "without an end"),
        (b"{" + (b"a" * 99 + b"\n") * 30_000, "without an end"),
    ],
)
def test_no_streams(data: bytes, problem: str) -> None:
    """What is no stream of events is an error that says what came, also where it would never end."""
    with pytest.raises(NoReplyError, match=problem):
        heard(data, at_a_time=2**16)
