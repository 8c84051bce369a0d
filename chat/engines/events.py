"""The HTTP session under `huggingface_hub`'s client: whatever a server sends, the client gets events that it can read.

By itself it splits lines at characters that JSON may hold, stumbles over a byte order mark and over `data:[DONE]`,
takes a line of any length, keeps `[DONE]` to itself, and hides the status of an error whose body it does not expect.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2

LONGEST = 2**21  # bytes of one event, of a reply that is not streamed, or of an error
DONE = {"choices": [], "done": True}
_END_OF_LINE = re.compile(rb"\r\n|\r|\n")


class NoReplyError(ValueError):
    """What came is no reply; the message names it."""


class WebPageError(NoReplyError):
    """A web page came."""


class Session(httpx2.AsyncClient):
    """A client whose streamed responses are events, one JSON object each, the last of them `DONE` where it was said."""

    def __init__(self) -> None:
        super().__init__(follow_redirects=True)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """The response, made readable. Raises `httpx2.HTTPStatusError` with the body, so far as it came."""
        response = await super().send(request, **options)
        if not options.get("stream"):
            return response
        if response.is_error:
            refused = await _refusal(response)
            raise httpx2.HTTPStatusError(str(response.status_code), request=request, response=refused)
        return httpx2.Response(response.status_code, request=request, stream=_Stream(response))


class _Stream(httpx2.AsyncByteStream):
    """The events of a response, as bytes again."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for event in events(self._response.aiter_bytes()):
            yield b"data: %b\n\n" % json.dumps(event).encode()

    async def aclose(self) -> None:
        await self._response.aclose()


async def _refusal(response: httpx2.Response) -> httpx2.Response:
    body = b""
    with contextlib.suppress(httpx2.HTTPError):  # the status says enough
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > LONGEST:
                break
    await response.aclose()
    headers = {"Retry-After": response.headers.get("Retry-After", "")}
    return httpx2.Response(response.status_code, headers=headers, content=body, request=response.request)


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of a stream of events; of a reply in plain JSON that one. Raises `NoReplyError`."""
    plain = bytearray()
    async for line in _lines(pieces):
        if plain or line.startswith(b"{"):  # not streamed, or an error in the middle of a stream
            plain += line
            _bounded(plain)
        elif line.startswith(b"<"):
            raise WebPageError("a web page")
        elif line.startswith(b"data:"):
            data = line.removeprefix(b"data:").strip()
            if data == b"[DONE]":
                yield DONE
                return
            if event := _event(data):
                yield event
    if plain:
        yield _event(plain)
        yield DONE


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytearray]:
    """The lines, without the space around them and without the mark that some put before the first."""
    rest = bytearray()
    async for piece in pieces:
        first, *others = _END_OF_LINE.split(piece)
        rest += first
        for line in others:
            yield rest.strip().removeprefix(codecs.BOM_UTF8)
            rest = bytearray(line)
        _bounded(rest)
    yield rest.strip().removeprefix(codecs.BOM_UTF8)


def _bounded(data: bytearray) -> None:
    if len(data) > LONGEST:
        raise NoReplyError(f"more than {LONGEST // 2**20} MB without an end")


def _event(data: bytearray) -> dict[str, Any]:
    """The object; empty for JSON that is none, which says nothing."""
    try:
        event = json.loads(data.decode(errors="replace")) if data else None
    except (ValueError, RecursionError) as error:  # the second of JSON that is nested too deep
        raise NoReplyError("a line that is not JSON") from error
    if not isinstance(event, dict):
        return {}
    # vLLM's older errors, and those that say what is wrong and nothing else.
    bare = "choices" not in event and "error" not in event and (event.get("message") or event.get("detail"))
    return {"error": event} if bare or event.get("object") == "error" else event
