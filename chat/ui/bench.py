"""What one page process carries, Gradio and all: `python -m chat.ui.bench` prints medians.

A server sends tokens at a fixed pace, so that it is not the limit, and the page runs in a process of its own. Visitors
ask it over HTTP as its script does, one alone and many at once, in turn. Where there are playwright and a Chromium, a
browser tells how soon the first words are on the page after the server has sent them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median

from chat.engines.remote_bench import TOKENS, PacedServer, in_turn, print_times
from chat.ui.client import ask_page, free_port, up

VISITORS = (1, 16)
LOOKS = 10  # of the browser
START_SECONDS = 60.0
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
# When, in milliseconds since 1970, the first words of a reply were in the page.
FIRST_WORDS = """() => new Promise(done => {
    const said = () => document.querySelector('#chat')?.innerText.split('write?')[1];
    const look = () => /\\bThe\\b/.test(said()) && done(Date.now());
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true}); })"""


@contextmanager
def page(engine: str) -> Iterator[str]:
    """A page on this engine, in a process of its own that ends with this; yields its address."""
    port = free_port()
    command = [sys.executable, "-m", "chat", "chat", "--engine", engine, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603  # a command of our own
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + START_SECONDS
            while not up(url):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the page did not start: {' '.join(command)}")
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()


def visit(url: str, number: int) -> float:
    """Seconds from a visitor's question to the end of the reply on the page; it must be complete."""
    began = time.perf_counter()
    said = ask_page(url, f"What did council {number} write?")
    took = time.perf_counter() - began
    sentences = said.rpartition("data: ")[2].count(" wrote its report.")  # in the last view alone
    if sentences < TOKENS // 10:
        raise AssertionError(f"visitor {number} got {sentences} sentences of {TOKENS // 10}")
    return took


def first_words(url: str, server: PacedServer) -> list[float]:
    """Milliseconds from the server's first token to the first words in a browser; nothing where there is none."""
    browser_path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return []
    if browser_path is None:
        return []
    late = []
    with sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=browser_path, args=FLAGS)
        for _ in range(LOOKS):
            tab = browser.new_page()
            tab.goto(url)
            tab.wait_for_selector(".un-flag--idle")
            before = len(server.began)
            tab.fill("#question textarea", "What did the council write?")
            tab.keyboard.press("Enter")
            seen = tab.evaluate(FIRST_WORDS)
            late.append(seen - server.began[before] * 1000)
            tab.close()
        browser.close()
    return late


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m chat.ui.bench", description=__doc__)
    parser.add_argument("--visitors", type=int, nargs="+", default=list(VISITORS))
    args = parser.parse_args(argv)
    server = PacedServer()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with page(f"{server.url}#paced") as url:
        took = in_turn(partial(visit, url), args.visitors)
        late = first_words(url, server)
    print_times(took, "visitors of the page")
    if late:
        print(f"first words in the browser: {median(late):.0f} ms after the server's (slowest {max(late):.0f})")
    server.shutdown()


if __name__ == "__main__":
    main()
