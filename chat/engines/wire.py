"""What a message says, or a piece of one, and how it ended: for servers and for files, each with habits of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detectors import Outcome

# What servers call the thinking: OpenRouter and vLLM, DeepSeek and SGLang, Ollama, others, LiteLLM; of several the
# first with words is taken. OpenRouter repeats in `reasoning_details` what `reasoning` has, LiteLLM likewise.
THINKING = ("reasoning", "reasoning_content", "thinking", "reasoning_text", "thinking_blocks", "reasoning_details")
THOUGHTS = ("thinking", "reasoning")  # types of parts; Mistral has them among those of the text
IN_TEXT = ("text", "refusal")  # where a part has its words
IN_THOUGHT = ("text", "thinking", "content", "summary")
DEPTH = 4  # of parts in parts; two are known
ENDS = {
    Outcome.FILTERED: (
        "content_filter",  # OpenAI, Azure, DeepSeek
        "sensitive",  # Zhipu
        "data_inspection_failed",  # DashScope
        *("safety", "prohibited_content", "blocklist", "spii", "model_armor"),  # Gemini
        "guardrail_intervened",  # Bedrock
        "refusal",  # Anthropic: a classifier beside the model ended it
    ),
    Outcome.CUT_OFF: (
        "length",
        "max_tokens",
        "max_output_tokens",
        "model_length",  # Mistral
        "model_context_window_exceeded",  # Zhipu, Anthropic
        "recitation",  # Gemini: too close to a source. About copyright and not about the subject, so no filter here.
    ),
    Outcome.FAILED: (
        "error",  # OpenRouter, Mistral
        "network_error",  # Zhipu
        "insufficient_system_resource",  # DeepSeek
        "abort",  # vLLM, SGLang
        "malformed_function_call",  # Gemini
    ),
}
# Names of errors, in `code` or `type`, that stand for a filter; and messages, where the names say nothing of it.
FILTERS = (
    "content_filter",  # Azure, Moonshot
    "responsibleaipolicyviolation",  # Azure's inner error
    "data_inspection_failed",  # DashScope
    "1301",  # Zhipu
    "content_policy_violation",  # OpenAI, LiteLLM
    "sensitive_words_detected",  # New API, a gateway
)
_FILTERED = re.compile(
    r"Content Exists Risk\b|.*\bDataInspectionFailed\b", re.DOTALL
)  # DeepSeek; DashScope's newer ones
_OUTCOMES = {word: outcome for outcome, words in ENDS.items() for word in words}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A piece of a reply, or all of it. `reason` is the server's word for its end, `done` that nothing will follow."""

    text: str = ""
    thinking: str = ""
    reason: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a server says of an error, and whether it is that of a content filter."""

    message: str = ""
    filtered: bool = False


def read(message: Mapping[str, Any], *, reason: object = None) -> Delta:
    """The text and the thinking of a message or of a piece of one."""
    return Delta(
        text=text_of(message.get("content")) + text_of(message.get("refusal")),
        thinking=thinking_of(message),
        reason=reason if isinstance(reason, str) else "",
    )


def text_of(content: object) -> str:
    """Text that is a string, a part, or a list of either, without the parts that are thinking."""
    return _words([part for part in _parts(content) if not _is_thought(part)], IN_TEXT)


def thinking_of(message: Mapping[str, Any]) -> str:
    """The thinking of a message, from a field of its own or from among the parts of its text."""
    fields = (_words(message.get(name), IN_THOUGHT) for name in THINKING)
    thoughts = [part for part in _parts(message.get("content")) if _is_thought(part)]
    return next(filter(None, fields), "") or _words(thoughts, IN_THOUGHT)


def outcome_of(reason: object) -> Outcome:
    """How a reply ended for which a server gives this reason.

    A word that nobody knows means that it is complete: new ones have been ways to stop, of a tool or a stop word, and
    a reply taken for a filtered one would be a false alarm.
    """
    word = reason.strip().lower().replace("-", "_") if isinstance(reason, str) else ""
    return _OUTCOMES.get(word, Outcome.COMPLETE)


def complaint_of(body: object) -> Complaint:
    """The error in a body or an event, whatever JSON that is."""
    error = body[0] if isinstance(body, list) and body else body
    error = error.get("error") or error if isinstance(error, Mapping) else error
    if not isinstance(error, Mapping):
        message = error if isinstance(error, str) else ""
        return Complaint(message=message, filtered=bool(_FILTERED.match(message)))
    message = str(error.get("message") or error.get("detail") or "")
    inner = error.get("innererror")
    named = (error.get("code"), error.get("type"), inner.get("code") if isinstance(inner, Mapping) else None)
    filtered = any(str(name).lower() in FILTERS for name in named)
    return Complaint(message=message, filtered=filtered or bool(_FILTERED.match(message)))


def _parts(content: object) -> list[Any]:
    return content if isinstance(content, list) else [content]


def _is_thought(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") in THOUGHTS


def _words(value: object, names: tuple[str, ...], depth: int = DEPTH) -> str:
    """The words of a string, of a part under the first of these names that has any, or of a list of them."""
    if isinstance(value, str):
        return value
    if not depth:
        return ""
    if isinstance(value, Mapping):
        return next(filter(None, (_words(value.get(name), names, depth - 1) for name in names)), "")
    return "".join(_words(part, names, depth - 1) for part in value) if isinstance(value, list) else ""
