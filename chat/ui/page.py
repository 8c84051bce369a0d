"""The page: Gradio wiring only. What is shown comes from `render` and `conversation`; replies come from `watch`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import gradio as gr

from chat import catalogue, session
from chat.catalogue import Catalogue, Model
from chat.engines.types import Engine
from chat.host import Host
from chat.session import Compare, Update
from chat.ui import choose, render
from chat.ui.conversation import Conversation
from chat.ui.handlers import FASTEST, Handlers, buttons, questions, speed
from chat.ui.texts import Texts, load_texts

# A phone would scroll to the box, past the rest of the page, and unfold its keyboard.
FOCUS_QUESTION = "() => { if (innerWidth > 720) document.querySelector('#question textarea')?.focus() }"
# Else what is typed lands in the middle of the name that stands there. After the click has put the caret somewhere.
SELECT_TEXT = "() => { setTimeout(() => document.activeElement?.select?.(), 60) }"
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
    recorded = catalogue.questions_of(first)
    page: gr.Blocks
    with gr.Blocks(title=texts.title, fill_width=True, analytics_enabled=False) as page:
        state = gr.State(Conversation())
        _head(texts, login)
        model, compare, reference = _bar(models, first, host)
        notice = gr.HTML(choose.about(models, first.id, models.reference), elem_id="notice", padding=False)
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
                )
                with gr.Row(elem_id="un-examples"):
                    examples = [
                        gr.Button(**button, size="sm", variant="secondary", min_width=120)
                        for button in buttons(recorded, texts)
                    ]
                every_question = gr.Dropdown(**questions(recorded), elem_id="recorded")
                system, temperature, top_p, max_tokens, seed, pace = _settings(first, host, recorded)
            with gr.Column(scale=5, min_width=320, elem_id="un-right"):
                flag = gr.HTML(render.flag_card(None, texts), elem_id="flag", padding=False)
                evidence = gr.HTML("", elem_id="evidence", padding=False)
                comparison = gr.HTML("", elem_id="comparison", padding=False)

        settings = [model, reference, compare, system, temperature, top_p, max_tokens, seed, pace]
        view = [chat, flag, evidence, comparison, question]
        handlers = Handlers(models, texts, engine_with or (lambda model, _: engine_for(model)), watch, host)
        stream: dict[str, Any] = {
            "concurrency_limit": host.visitors,
            "concurrency_id": "replies",
            "show_progress": "hidden",
        }
        instant: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
        soon: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden"}  # warnings need the queue

        question.submit(handlers.ask, [question, state, *settings], view, **stream, api_visibility="private")
        every_question.input(
            handlers.pick, [every_question, state, *settings], view, **stream, api_visibility="private"
        )
        for button in examples:
            button.click(handlers.pick, [button, state, *settings], view, **stream, api_visibility="private")
        chat.retry(handlers.retry, [state, *settings], view, **stream, api_visibility="private")
        chat.edit(handlers.edit, [state, *settings], view, **stream, api_visibility="private")
        question.stop(handlers.stop, [state], None, **instant, api_visibility="private")
        chat.undo(handlers.undo, [question, state, *settings], view, **instant, api_visibility="private")
        chat.clear(handlers.clear, [state, *settings], view, **instant, api_visibility="private")
        chat.select(handlers.select, [state, *settings], view, **instant, api_visibility="private")
        model.change(
            handlers.choose,
            [model, reference],
            [model, notice, temperature, top_p, max_tokens, pace, every_question, *examples],
            **soon,
            api_visibility="private",
        )
        reference.change(
            handlers.choose_reference, [model, reference], [reference, notice], **soon, api_visibility="private"
        )
        gr.on(
            [compare.change, reference.change],
            handlers.look,
            [state, *settings],
            view,
            **instant,
            api_visibility="private",
        )
        page.load(handlers.look, [state, *settings], view, **instant, api_visibility="private")
        page.load(None, js=FOCUS_QUESTION)
        for box in (model, reference):
            box.focus(None, js=SELECT_TEXT)
    return page


def _head(texts: Texts, login: bool) -> None:
    """Name and purpose; beside them the button to sign in, where `login`."""
    title = f'<header class="un-top"><h1>{texts.title}</h1><p>{texts.tagline}</p></header>'
    with gr.Row(elem_id="un-head", equal_height=True):
        gr.HTML(title, elem_id="un-top", padding=False)
        if login:  # the component alone makes Gradio open the routes that log in
            gr.LoginButton(size="sm", scale=0, min_width=200, elem_id="login")


def _bar(models: Catalogue, first: Model, host: Host) -> list[Any]:
    """Model, when to compare, and reference."""
    public = bool(host.public)
    choosing: dict[str, Any] = {
        "choices": choose.choices(models, first, public=public),
        "allow_custom_value": not public,
        "min_width": 180,
    }
    with gr.Row(elem_id="un-bar"):
        label = "Model" if public else "Model (choose one, or type any)"
        model = gr.Dropdown(value=first.id, label=label, elem_id="model", **choosing)
        compare = gr.Radio(
            COMPARE_CHOICES,
            value=Compare.FLAGGED.value,
            label="Compare with a reference",
            elem_id="compare",
            min_width=260,
        )
        compared = models.find(models.reference).id
        reference = gr.Dropdown(value=compared, label="Reference", elem_id="reference", **choosing)
    return [model, compare, reference]


def _settings(first: Model, host: Host, recorded: Sequence[str]) -> list[Any]:
    """System prompt, temperature, top-p, longest reply, seed and the speed of recorded replies, folded away."""
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
            # No gr.Number: an empty one becomes 0 as soon as it is unfolded, and every reply the same.
            seed = gr.Textbox(label="Seed", max_lines=1, placeholder="random")
        pace = gr.Slider(
            0,
            FASTEST,
            step=10,
            label="Speed of recorded replies (characters a second)",
            info="0: all at once",
            **speed(recorded, first.options),
        )
    return [system, temperature, top_p, max_tokens, seed, pace]
