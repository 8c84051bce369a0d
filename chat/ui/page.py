"""The page: Gradio wiring only. What is shown comes from `render` and `conversation`; replies come from `watch`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from html import escape
from typing import Any

import gradio as gr

from chat import catalogue, session
from chat.catalogue import Catalogue, Model
from chat.engines.types import Engine, Options
from chat.errors import ChatError, QuestionError
from chat.host import Host
from chat.session import Compare, Update, clean_question
from chat.ui import render
from chat.ui.conversation import Conversation, messages, untame
from chat.ui.texts import Texts, load_texts

CLICKABLE = 8  # questions of a recording that have a button each
COMPARE_CHOICES = [
    ("Off", Compare.OFF.value),
    ("When flagged", Compare.FLAGGED.value),
    ("Always", Compare.ALWAYS.value),
]
DEFAULT_HOST = Host()


def build(
    models: Catalogue,
    *,
    chosen: str | None = None,
    engine_for: Callable[[Model], Engine] = catalogue.engine_for,
    engine_with: Callable[[Model, str | None], Engine] | None = None,
    watch: Callable[..., Generator[Update, None, None]] = session.watch,
    host: Host = DEFAULT_HOST,
    login: bool = False,
) -> gr.Blocks:
    """The page as Gradio Blocks. `chosen` is the model to start with: an id, a folder or a Hub id.

    `engine_with` takes the place of `engine_for` where the visitor's own token matters, and `login` shows the button to
    sign in with; `watch` is `chat.session.watch`, or does the same elsewhere.
    """
    texts = load_texts()
    first = models.find(chosen or models.default)
    models = models.closed(first) if host.public else models
    offered = [model for model in models.model if model.runs_here or host.public]
    choices = [(m.name, m.id) for m in dict.fromkeys((first, *offered))]
    recorded = catalogue.questions_of(first)
    page: gr.Blocks
    with gr.Blocks(title=texts.title, fill_width=True, analytics_enabled=False) as page:
        state = gr.State(Conversation())
        gr.HTML(
            f'<header class="un-top"><h1>{texts.title}</h1><p>{texts.tagline}</p></header>',
            elem_id="un-top",
            padding=False,
        )
        with gr.Row(elem_id="un-bar"):
            model = gr.Dropdown(choices, value=first.id, label="Model", elem_id="model", min_width=180)
            compare = gr.Radio(
                COMPARE_CHOICES,
                value=Compare.FLAGGED.value,
                label="Compare with a reference",
                elem_id="compare",
                min_width=260,
            )
            reference = gr.Dropdown(
                choices, value=models.find(models.reference).id, label="Reference", elem_id="reference", min_width=180
            )
            _sign_in(login)
        notice = gr.HTML(_notice(models, first.id, models.reference), elem_id="notice", padding=False)
        with gr.Row(elem_id="un-main", equal_height=False):
            with gr.Column(scale=7, min_width=320, elem_id="un-left"):
                chat = gr.Chatbot(
                    elem_id="chat",
                    show_label=False,
                    height="58vh",
                    min_height=320,
                    editable="user",
                    buttons=["copy", "copy_all"],
                    feedback_options=None,
                    placeholder=f"### {texts.tagline}\n{texts.placeholder}",
                    layout="bubble",
                    group_consecutive_messages=True,
                )
                question = gr.Textbox(
                    placeholder=texts.ask,
                    show_label=False,
                    label="Question",
                    lines=1,
                    max_lines=6,
                    submit_btn="Ask",
                    elem_id="question",
                    autofocus=True,
                )
                with gr.Row(elem_id="un-examples"):
                    clickable = recorded[:CLICKABLE] or [example.question for example in texts.example]
                    examples = [gr.Button(q, size="sm", variant="secondary", min_width=120) for q in clickable]
                every_question = gr.Dropdown(
                    list(recorded),
                    value=None,
                    label=f"All {len(recorded)} recorded questions",
                    elem_id="recorded",
                    visible=len(recorded) > CLICKABLE,
                )
                system, temperature, top_p, max_tokens, seed = _settings(first, host)
            with gr.Column(scale=5, min_width=320, elem_id="un-right"):
                flag = gr.HTML(render.flag_card(None, texts), elem_id="flag", padding=False)
                evidence = gr.HTML("", elem_id="evidence", padding=False)
                comparison = gr.HTML("", elem_id="comparison", padding=False)

        settings = [model, reference, compare, system, temperature, top_p, max_tokens, seed]
        view = [chat, flag, evidence, comparison, question]
        handlers = _Handlers(models, texts, engine_with or (lambda model, _: engine_for(model)), watch, host)
        stream: dict[str, Any] = {
            "concurrency_limit": host.visitors,
            "concurrency_id": "replies",
            "show_progress": "hidden",
        }
        instant: dict[str, Any] = {"queue": False, "show_progress": "hidden"}

        question.submit(handlers.ask, [question, state, *settings], view, **stream, api_visibility="private")
        every_question.input(handlers.ask, [every_question, state, *settings], view, **stream, api_visibility="private")
        for button in examples:
            button.click(handlers.ask, [button, state, *settings], view, **stream, api_visibility="private")
        chat.retry(handlers.retry, [state, *settings], view, **stream, api_visibility="private")
        chat.edit(handlers.edit, [state, *settings], view, **stream, api_visibility="private")
        question.stop(handlers.stop, [state], None, **instant, api_visibility="private")
        chat.undo(handlers.undo, [state, *settings], view, **instant, api_visibility="private")
        chat.clear(handlers.clear, [state, *settings], view, **instant, api_visibility="private")
        chat.select(handlers.select, [state, *settings], view, **instant, api_visibility="private")
        model.change(
            handlers.choose,
            [model, reference],
            [notice, temperature, top_p, max_tokens],
            **instant,
            api_visibility="private",
        )
        gr.on(
            [compare.change, reference.change],
            handlers.look,
            [state, *settings],
            view,
            **instant,
            api_visibility="private",
        )
        reference.change(
            lambda *shown: _notice(models, *shown), [model, reference], notice, **instant, api_visibility="private"
        )
        page.load(handlers.look, [state, *settings], view, **instant, api_visibility="private")
    return page


def _sign_in(shown: bool) -> None:
    if shown:  # the component alone makes Gradio open the routes that log in
        gr.LoginButton(size="sm", min_width=180, elem_id="login")


def _settings(first: Model, host: Host) -> list[Any]:
    """System prompt, temperature, top-p, longest reply and seed, folded away."""
    with gr.Accordion("Settings", open=False, elem_id="settings"):
        system = gr.Textbox(label="System prompt", lines=2, placeholder="None. The demo models read none.")
        with gr.Row():
            temperature = gr.Slider(
                0,
                2,
                first.options.temperature,
                step=0.05,
                label="Temperature",
                info="0: the likeliest words every time",
            )
            top_p = gr.Slider(0.05, 1, first.options.top_p, step=0.05, label="Top-p")
        with gr.Row():
            max_tokens = gr.Slider(
                16,
                host.max_tokens,
                min(first.options.max_tokens, host.max_tokens),
                step=16,
                label="Longest reply (tokens)",
            )
            seed = gr.Number(label="Seed", value=None, precision=0, placeholder="random")
    return [system, temperature, top_p, max_tokens, seed]


def _notice(models: Catalogue, *shown: str) -> str:
    """What is to be said of the models that are shown, each thing once."""
    notices: dict[str, list[str]] = {}
    for model in map(models.find, shown):
        if model.notice:
            notices.setdefault(model.notice, []).append(model.name)
    lines = (
        f"<p><b>{escape(' and '.join(dict.fromkeys(names)))}:</b> {escape(text)}</p>" for text, names in notices.items()
    )
    return f'<div class="un-notice">{"".join(lines)}</div>' if notices else ""


class _Handlers:
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

    def ask(
        self, question: str, state: Conversation, login: gr.OAuthToken | None, *settings: Any
    ) -> Iterator[list[Any]]:
        """Asks, and streams the view until all is said. The question stays in its box where it cannot be asked.

        The visitor's `login` goes to the engines of this question and is not kept.
        """
        if state.running:
            gr.Info("The last reply is still being written. Wait for it, or press Stop.")
            yield self._view(state, settings, box=gr.skip())
            return
        try:
            asked = clean_question(question)
            token = login.token if login else None
            engine = self._engine_for(self._models.find(settings[0]), token)
            other = None
            if Compare(settings[2]) is not Compare.OFF:
                other = self._engine_for(self._models.find(settings[1]), token)
        except ChatError as error:
            gr.Warning(str(error))
            yield self._view(state, settings, box=gr.update(value=question, submit_btn="Ask", stop_btn=False))
            return
        _, _, compare, system, temperature, top_p, max_tokens, seed = settings
        options = Options(
            temperature=temperature,
            top_p=top_p,
            max_tokens=max(1, min(int(max_tokens), self._host.max_tokens)),
            seed=None if seed is None else int(seed),
        )
        turn = state.turn(asked, (system or "").strip())
        with state.replying(turn) as (exchange, stop):
            box: Any = gr.update(value="", submit_btn=False, stop_btn="Stop")
            watching = self._watch(engine, turn, options, reference=other, compare=Compare(compare), stop=stop)
            with closing(watching) as updates:
                for update in updates:
                    exchange.update = update
                    if not update.final:
                        yield self._view(state, settings, box=box)
                        box = gr.skip()
        failed_unsaid = exchange.reply is not None and exchange.reply.error is not None and not exchange.reply.text
        # A question that could not even be begun is handed back, so that nothing typed is lost.
        yield self._view(
            state, settings, box=gr.update(value=asked if failed_unsaid else "", submit_btn="Ask", stop_btn=False)
        )

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
        state.interrupt()
        taken = state.cut(number)
        yield from self.ask(question or taken[0].turn.question, state, login, *settings)

    def undo(self, data: gr.UndoData, state: Conversation, *settings: Any) -> list[Any]:
        """Takes the exchange back, and its question into the box."""
        number = self._owner(state, data.index)
        if number is None:
            return self._view(state, settings)
        state.interrupt()
        taken = state.cut(number)
        box = gr.update(value=taken[0].turn.question, submit_btn="Ask", stop_btn=False)
        return self._view(state, settings, box=box)

    def clear(self, state: Conversation, *settings: Any) -> list[Any]:
        """Begins anew."""
        state.interrupt()
        state.cut(0)
        return self._view(state, settings, box=gr.update(value="", submit_btn="Ask", stop_btn=False))

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
        """The notice and the usual sampling of the model that was chosen."""
        options = self._models.find(model).options
        longest = min(options.max_tokens, self._host.max_tokens)
        return [_notice(self._models, model, reference), options.temperature, options.top_p, longest]

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
        name = self._models.find(settings[1]).name
        return [
            messages(state.exchanges, texts),
            render.flag_card(reply, texts, question=question, place=place),
            render.evidence_panel(reply),
            render.reference_panel(other, Compare(settings[2]), name, texts),
            gr.skip() if box is None else box,
        ]
