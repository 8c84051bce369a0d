"""One visitor's conversation: exchanges with their verdicts, kept in step with what the chat shows."""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt

from chat.session import Reply, Update
from chat.ui import render
from chat.ui.texts import Texts
from detectors import Label, Message, Outcome, Turn

INTERRUPT_SECONDS = 5.0  # how long a running reply may take to see that it was interrupted
_TAKING = threading.Lock()  # of no conversation's own: they are copied


@dataclass
class Exchange:
    """A question, and the last update on its reply."""

    turn: Turn
    update: Update | None = None

    @property
    def reply(self) -> Reply | None:
        """The reply so far."""
        return self.update.reply if self.update else None


class Conversation:
    """The exchanges, oldest first. `selected` is the one shown beside the chat; None is the last.

    Lives in the visitor's session and is changed in place, so that Stop reaches a reply that is being written.
    """

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.selected: int | None = None
        self._stop: threading.Event | None = None
        self._idle: threading.Event | None = None

    @property
    def running(self) -> bool:
        """Whether a reply is being written."""
        return self._stop is not None

    @property
    def shown(self) -> Exchange | None:
        """The exchange whose verdict is beside the chat."""
        if not self.exchanges:
            return None
        return self.exchanges[-1 if self.selected is None else self.selected]

    def turn(self, question: str, system: str) -> Turn:
        """A new turn after the conversation so far. Failed and empty replies are left out of what the model sees."""
        history: list[Message] = []
        for exchange in self.exchanges:
            reply = exchange.reply
            if reply is not None and reply.text and reply.verdict.outcome is not Outcome.FAILED:
                history += [Message("user", exchange.turn.question), Message("assistant", reply.text)]
        return Turn(question=question, history=tuple(history), system=system)

    @contextmanager
    def replying(self) -> Iterator[threading.Event | None]:
        """Takes the conversation for one reply, which the event stops; None while another one is being written.

        Whatever happens, the conversation is idle afterwards.
        """
        stop, idle = threading.Event(), threading.Event()
        with _TAKING:
            free = self._stop is None
            if free:
                self._stop, self._idle = stop, idle
        try:
            yield stop if free else None
        finally:
            if free:
                self._stop = None
                idle.set()

    def begin(self, turn: Turn) -> Exchange:
        """Adds an exchange, and shows it."""
        exchange = Exchange(turn)
        self.exchanges.append(exchange)
        self.selected = None
        return exchange

    def stop(self) -> None:
        """Stops the running reply, if there is one; what was said is kept."""
        running = self._stop  # read once: the reply may end meanwhile, in its own thread
        if running is not None:
            running.set()

    def interrupt(self) -> bool:
        """Stops the running reply and waits until it has ended; whether it has."""
        idle = self._idle
        self.stop()
        return idle is None or idle.wait(INTERRUPT_SECONDS)

    def cut(self, index: int) -> list[Exchange]:
        """Takes back the exchange at this index and all after it."""
        taken = self.exchanges[index:]
        del self.exchanges[index:]
        self.selected = None
        return taken

    def owner(self, message: int, texts: Texts) -> int:
        """Which exchange the chat's message of this index belongs to. Raises IndexError where there is none."""
        if message < 0:
            raise IndexError(message)
        for number, exchange in enumerate(self.exchanges):
            message -= len(messages_of(exchange, texts))
            if message < 0:
                return number
        raise IndexError("no such message")


# In the chat, a person's or a model's HTML is shown and not rendered, and pictures are not fetched from elsewhere.
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_TAMED_FROM = {"&amp;lt;": "&lt;", "&lt;": "<", "!\\[": "!["}
_TAMED = re.compile("|".join(map(re.escape, _TAMED_FROM)))
_PARSER = MarkdownIt("commonmark")


def tame(text: str) -> str:
    """Markdown without HTML and pictures; code stays as it is."""
    parts = _CODE.split(text)
    parts[::2] = [_harmless(part) for part in parts[::2]]
    tamed = "".join(parts)
    # What looks like code need not be: a backtick may be escaped, a fence may end elsewhere.
    suspect = _TAG.search(tamed) or "![" in tamed
    return _harmless(text) if suspect and _renders(tamed) else tamed


def _harmless(text: str) -> str:
    return _TAG.sub("&lt;", text.replace("&lt;", "&amp;lt;")).replace("![", "!\\[")


def _restored(text: str) -> str:
    return _TAMED.sub(lambda found: _TAMED_FROM[found[0]], text)


def _renders(text: str) -> bool:
    """Whether there is HTML or a picture in this Markdown, dedented as the Chatbot component does."""
    blocks = _PARSER.parse(inspect.cleandoc(text))
    tokens = [token for block in blocks for token in (block, *(block.children or ()))]
    return any(token.type in ("html_block", "html_inline", "image") for token in tokens)


def untame(text: str) -> str:
    """What was typed, from what the chat shows of it."""
    if tame(typed := _restored(text)) == text:
        return typed
    parts = _CODE.split(text)  # code was left as it was
    parts[::2] = [_restored(part) for part in parts[::2]]
    return "".join(parts)


def messages(exchanges: Sequence[Exchange], texts: Texts) -> list[dict[str, Any]]:
    """The conversation as the Chatbot component takes it."""
    return [message for exchange in exchanges for message in messages_of(exchange, texts)]


def messages_of(exchange: Exchange, texts: Texts) -> list[dict[str, Any]]:
    """One exchange: the question, the thinking folded away, the reply, and its flag folded under it."""
    shown: list[dict[str, Any]] = [{"role": "user", "content": tame(exchange.turn.question)}]
    reply = exchange.reply
    if reply is None:
        return shown
    if reply.thinking:
        status = "done" if reply.text or reply.done else "pending"
        shown.append(_folded("Thinking", tame(reply.thinking), status))
    if reply.text:
        shown.append({"role": "assistant", "content": tame(reply.text)})
    about = texts.outcome.get(reply.verdict.outcome) or texts.label[reply.verdict.label]
    status = "done" if reply.done else "pending"
    title = f"{_SIGN[reply.verdict.label]} {render.title(reply.verdict, texts)}"
    shown.append(_folded(title, tame(reply.error or about), status))
    return shown


_SIGN = {
    Label.ANSWERED: "○",
    Label.UNDECIDED: "◌",
    Label.REFUSED: "■",
    Label.DEFLECTED: "■",
    Label.OFFICIAL_LINE: "■",
}


def _folded(title: str, content: str, status: str) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "metadata": {"title": title, "status": status}}
