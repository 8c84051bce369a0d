"""What the page's events do: asking, stopping, taking back, choosing. What is shown comes from `render`."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import gradio as gr

from chat import catalogue
from chat.catalogue import Catalogue, Model
from chat.engines.paced import READING_PACE
from chat.engines.types import Engine, Options
from chat.errors import ChatError, QuestionError
from chat.host import Host
from chat.session import Compare, Update, clean_question, clean_text
from chat.ui import choose, render
from chat.ui.conversation import Conversation, messages, untame
from chat.ui.rate import Rate
from chat.ui.texts import Texts
from detectors import Turn

MOST_SEED = 2**32  # what every server and torch take
SLOWEST, FASTEST = 10, 1000  # characters a second that can be chosen for recorded replies; 0 is all at once


CLICKABLE = 8  # questions that have a button each


def buttons(recorded: Sequence[str], texts: Texts) -> list[dict[str, Any]]:
    """The questions to click: the first recorded ones, or our examples for a model that answers any."""
    clickable = list(recorded[:CLICKABLE]) or [example.question for example in texts.example][:CLICKABLE]
    unused = [""] * (CLICKABLE - len(clickable))
    return [{"value": question, "visible": bool(question)} for question in (*clickable, *unused)]


def questions(recorded: Sequence[str]) -> dict[str, Any]:
    """The list of recorded questions, shown where there are more than have a button."""
    label = f"All {len(recorded)} recorded questions"
    return {"choices": list(recorded), "value": None, "label": label, "visible": len(recorded) > CLICKABLE}


def speed(recorded: Sequence[str], options: Options) -> dict[str, Any]:
    """How fast recorded replies are played, in characters a second; nothing to choose for a model that answers."""
    pace = READING_PACE if options.pace is None else options.pace
    return {"value": min(pace, FASTEST), "visible": bool(recorded)}


def _box(question: str | None = None, *, running: bool = False) -> Any:
    """The question's box: with this text, or with what is in it, and the button to ask or to stop."""
    text: dict[str, Any] = {} if question is None else {"value": question}
    return gr.update(**text, submit_btn=False if running else "Ask", stop_btn="Stop" if running else False)


def _is_set(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _seed(typed: str | int | None) -> int | None:
    if typed is None or not str(typed).strip():
        return None
    try:
        return int(typed) % MOST_SEED
    except ValueError:
        raise QuestionError("The seed is a whole number. Leave it empty for another reply each time.") from None


class Handlers:
    """What the page's events do. Every one that changes what is seen returns the whole view."""

    def __init__(
        self,
        models: Catalogue,
        texts: Texts,
        engine_for: Callable[[Model, str | None], Engine],
        watch: Callable[..., Generator[Update, None, None]],
        host: Host,
    ) -> None:
        self._models = models
        self._engine_for = engine_for
        self._texts = texts
        self._watch = watch
        self._host = host
        self._rate = Rate()

    def ask(
        self, question: str, state: Conversation, login: gr.OAuthToken | None, *settings: Any
    ) -> Iterator[list[Any]]:
        """Asks what was typed, and streams the view until all is said. It stays in its box where it cannot be asked.

        The visitor's `login` goes to the engines of this question and is not kept.
        """
        yield from self._ask(question, state, login, settings, typed=True)

    def pick(
        self, question: str, state: Conversation, login: gr.OAuthToken | None, *settings: Any
    ) -> Iterator[list[Any]]:
        """Asks what was clicked; what is being typed stays."""
        yield from self._ask(question, state, login, settings, typed=False)

    def _ask(
        self,
        question: str,
        state: Conversation,
        login: gr.OAuthToken | None,
        settings: tuple[Any, ...],
        *,
        typed: bool,
    ) -> Iterator[list[Any]]:
        # What is put into the box at the end: nothing, unless what was typed is still there or could not be asked.
        left = "" if typed else None
        with state.replying() as stop:
            if stop is None:
                gr.Info("The last reply is still being written. Wait for it, or press Stop.")
                yield self._view(state, settings)
                return
            try:
                turn = state.turn(clean_question(question), clean_text(settings[3] or ""))
                watching = self._begin(turn, login, settings, stop)
            except ChatError as error:
                gr.Warning(str(error))
                left = question if typed else None
            else:
                exchange = state.begin(turn)
                box = _box("" if typed else None, running=True)
                with closing(watching) as updates, self._rate.stream() as due:
                    for update in updates:
                        exchange.update = update
                        if due(update):
                            yield self._view(state, settings, box=box)
                            box, left = gr.skip(), None  # what is there from now on is the next question's
                if typed and exchange.reply is not None and exchange.reply.error and not exchange.reply.text:
                    left = turn.question  # could not even be begun
        yield self._view(state, settings, box=_box(left))

    def _begin(
        self, turn: Turn, login: gr.OAuthToken | None, settings: tuple[Any, ...], stop: threading.Event
    ) -> Generator[Update, None, None]:
        """The updates on this turn, by the models that are chosen. Raises `ChatError`."""
        token, compare = login.token if login else None, Compare(settings[2])
        model = self._models.find(settings[0])
        options = self._options(model, *settings[4:])
        engine = self._engine_for(model, token)
        other = None
        if compare is not Compare.OFF:
            other = self._engine_for(self._models.find(settings[1]), token)
        return self._watch(engine, turn, options, reference=other, compare=compare, stop=stop)

    def _options(self, model: Model, *settings: Any) -> Options:
        """The model's own, with what was chosen; a box may be empty. Raises `QuestionError` for what is no seed."""
        names = ("temperature", "top_p", "max_tokens", "seed", "pace")
        chosen = {name: value for name, value in zip(names, settings, strict=True) if _is_set(value)}
        chosen["seed"] = _seed(chosen.get("seed", model.options.seed))
        if pace := chosen.get("pace"):
            chosen["pace"] = max(SLOWEST, int(pace))
        options = replace(model.options, **chosen)
        return replace(options, max_tokens=max(1, min(int(options.max_tokens), self._host.max_tokens)))

    def retry(
        self, data: gr.RetryData, state: Conversation, login: gr.OAuthToken | None, *settings: Any
    ) -> Iterator[list[Any]]:
        """Asks the same question again; its exchange and those after it are taken back."""
        yield from self._again(state, data.index, None, login, settings)

    def edit(
        self, data: gr.EditData, state: Conversation, login: gr.OAuthToken | None, *settings: Any
    ) -> Iterator[list[Any]]:
        """Asks the question as it was changed."""
        yield from self._again(state, data.index, data.value, login, settings)

    def _again(
        self, state: Conversation, message: Any, question: Any, login: gr.OAuthToken | None, settings: tuple[Any, ...]
    ) -> Iterator[list[Any]]:
        number = self._owner(state, message)
        if number is None:
            yield self._view(state, settings)
            return
        if question is not None:
            try:
                question = clean_question(untame(str(question)))
            except QuestionError as error:
                gr.Warning(str(error))
                yield self._view(state, settings)
                return
        if not state.interrupt():
            gr.Info("The last reply has not stopped yet. Try again in a moment.")
            yield self._view(state, settings)
            return
        taken = state.cut(number)
        yield from self._ask(question or taken[0].turn.question, state, login, settings, typed=False)

    def undo(self, data: gr.UndoData, draft: str, state: Conversation, *settings: Any) -> list[Any]:
        """Takes the exchange back, and its question into the box, unless something is being typed there."""
        number = self._owner(state, data.index)
        if number is None or not state.interrupt():
            return self._view(state, settings)
        taken = state.cut(number)
        return self._view(state, settings, box=_box(None if (draft or "").strip() else taken[0].turn.question))

    def clear(self, state: Conversation, *settings: Any) -> list[Any]:
        """Begins anew."""
        state.interrupt()
        state.cut(0)
        return self._view(state, settings, box=_box())

    def stop(self, state: Conversation) -> None:
        """Stops the reply; what was said is kept, with its verdict."""
        state.stop()

    def select(self, data: gr.SelectData, state: Conversation, *settings: Any) -> list[Any]:
        """Shows the verdict of the reply that was clicked."""
        if not state.running:
            state.selected = self._owner(state, data.index)
        return self._view(state, settings)

    def look(self, state: Conversation, *settings: Any) -> list[Any]:
        """The view as it is."""
        return self._view(state, settings)

    def choose(self, model: str, reference: str) -> list[Any]:
        """What is known of the model that was chosen or typed, its usual sampling, its recorded questions.

        Where it is a server's address, its models are there to choose from then. What is nothing stays as it was typed.
        """
        try:
            found = choose.typed(self._models, model or "")
            recorded = catalogue.questions_of(found[0])
            skipped = catalogue.skipped_of(found[0])
        except ChatError as error:
            gr.Warning(str(error))
            return [gr.skip(), choose.about(self._models, reference), *[gr.skip()] * (5 + CLICKABLE)]
        if skipped:
            gr.Info(f"Lines of that file that could not be used: {skipped}. The rest was read.")
        options = found[0].options
        return [
            self._offer(model, found),
            choose.about(self._models, found[0].id, reference),
            options.temperature,
            options.top_p,
            min(options.max_tokens, self._host.max_tokens),
            gr.update(**speed(recorded, options)),
            gr.update(**questions(recorded)),
            *(gr.update(**button) for button in buttons(recorded, self._texts)),
        ]

    def choose_reference(self, model: str, reference: str) -> list[Any]:
        """The same of the reference."""
        try:
            found = choose.typed(self._models, reference or "")
        except ChatError as error:
            gr.Warning(str(error))
            return [gr.skip(), choose.about(self._models, model)]
        return [self._offer(reference, found), choose.about(self._models, model, found[0].id)]

    def _offer(self, name: str, found: Sequence[Model]) -> Any:
        """The list to choose from, where what was typed is no model of it: with what it stands for, that chosen."""
        if found[0].id == name:
            return gr.skip()
        offered = choose.choices(self._models, found[0], public=bool(self._host.public))
        more = [(model.name, model.id) for model in found]
        return gr.update(choices=list(dict.fromkeys((*more, *offered))), value=found[0].id)

    def _owner(self, state: Conversation, message: Any) -> int | None:
        index = message[0] if isinstance(message, (list, tuple)) else message
        try:
            return state.owner(int(index), self._texts)
        except IndexError:
            return None

    def _view(self, state: Conversation, settings: tuple[Any, ...], *, box: Any = None) -> list[Any]:
        """What every component of the view shows now."""
        texts, exchange = self._texts, state.shown
        reply = exchange.reply if exchange else None
        other = exchange.update.reference if exchange and exchange.update else None
        question = exchange.turn.question if exchange else ""
        place = "" if state.selected is None else f"Reply {state.selected + 1} of {len(state.exchanges)}"
        name = choose.name_of(self._models, settings[1])
        return [
            messages(state.exchanges, texts),
            render.flag_card(reply, texts, question=question, place=place),
            render.evidence_panel(reply),
            render.reference_panel(other, Compare(settings[2]), name, texts),
            gr.skip() if box is None else box,
        ]
