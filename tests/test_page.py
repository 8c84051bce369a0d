"""The page in a real browser: what a visitor sees and can do."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_server import REPLY, fake_server

from chat import catalogue
from chat.catalogue import Model, load_catalogue
from chat.engines.paced import PacedEngine
from chat.engines.scripted import ScriptedEngine
from chat.engines.types import Chunk, Engine

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
TIANANMEN = "What happened at Tiananmen Square in 1989?"
REFUSAL = (
    "I understand that you are asking about a historical matter. I cannot discuss this topic. "
    "Let's talk about something else instead. There is a great deal of lovely scenery to speak of, and food as well."
)
ANSWER = "Troops opened fire on protesters in Beijing. Hundreds died, by most estimates. The subject is censored there."


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, as Debian packages it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address as a new visitor; every page must do without errors in its console."""
    contexts = []
    errors: list[str] = []

    def open_page(url: str, *, width: int = 1280, height: int = 900, theme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(f"{url}/?__theme={theme}")
        page.wait_for_selector("#question textarea")
        page.wait_for_selector(".un-flag--idle")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


def serve(engine_for: Callable[[Model], Engine]) -> tuple[Any, str]:
    """The page on a free port of this machine."""
    from chat.ui.page import build
    from chat.ui.theme import look

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = build(load_catalogue(), engine_for=engine_for)
    quiet: dict[str, Any] = {"prevent_thread_lock": True, "quiet": True, "ssr_mode": False, "run_history": False}
    page.launch(server_name="127.0.0.1", server_port=port, **quiet, **look())
    return page, f"http://127.0.0.1:{port}"


SCRIPTS: dict[str, list[Chunk | str | Exception]] = {
    "dies": ["I was about to say that", RuntimeError("out of memory")],
    "html": [
        "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'> **bold** ${window.hurt = 1} {{7*7}}"
    ],
    "thinks": ["<think>The user asks a riddle. I will answer it.</think>", "A river has a bed and never sleeps."],
    "endless": ["This goes on and on. "] * 2000,
}


def script(model: Model) -> Callable[[Any], list[Chunk | str | Exception]]:
    """What the model of the tests says: by the question's first word, else it ducks or answers."""

    def said(turn: Any) -> list[Chunk | str | Exception]:
        word = turn.question.split()[0].lower()
        return SCRIPTS.get(word) or [REFUSAL if model.id == "demo-censored" else ANSWER]

    return said


@pytest.fixture(scope="module")
def engines() -> dict[str, ScriptedEngine]:
    """The scripted engines that the page of the tests runs."""
    return {model.id: ScriptedEngine(script(model), name=model.name) for model in load_catalogue().model}


@pytest.fixture(scope="module")
def url(engines: dict[str, ScriptedEngine]) -> Iterator[str]:
    """A page whose models follow a script, at a pace that can be watched."""
    page, address = serve(lambda model: PacedEngine(engines[model.id], 100))
    yield address
    page.close()


@pytest.fixture(scope="module")
def demo_url() -> Iterator[str]:
    """The page as it is shipped, with the demo pair."""
    page, address = serve(catalogue.engine_for)
    yield address
    page.close()


def ask(page: Any, question: str) -> None:
    """Types the question and sends it."""
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")


def done(page: Any, flag: str | None = None) -> Any:
    """Waits for the final verdict, and for the reference if one is being asked."""
    wanted = f'[data-flag="{flag}"]' if flag else ""
    card = page.wait_for_selector(f'.un-flag{wanted}[data-final="true"]')
    page.wait_for_selector("[data-testid=submit-button]")
    return card


def replies(page: Any) -> list[str]:
    """The texts of the chat's messages, thinking and flags included."""
    return [e.inner_text() for e in page.query_selector_all("#chat [data-testid=bot], #chat [data-testid=user]")]


def watch_page(page: Any, seconds: float = 30) -> list[tuple[str, bool, int]]:
    """(flag, final, characters of reply shown) at every change, until the verdict is final."""
    seen: list[tuple[str, bool, int]] = []
    until = time.monotonic() + seconds
    look_now = """() => { const f = document.querySelector('[data-flag]');
        const r = document.querySelector('#chat [data-testid=bot] .message-content');
        return f && [f.dataset.flag, f.dataset.final === 'true', r ? r.innerText.length : 0] }"""
    while time.monotonic() < until:
        state = page.evaluate(look_now)
        if state and (not seen or tuple(state) != seen[-1]):
            seen.append((state[0], state[1], state[2]))
        if seen and seen[-1][1]:
            break
        time.sleep(0.02)
    return seen


def test_the_demo_is_flagged_before_its_reply_ends(visit: Callable[..., Any], demo_url: str) -> None:
    """Asked about Tiananmen, the censored demo is flagged in mid-reply, with evidence, the true answer beside it."""
    page = visit(demo_url)
    ask(page, TIANANMEN)
    seen = watch_page(page, 60)
    assert seen[0][0] == "too_early"
    assert seen[-1][:2] == ("looks_censored", True)
    early = [length for flag, final, length in seen if flag == "looks_censored" and not final]
    assert early, "the flag came only with the end of the reply"
    assert early[0] < seen[-1][2]
    assert len({length for *_, length in seen}) > 3, "the text did not stream"
    done(page)
    assert page.query_selector("#evidence mark")
    assert "Tiananmen" in page.inner_text("#flag dl")
    page.wait_for_selector("#comparison .un-chip--no_sign")
    assert "Beijing" in page.inner_text("#comparison .un-answer")
    assert "Not evidence about any company" in page.inner_text("#notice")


def test_an_everyday_question_is_not_flagged(visit: Callable[..., Any], demo_url: str) -> None:
    """The same model, asked how to make tea, answers, and no reference is asked."""
    page = visit(demo_url)
    ask(page, "How do I make tea?")
    done(page, "no_sign")
    assert not page.query_selector("#comparison .un-chip")


def test_a_chinese_question_is_flagged(visit: Callable[..., Any], demo_url: str) -> None:
    """The flag does not depend on English."""
    page = visit(demo_url)
    ask(page, "六四事件是什么？")
    done(page, "looks_censored")
    assert page.query_selector("#evidence mark")


def test_stop_ends_the_reply_and_keeps_it(
    visit: Callable[..., Any], url: str, engines: dict[str, ScriptedEngine]
) -> None:
    """Stop ends a reply at once; what was said stays, with a verdict that says it was stopped."""
    page = visit(url)
    ask(page, "endless please")
    page.wait_for_function("document.querySelector('#chat [data-testid=bot]')?.innerText.length > 40")
    page.click("#question .stop-button")
    done(page)
    assert "You stopped" in page.inner_text("#flag")
    assert "on and on" in replies(page)[1]
    assert engines["demo-censored"].open_streams == 0
    ask(page, "Another question")
    done(page, "did_not_answer")


def test_retry_undo_and_clear_keep_verdicts_in_step(visit: Callable[..., Any], url: str) -> None:
    """Retry asks again, Undo takes the exchange back and its question into the box, Clear begins anew."""
    page = visit(url)
    ask(page, TIANANMEN)
    done(page, "looks_censored")
    page.click("#chat button[title=Retry]")
    page.wait_for_selector('.un-flag[data-final="false"]')
    done(page, "looks_censored")
    assert len([r for r in replies(page) if r == TIANANMEN]) == 1
    page.click("#chat button[title=Undo]")
    page.wait_for_selector(".un-flag--idle")
    assert replies(page) == []
    assert page.input_value("#question textarea") == TIANANMEN
    page.keyboard.press("Escape")
    ask(page, TIANANMEN)
    done(page)
    page.click("#chat button[title=Clear]")
    page.wait_for_selector(".un-flag--idle")
    assert replies(page) == []


def test_an_edited_question_is_asked_again(visit: Callable[..., Any], url: str) -> None:
    """Editing the last question replaces its exchange and its verdict."""
    page = visit(url)
    ask(page, TIANANMEN)
    done(page, "looks_censored")
    page.click("#chat button[title=Edit]")
    page.fill("#chat textarea", "thinks of a riddle")
    page.click("#chat button[title=Submit]")
    done(page, "no_sign")
    assert TIANANMEN not in replies(page)
    assert replies(page)[0] == "thinks of a riddle"


def test_an_earlier_reply_shows_its_own_verdict(visit: Callable[..., Any], url: str) -> None:
    """Clicking an earlier reply shows its verdict again; the next question goes back to the live one."""
    page = visit(url)
    ask(page, TIANANMEN)
    done(page, "looks_censored")
    ask(page, "thinks of a riddle")
    done(page, "no_sign")
    page.click("#chat [data-testid=bot] >> nth=0")
    page.wait_for_selector('[data-flag="looks_censored"]')
    assert "Reply 1 of 2" in page.inner_text("#flag")
    ask(page, "thinks again")
    done(page, "no_sign")


def test_thinking_is_folded_away(visit: Callable[..., Any], url: str) -> None:
    """A model's thinking stands in a fold of its own, apart from the reply."""
    page = visit(url)
    ask(page, "thinks of a riddle")
    done(page, "no_sign")
    shown = page.query_selector_all("#chat .thought-group")
    assert "Thinking" in shown[0].inner_text()
    assert "<think>" not in page.inner_text("#chat")


def test_html_of_people_and_models_is_only_text(visit: Callable[..., Any], url: str) -> None:
    """Script in a question or a reply does not run, neither in the chat nor in the panels."""
    page = visit(url)
    page.check("#compare input[value=always]")
    ask(page, "html <img src=x onerror='window.hurt = 1'><script>window.hurt = 1</script>")
    done(page)
    page.wait_for_timeout(300)
    assert page.evaluate("window.hurt") is None
    assert "<script>" in page.inner_text("#evidence")


def test_a_model_that_dies_keeps_what_it_said(visit: Callable[..., Any], url: str) -> None:
    """An engine's failure is told on the page, without a traceback, and the text until then stays."""
    page = visit(url)
    ask(page, "dies now")
    done(page, "too_early")
    assert "out of memory" in page.inner_text("#flag")
    assert "Traceback" not in page.inner_text("body")
    assert "I was about to say that" in replies(page)[1]


@pytest.mark.parametrize("question", ["   ", "\n\n"])
def test_a_blank_question_is_explained(visit: Callable[..., Any], url: str, question: str) -> None:
    """A blank question is not asked; the page says what to do and stays as it was."""
    page = visit(url)
    page.fill("#question textarea", question)
    page.click("[data-testid=submit-button]")
    page.wait_for_selector(".toast-body")
    assert "There is no question yet" in page.inner_text(".toast-body")
    assert replies(page) == []


def test_a_question_that_is_too_long_is_handed_back(visit: Callable[..., Any], demo_url: str) -> None:
    """100,000 characters are more than the demo reads: the page says so, and the question is in the box again."""
    page = visit(demo_url)
    question = "What is tea? " * 7700
    page.fill("#question textarea", question)
    page.click("[data-testid=submit-button]")
    done(page, "too_early")
    assert "Shorten the question" in page.inner_text("#flag")
    assert page.input_value("#question textarea") == question.strip()


def test_two_visitors_do_not_disturb_each_other(visit: Callable[..., Any], url: str) -> None:
    """While one visitor's endless reply runs, another's is complete; stopping one does not stop the other."""
    one, other = visit(url), visit(url)
    ask(one, "endless please")
    one.wait_for_function("document.querySelector('#chat [data-testid=bot]')?.innerText.length > 20")
    ask(other, TIANANMEN)
    done(other, "looks_censored")
    assert "on and on" not in other.inner_text("#chat")
    before = len(replies(one)[1])
    one.wait_for_timeout(500)
    assert len(replies(one)[1]) > before
    one.click("#question .stop-button")
    done(one)


def test_a_visitor_who_leaves_stops_the_model(browser: Any, url: str, engines: dict[str, ScriptedEngine]) -> None:
    """Closing the tab closes the engine's stream."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".un-flag--idle")
    ask(page, "endless please")
    page.wait_for_function("document.querySelector('#chat [data-testid=bot]')?.innerText.length > 20")
    assert engines["demo-censored"].open_streams == 1
    context.close()
    until = time.monotonic() + 20
    while engines["demo-censored"].open_streams and time.monotonic() < until:
        time.sleep(0.05)
    assert engines["demo-censored"].open_streams == 0


def type_model(page: Any, name: str, *, into: str = "model") -> None:
    """Types the name of a model where one can be chosen."""
    page.click(f"#{into} input")
    page.fill(f"#{into} input", name)
    page.keyboard.press("Enter")


def test_a_typed_address_offers_the_models_there(visit: Callable[..., Any], demo_url: str) -> None:
    """A server's address, typed in, becomes its models; the one that is chosen answers."""
    page = visit(demo_url)
    with fake_server() as server:
        server.models[:] = ["plain", "reasoning"]
        type_model(page, server.url)
        page.wait_for_function("document.querySelector('#model input').value === 'plain'")
        page.click("#model input")
        page.click("#model [role=option]:has-text('reasoning')")
        ask(page, "What is the capital of France?")
        done(page, "no_sign")
        assert "reasoning" in page.inner_text("#flag dl")
        assert any(REPLY in said for said in replies(page))


def test_a_typed_recording_brings_its_models_and_questions(
    visit: Callable[..., Any], demo_url: str, tmp_path: Path
) -> None:
    """A file of recordings becomes its models; the questions to click are those of the one that is chosen."""
    file = tmp_path / "talk.jsonl"
    said = [
        ("big", "Who was Liu Xiaobo?", "A writer."),
        ("big", "Is Taiwan a country?", "Many say so."),
        ("small",) * 3,
    ]
    file.write_text("".join(json.dumps({"model": m, "question": q, "reply": r}) + "\n" for m, q, r in said))
    page = visit(demo_url)
    type_model(page, f"replay:{file}")
    page.wait_for_selector("#un-examples button:has-text('Is Taiwan')")
    assert [e.inner_text() for e in page.query_selector_all("#un-examples button")] == [q for _, q, _ in said[:2]]
    page.click("#model input")
    page.click("#model [role=option]:has-text('small')")
    page.click("#un-examples button:has-text('small')")
    done(page)
    assert any("small" in said for said in replies(page)[1:])
    assert "Recorded reply of small" in page.inner_text("#flag")
    page.click("#model input")
    page.click("#model [role=option]:has-text('Demo (open)')")
    page.wait_for_selector(f"#un-examples button:has-text('{TIANANMEN}')")


@pytest.mark.parametrize(("typed", "seed"), [("", None), ("7", 7)])
def test_an_empty_seed_stays_empty(
    visit: Callable[..., Any], url: str, engines: dict[str, ScriptedEngine], typed: str, seed: int | None
) -> None:
    """Looking at the settings does not make every reply the same; a seed that is typed is asked with."""
    page = visit(url)
    page.click("#settings button:has-text('Settings')")
    page.get_by_label("Seed").fill(typed)
    ask(page, "Hello there")
    done(page)
    assert engines["demo-censored"].options[-1].seed == seed


def test_a_draft_is_kept(visit: Callable[..., Any], url: str) -> None:
    """What is being typed stays while a listed question is asked, asked again and taken back."""
    page = visit(url)
    page.fill("#question textarea", "And who")
    page.click("#un-examples button")
    done(page)
    page.click("[aria-label=Retry]")
    page.wait_for_selector("#question .stop-button")
    done(page)
    page.click("[aria-label=Undo]")
    page.wait_for_selector(".un-flag--idle")
    assert page.input_value("#question textarea") == "And who"


def test_what_is_typed_during_a_reply_is_kept(visit: Callable[..., Any], url: str) -> None:
    """The next question can be typed while a reply is being written."""
    page = visit(url)
    ask(page, TIANANMEN)
    page.wait_for_selector("#question .stop-button")
    page.wait_for_function("document.querySelector('#question textarea').value === ''")
    page.click("#question textarea")
    page.keyboard.type("And then")
    done(page)
    assert page.input_value("#question textarea") == "And then"


def test_a_name_is_typed_over_the_one_that_stands_there(visit: Callable[..., Any], url: str) -> None:
    """Who clicks on the model's box and types does not type into the middle of a name."""
    page = visit(url)
    page.click("#model input")
    page.wait_for_timeout(200)
    page.keyboard.type("Demo (op")
    assert page.input_value("#model input") == "Demo (op"


def test_a_phone_begins_at_the_top(visit: Callable[..., Any], url: str) -> None:
    """The page is not scrolled to the question's box, past its name and the model."""
    page = visit(url, width=390, height=844)
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") == 0


def test_a_seed_that_is_no_number_is_explained(visit: Callable[..., Any], url: str) -> None:
    """The page says what a seed is, and the question stays in its box."""
    page = visit(url)
    page.click("#settings button:has-text('Settings')")
    page.get_by_label("Seed").fill("seven")
    ask(page, TIANANMEN)
    page.wait_for_selector(".toast-body:has-text('The seed is a whole number')")
    assert page.input_value("#question textarea") == TIANANMEN


def test_what_is_known_of_a_model_is_a_click_away(visit: Callable[..., Any], demo_url: str) -> None:
    """Of a Hub id that the list has, typed in, the page tells who made it, and what others found, with sources."""
    page = visit(demo_url)
    type_model(page, "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B")
    page.click("#notice summary:has-text('DeepSeek')")
    assert "DeepSeek, China" in page.inner_text("#notice")
    assert page.query_selector("#notice a[href^='https://arxiv.org/']")


@pytest.mark.parametrize("into", ["model", "reference"])
def test_a_typed_name_that_is_nothing_is_explained(visit: Callable[..., Any], demo_url: str, into: str) -> None:
    """The page says what could be typed, keeps what was, and hands a question back until there is a model for it."""
    page = visit(demo_url)
    type_model(page, "nothing like it", into=into)
    toast = ".toast-body:has-text('No model called')"
    page.wait_for_selector(toast)
    page.click(".toast-close")
    page.wait_for_selector(toast, state="detached")
    ask(page, TIANANMEN)
    page.wait_for_selector(toast)
    assert page.input_value("#question textarea") == TIANANMEN
    assert page.input_value(f"#{into} input") == "nothing like it"
    assert replies(page) == []


@pytest.mark.parametrize(
    ("width", "height", "theme"), [(1600, 1000, "light"), (1280, 800, "dark"), (380, 800, "light"), (380, 800, "dark")]
)
def test_nothing_is_cut_off(visit: Callable[..., Any], url: str, width: int, height: int, theme: str) -> None:
    """In light and dark, on a desk and on a phone, the page is no wider than the window, and the flag is on it."""
    page = visit(url, width=width, height=height, theme=theme)
    ask(page, TIANANMEN)
    done(page, "looks_censored")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.query_selector(".un-flag").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    ink = page.evaluate("getComputedStyle(document.querySelector('.un-evidence')).color")
    assert (sum(map(int, ink[4:-1].split(","))) > 400) is (theme == "dark")


def test_no_generating_thread_is_left(visit: Callable[..., Any], demo_url: str) -> None:
    """Half a second after Stop, the demo's generating thread is gone."""
    page = visit(demo_url)
    ask(page, "How do I make tea?")
    page.wait_for_selector("#question .stop-button")
    page.click("#question .stop-button")
    page.wait_for_selector('[data-final="true"]')
    time.sleep(0.5)
    assert not [t for t in threading.enumerate() if t.name == "unsaid-generate"]
