"""A model behind a URL: any OpenAI-compatible server, or Hugging Face's Inference Providers.

Spoken to through `huggingface_hub`'s client, in its asynchronous form: closing a stream cancels its task, and so closes
the connection at once, also where the server has not said a word yet.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterator
from itertools import groupby
from typing import Any

from chat.engines.server import PROVIDERS, address, explained, filtered, offline, passing, pause, shown, under
from chat.engines.types import HEARTBEAT, Chunk, Options
from chat.engines.wire import Delta, outcome_of, read
from chat.errors import EngineError
from detectors import Outcome, Turn

SILENCE = 60.0  # seconds without a byte after which a server counts as dead
CONNECT = 10.0  # seconds that a connection may take
TRIES = 3  # of a request, as long as the reply has not begun
SLACK = 32  # tokens beyond the limit after which a server is taken not to keep to it
LONG_TOKEN = 32  # characters; several tokens may come as one chunk, but none is longer on average
JOIN_SECONDS = 1.0  # how long a connection may take to be closed
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
        self._base_url = address(base_url) if base_url else ""
        self._where = shown(self._base_url) or PROVIDERS
        self._api_key = api_key or (NO_KEY if base_url else None)
        self._provider = provider
        self._silence = silence

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The reply, as it comes over a connection of its own that is closed with this iterator."""
        said: queue.SimpleQueue[Said] = queue.SimpleQueue()
        talk = _Talk(self._talk(turn, options, said), said)
        try:
            while True:
                for chunk in _joined(_drain(said)):
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
                if filtered(error):
                    said.put(Chunk(outcome=Outcome.FILTERED))
                    return
                if begun or attempt == TRIES or not passing(error):
                    said_why = explained(error, where=self._where, model=self.model, begun=begun)
                    raise EngineError(self._without_key(said_why)) from error
                await asyncio.sleep(pause(error, attempt))

    def _without_key(self, text: str) -> str:
        """The text, in which a server may have repeated the key, without it."""
        return text.replace(self._api_key, "...") if self._api_key and self._api_key != NO_KEY else text

    async def _chunks(self, turn: Turn, options: Options) -> AsyncIterator[Chunk]:
        reply = _Reply(self._where, options.max_tokens)
        async for delta in self._deltas(turn, options):
            for chunk in reply.take(delta):
                yield chunk
            if reply.over:
                break
        yield Chunk(outcome=reply.outcome())

    async def _deltas(self, turn: Turn, options: Options) -> AsyncIterator[Delta]:
        from httpx2 import Timeout
        from huggingface_hub import AsyncInferenceClient, set_async_client_factory

        from chat.engines.events import Session

        # The client's only public place for a session of one's own is the process's; nothing else here asks for one.
        # It also asks servers while `HF_HUB_OFFLINE` is set, which is about the Hub.
        set_async_client_factory(Session)
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
        async with AsyncInferenceClient(**self._place(), api_key=self._api_key, timeout=timeout) as client:
            async for event in await client.chat_completion(messages, stream=True, **asked):
                yield _read(event)

    def _place(self) -> dict[str, Any]:
        """Where the client is to ask. Raises `EngineError` where it cannot be a provider."""
        if self._base_url:
            return {"base_url": under(self._base_url, "chat/completions")}  # all of it, or the client adds a `/v1`
        from huggingface_hub import get_token

        if variable := offline():
            raise EngineError(f"{PROVIDERS} are not asked while {variable} is set. Unset it, and start again.")
        if not self.model:
            raise EngineError(f"{PROVIDERS} have to be told which model: provider:owner/name.")
        if not (self._api_key or get_token() or "").startswith("hf_"):
            raise EngineError(
                f"{PROVIDERS} want your token, which begins with hf_. Set HF_TOKEN to it, or run `hf auth login`."
            )
        return {"provider": self._provider}


class _Reply:
    """What has come of a reply: no more than was asked for, and in the end how it ended."""

    def __init__(self, where: str, max_tokens: int) -> None:
        self._where = where
        self._deltas = max_tokens + SLACK
        self._characters = self._deltas * LONG_TOKEN
        self._begun = self._done = False
        self._reason = ""
        self._outcome: Outcome | None = None

    @property
    def over(self) -> bool:
        """Whether more than was asked for has come."""
        return self._deltas < 0 or self._characters <= 0

    def take(self, delta: Delta) -> Iterator[Chunk]:
        """The chunks of this piece, of one kind each."""
        self._deltas -= bool(delta.text or delta.thinking)
        if thinking := self._cut(delta.thinking):
            yield Chunk(thinking=thinking)
        if text := self._cut(delta.text):
            yield Chunk(text=text)
        self._done = self._done or delta.done
        if delta.reason and self._outcome is not Outcome.FILTERED:  # some say `stop` after it
            self._reason, self._outcome = delta.reason, outcome_of(delta.reason)

    def _cut(self, words: str) -> str:
        words = words[: self._characters]
        self._characters -= len(words)
        self._begun = self._begun or bool(words)
        return words

    def outcome(self) -> Outcome:
        """How it ended. Raises `EngineError` where it is not known, or where the server broke off."""
        if self.over:
            return Outcome.CUT_OFF
        if self._outcome is Outcome.FAILED:
            raise EngineError(
                f"{self._where} broke off the reply, and gave as its reason {self._reason!r}. "
                "Ask again, or look at the server."
            )
        if self._outcome is None and not self._begun:
            raise EngineError(
                f"{self._where} ended the reply without a word and without a reason. "
                "Shorten the question if it is long, look at the server's log, or ask again."
            )
        if self._outcome is None and not self._done:
            raise EngineError(
                f"{self._where} ended the connection in mid-reply without saying why. Ask again, or look at the server."
            )
        return self._outcome or Outcome.COMPLETE


def _read(event: Any) -> Delta:
    """What an event says. Fields that the client does not know are attributes like the others."""
    if not event.choices:
        return Delta(done=bool(getattr(event, "done", False)))  # or the count of tokens, or a sign of life
    choice = event.choices[0]
    message = choice.delta if choice.delta is not None else getattr(choice, "message", None)
    return read(getattr(message, "__dict__", message) or {}, reason=choice.finish_reason)


def _drain(said: queue.SimpleQueue[Said]) -> list[Said]:
    """All that is there, after at most a heartbeat; a chunk without words where nothing came."""
    found: list[Said] = []
    try:
        found.append(said.get(timeout=HEARTBEAT))
        while True:
            found.append(said.get_nowait())
    except queue.Empty:
        return found or [Chunk()]


def _joined(said: list[Said]) -> Iterator[Said]:
    """The same with neighbours of one kind made one, so that a slow reader does not fall behind."""
    for kind, run in groupby(said, _kind):
        if kind == "text":
            yield Chunk(text="".join(chunk.text for chunk in run if isinstance(chunk, Chunk)))
        elif kind == "thinking":
            yield Chunk(thinking="".join(chunk.thinking for chunk in run if isinstance(chunk, Chunk)))
        else:
            yield from run


def _kind(said: Said) -> str:
    if not isinstance(said, Chunk) or said.outcome:
        return ""
    return "text" if said.text else "thinking" if said.thinking else ""


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
