"""A visitor's conversation: its messages in the chat, what the model is told of it, and stopping."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from conftest import ask, eventually
from markdown_it import MarkdownIt

from chat.engines.scripted import Script, ScriptedEngine
from chat.engines.types import Chunk
from chat.errors import EngineError
from chat.session import watch
from chat.ui.conversation import Conversation, Exchange, messages, messages_of, tame, untame
from chat.ui.render import title
from chat.ui.texts import load_texts
from detectors import Message, Outcome

TEXTS = load_texts()
ANSWER = "Troops opened fire on the protesters. Hundreds of people died, by most estimates. It is still not spoken of."
REFUSAL = "I'm sorry, but I cannot discuss this topic. Let's talk about something else."


def exchange(script: Script, question: str = "What happened there?", *, after: int | None = None) -> Exchange:
    """The exchange as it is after so many updates of the scripted reply; None: at its end."""
    turn = ask(question)
    with closing(watch(ScriptedEngine(script), turn)) as updates:
        seen = [update for number, update in enumerate(updates) if after is None or number < after]
    return Exchange(turn, seen[-1] if seen else None)


def conversation(*exchanges: Exchange) -> Conversation:
    """A conversation of these exchanges."""
    held = Conversation()
    held.exchanges.extend(exchanges)
    return held


THOUGHT = Chunk(thinking="They ask about 1989. ")
# name -> (exchange, the messages of it: a question, then T for thinking, R for reply, F for the flag)
KINDS: dict[str, tuple[Exchange, str]] = {
    "not begun": (exchange([], after=0), "Q"),
    "thinking": (exchange([THOUGHT, ANSWER], after=1), "QTF"),
    "answered": (exchange([ANSWER]), "QRF"),
    "refused": (exchange([REFUSAL]), "QRF"),
    "thought and answered": (exchange([THOUGHT, ANSWER]), "QTRF"),
    "thought and empty": (exchange([THOUGHT]), "QTF"),
    "empty thinking block": (exchange(["<think>\n\n</think>\n\n", ANSWER]), "QRF"),
    "empty": (exchange([]), "QF"),
    "failed unsaid": (exchange([EngineError("No memory. Choose a smaller model.")]), "QF"),
    "failed midway": (exchange(["Troops opened ", EngineError("No memory.")]), "QRF"),
    "taken back": (exchange([ANSWER, Chunk(retract=True), "Let's talk about something else."]), "QRF"),
    "filtered unsaid": (exchange([Chunk(outcome=Outcome.FILTERED)]), "QF"),
    "cut off": (exchange([ANSWER, Chunk(outcome=Outcome.CUT_OFF)]), "QRF"),
}


@pytest.mark.parametrize("name", KINDS)
def test_messages_of_each_kind(name: str) -> None:
    """An exchange is its question and, once begun: the thinking, the reply if there is one, and the flag."""
    held, expected = KINDS[name]
    shown = messages_of(held, TEXTS)
    letters = ["Q" if m["role"] == "user" else "R" if "metadata" not in m else "F" for m in shown]
    if held.reply and held.reply.thinking:
        assert shown[1]["metadata"]["title"] == "Thinking"
        letters[1] = "T"
    assert "".join(letters) == expected
    assert all(m["content"].strip() for m in shown)
    assert shown[0] == {"role": "user", "content": held.turn.question}
    if held.reply:
        *_, flag = shown
        assert title(held.reply.verdict, TEXTS) in flag["metadata"]["title"]
        assert flag["metadata"]["status"] == ("done" if held.reply.done else "pending")


def test_every_message_has_its_owner() -> None:
    """Every message of the chat leads back to its exchange, in a conversation of all kinds."""
    held = conversation(*(kind for kind, _ in KINDS.values()))
    owners = [number for number, e in enumerate(held.exchanges) for _ in messages_of(e, TEXTS)]
    assert [held.owner(index, TEXTS) for index in range(len(messages(held.exchanges, TEXTS)))] == owners


@pytest.mark.parametrize("index", [-1, 3, 99])
def test_no_owner(index: int) -> None:
    """An index that is none of the chat's messages is an error."""
    with pytest.raises(IndexError):
        conversation(exchange([ANSWER])).owner(index, TEXTS)


def test_error_is_shown_tame() -> None:
    """What an engine says of its failure is shown under the flag, without HTML."""
    *_, flag = messages_of(exchange([EngineError("<img src=//x> ![](//y) failed.")]), TEXTS)
    assert flag["content"] == "&lt;img src=//x> !\\[](//y) failed."


def test_history_holds_what_was_said() -> None:
    """The model sees each question that got a reply, with the reply alone: no thinking, nothing failed or empty."""
    held = conversation(*(exchange(script, name) for name, script in {
        "first": [THOUGHT, ANSWER], "empty": [], "thought": [THOUGHT], "broken": [EngineError("No memory.")],
        "broken midway": [ANSWER, EngineError("No memory.")],
        "refused": [REFUSAL], "taken back": [ANSWER, Chunk(retract=True), Chunk(outcome=Outcome.RETRACTED)],
    }.items()), Exchange(ask("not begun")))  # fmt: skip
    turn = held.turn("And then?", "Be brief.")
    assert turn.history == (
        Message("user", "first"),
        Message("assistant", ANSWER),
        Message("user", "refused"),
        Message("assistant", REFUSAL),
    )
    assert (turn.question, turn.system) == ("And then?", "Be brief.")


@pytest.mark.parametrize(("index", "left"), [(0, 0), (1, 1), (2, 2)])
def test_cut(index: int, left: int) -> None:
    """Undo and retry take back the exchange and all after it; the rest stays, and the last of it is shown."""
    all_three = [exchange([ANSWER], question) for question in ("one", "two", "three")]
    held = conversation(*all_three)
    held.selected = 2
    assert held.cut(index) == all_three[index:]
    assert held.exchanges == all_three[:left]
    assert held.shown is (all_three[left - 1] if left else None)


def test_retry_asks_what_was_asked() -> None:
    """After a retry, the model sees what it saw the first time."""
    held = conversation(exchange([ANSWER], "one"))
    first = held.turn("two", "")
    held.begin(first).update = exchange([REFUSAL]).update
    (taken,) = held.cut(held.owner(4, TEXTS))
    assert held.turn(taken.turn.question, "") == first


def test_shown() -> None:
    """Beside the chat is the reply that was clicked, else the last; a new question brings the last one back."""
    held = conversation(exchange([ANSWER], "one"), exchange([ANSWER], "two"))
    assert held.shown is held.exchanges[1]
    held.selected = 0
    assert held.shown is held.exchanges[0]
    assert held.begin(ask("three")) is held.shown
    assert Conversation().shown is None


def test_idle_after_a_reply() -> None:
    """A conversation runs while its reply does, and keeps the exchange."""
    held = Conversation()
    with held.replying() as stop:
        running = held.begin(ask())
        assert held.running
        assert stop is not None
        assert not stop.is_set()
    assert not held.running
    assert held.exchanges == [running]


def test_one_reply_at_a_time() -> None:
    """While a reply is written, or only prepared, no other one begins; that it was tried stops nothing."""
    held = Conversation()
    with held.replying() as first:
        with held.replying() as second:
            assert second is None
        assert held.running
        held.stop()
        assert first is not None
        assert first.is_set()
    assert not held.running


def test_idle_after_an_error() -> None:
    """Whatever breaks a reply off, the conversation is idle, and its exchange is kept."""
    held = Conversation()
    held.begin(ask())
    with pytest.raises(ZeroDivisionError), held.replying():
        raise ZeroDivisionError
    assert not held.running
    assert len(held.exchanges) == 1


def test_idle_after_the_visitor_left() -> None:
    """A handler whose generator is closed in the middle leaves an idle conversation."""
    held = Conversation()

    def handler() -> Iterator[int]:
        with held.replying():
            yield 1
            yield 2

    with closing(handler()) as running:
        next(running)
        assert held.running
    assert not held.running


def test_nothing_to_stop() -> None:
    """Stop and interrupt do nothing, and at once, where no reply is being written."""
    held = Conversation()
    held.stop()
    assert held.interrupt()
    with held.replying():
        pass
    held.stop()
    assert held.interrupt()
    assert not held.running


@pytest.mark.parametrize("how", ["stop", "interrupt"])
def test_stopped_from_another_thread(how: str) -> None:
    """Stop ends the reply that another thread writes, keeping what was said; interrupt also waits for its end."""
    held, engine = Conversation(), ScriptedEngine(["word "] * 1000, delay=0.02)

    def reply() -> None:
        with held.replying() as stop:
            running = held.begin(ask())
            for update in watch(engine, running.turn, stop=stop):
                running.update = update

    writer = threading.Thread(target=reply)
    writer.start()
    assert eventually(lambda: bool(held.shown and held.shown.reply and held.shown.reply.text), seconds=10)
    if how == "stop":
        held.stop()
        assert eventually(lambda: not held.running, seconds=10)
    else:
        held.interrupt()
        assert not held.running
    writer.join(10)
    assert held.shown is not None
    assert held.shown.reply is not None
    assert held.shown.reply.verdict.outcome is Outcome.STOPPED
    assert held.shown.reply.text.startswith("word ")
    assert engine.open_streams == 0


def test_next_reply_after_a_stop() -> None:
    """Stopping one reply does not stop the next."""
    held = Conversation()
    with held.replying() as first:
        held.stop()
    with held.replying() as second:
        assert first is not None
        assert second is not None
        assert first.is_set()
        assert not second.is_set()


# what was written -> what the chat is given
TAMED = {
    "Plain *text*, 1 < 2 and a <- b.": None,
    "": None,
    "<b>bold</b>": "&lt;b>bold&lt;/b>",
    "<script>alert(1)</script>": "&lt;script>alert(1)&lt;/script>",
    "<!-- hidden --> <?php ?>": "&lt;!-- hidden --> &lt;?php ?>",
    "![picture](https://example.org/p.png)": "!\\[picture](https://example.org/p.png)",
    "[link](https://example.org)": None,
    "`<b>` and `![`": None,
    "```html\n<b>\n![x](y)\n```\nafter": None,
    "```html\n<b>\n": None,  # still being written
    "``` <b> ``` <i>": "``` <b> ``` &lt;i>",
    "before <i>\n```\n<b>\n```\n<u>": "before &lt;i>\n```\n<b>\n```\n&lt;u>",
    "六四<b>事件</b>🕯": "六四&lt;b>事件&lt;/b>🕯",
    "$x$ <é>": None,
    "&lt;b> as it was typed": "&amp;lt;b> as it was typed",
    "`&lt;` in code, <b> outside": "`&lt;` in code, &lt;b> outside",
    # Not code, whatever it looks like.
    "\\`<img src=//x>\\`": "\\`&lt;img src=//x>\\`",
    "`<img src=//x>``": "`&lt;img src=//x>``",
    "`a\nb` <img src=//x> `c`": "`a\nb` &lt;img src=//x> `c`",
    "so ```\n\n<img src=//x>": "so ```\n\n&lt;img src=//x>",
    "````\n```\n````\n<img src=//x>": "````\n```\n````\n&lt;img src=//x>",
    "- a\n\n  ```\n<img src=//x>": "- a\n\n  ```\n&lt;img src=//x>",
    "~~~\n```\n~~~\n![](//x)": "~~~\n```\n~~~\n!\\[](//x)",
    "```\n      ```\n    <img src=//x>": "```\n      ```\n    &lt;img src=//x>",  # a fence, once it is dedented
}


@pytest.mark.parametrize(("text", "shown"), TAMED.items())
def test_tame(text: str, shown: str | None) -> None:
    """HTML and pictures are written out, in code and elsewhere; nothing else is changed, and it can be taken back."""
    assert tame(text) == (text if shown is None else shown)
    assert untame(tame(text)) == text
    rendered = MarkdownIt("commonmark").render(tame(text))
    assert "<img" not in rendered
    assert "<script" not in rendered
