"""A model behind a URL: any OpenAI-compatible server, or Hugging Face's Inference Providers.

Spoken to through `huggingface_hub`'s client, in its asynchronous form: closing a stream cancels its task, and so closes
the connection at once, also where the server has not said a word yet.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from chat.engines.server import address, explained, passing, pause
from chat.engines.types import HEARTBEAT, Chunk, Options
from chat.errors import EngineError
from detectors import Outcome, Turn

SILENCE = 60.0  # seconds without a byte after which a server counts as dead
CONNECT = 10.0  # seconds that a connection may take
TRIES = 3  # of a request, as long as the reply has not begun
SLACK = 32  # chunks beyond the limit of tokens after which a server is taken not to keep to it
JOIN_SECONDS = 1.0  # how long a connection may take to be closed
# What servers call the thinking: OpenRouter and vLLM, DeepSeek and SGLang, Ollama, others.
THINKING = ("reasoning", "reasoning_content", "thinking", "reasoning_text")
OUTCOMES = {"length": Outcome.CUT_OFF, "max_tokens": Outcome.CUT_OFF, "content_filter": Outcome.FILTERED}
NO_KEY = "none"  # a server without keys ignores it; without one the client would send the Hub's token to any server

Said = Chunk | BaseException | None


class RemoteEngine:
    """A model of the server at `base_url`, or of an Inference Provider. Safe to use from several threads.

    `api_key` is the server's, or the Hub token for `provider` ("auto", or one by name).
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        name: str = "",
        api_key: str | None = None,
        provider: str | None = None,
        silence: float = SILENCE,
    ) -> None:
        self.name = name or model
        self.model = model
        self._base_url = address(base_url) if base_url else None
        self._api_key = api_key or (NO_KEY if base_url else None)
        self._provider = provider
        self._silence = silence

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The reply, as it comes over a connection of its own that is closed with this iterator."""
        said: queue.SimpleQueue[Said] = queue.SimpleQueue()
        talk = _Talk(self._talk(turn, options, said), said)
        try:
            while True:
                try:
                    chunk = said.get(timeout=HEARTBEAT)
                except queue.Empty:
                    yield Chunk()
                    continue
                if chunk is None:
                    return
                if isinstance(chunk, BaseException):
                    raise chunk
                yield chunk
        finally:
            talk.end()

    async def _talk(self, turn: Turn, options: Options, said: queue.SimpleQueue[Said]) -> None:
        """Puts the reply's chunks, the last of them with its outcome. Raises `EngineError`."""
        for attempt in range(1, TRIES + 1):
            begun = False
            try:
                async for chunk in self._chunks(turn, options):
                    begun = True
                    said.put(chunk)
                return
            except EngineError:
                raise
            except Exception as error:  # of the network, of TLS, of JSON: all are explained
                if begun or attempt == TRIES or not passing(error):
                    where = self._base_url or "the Inference Provider"
                    raise EngineError(explained(error, where=where, model=self.model, begun=begun)) from error
                await asyncio.sleep(pause(error, attempt))

    async def _chunks(self, turn: Turn, options: Options) -> AsyncIterator[Chunk]:
        from httpx2 import Timeout
        from huggingface_hub import AsyncInferenceClient

        place: dict[str, Any] = {"provider": self._provider} if self._provider else {"base_url": self._base_url}
        timeout: Any = Timeout(self._silence, connect=min(CONNECT, self._silence))
        # No more than every server knows: some refuse a request for one field that is new to them.
        asked: dict[str, Any] = {
            "model": self.model,
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
        }
        if options.seed is not None:
            asked["seed"] = options.seed
        messages: list[Any] = turn.messages()
        async with AsyncInferenceClient(**place, api_key=self._api_key, timeout=timeout) as client:
            events = await client.chat_completion(messages, stream=True, **asked)
            count, outcome = 0, None
            async for event in events:
                chunk, reason = _read(event)
                if chunk.text or chunk.thinking:
                    count += 1
                    yield chunk
                outcome = OUTCOMES.get(reason, Outcome.COMPLETE) if reason else outcome
                if count > options.max_tokens + SLACK:
                    outcome = Outcome.CUT_OFF
                    break
            if outcome is None and not count:
                raise EngineError(
                    f"The server at {self._base_url or 'the provider'} ended the reply without a word and without a "
                    "reason. Shorten the question if it is long, look at the server's log, or ask again."
                )
            yield Chunk(outcome=outcome or Outcome.CUT_OFF)


def _read(event: Any) -> tuple[Chunk, str | None]:
    """The text and thinking of one event, and why the reply ends with it if it does."""
    if not event.choices:
        return Chunk(), None  # the count of tokens, or a sign of life
    choice = event.choices[0]
    # Fields that the client does not know are attributes like the others.
    found = {name: _text(getattr(choice.delta, name, None)) for name in ("content", "refusal", *THINKING)}
    thinking = next((found[name] for name in THINKING if found[name]), "")
    return Chunk(text=found["content"] + found["refusal"], thinking=thinking), choice.finish_reason


def _text(content: object) -> str:
    """Text that is a string, or a list of parts as some servers have it."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, Mapping))
    return ""


class _Talk:
    """A thread with an event loop for one request, which another thread may end."""

    def __init__(self, talk: Any, said: queue.SimpleQueue[Said]) -> None:
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(talk)
        self._said = said
        self._thread = threading.Thread(target=self._run, name="unsaid-remote", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Closes the connection, if it is still open."""
        if self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(self._task.cancel)
            except RuntimeError:  # the loop has just been closed: the reply is over
                return
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._task)
            self._said.put(None)
        except asyncio.CancelledError:
            self._said.put(None)
        except BaseException as error:  # noqa: BLE001  # handed to the reader, in whose thread it belongs
            self._said.put(error)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
