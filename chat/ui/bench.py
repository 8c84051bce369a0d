"""What one page process carries, Gradio and all: `python -m chat.ui.bench` prints medians.

A server sends tokens at a fixed pace, so that it is not the limit, and the page runs in a process of its own. Visitors
it over HTTP as its script does, one alone and many at once, in turn. Where there are playwright and a Chromium, a
browser tells how soon the first words are on the page after the server has sent them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

from chat.engines.remote_bench import PACE, TOKENS, PacedServer

VISITORS = (1, 16)
ROUNDS = 3
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "chat", "chat", "--engine", engine, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603  # a command of our own
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + START_SECONDS
            while not _config(url):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the page did not start: {' '.join(command)}")
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()


def _config(url: str) -> Any:
    try:
        with urllib.request.urlopen(f"{url}/config", timeout=30) as answer:  # noqa: S310  # an address of our own
            return json.load(answer)
    except urllib.error.URLError:
        return None


def visit(url: str, number: int) -> float:
    """Seconds from a visitor's question to the end of the reply on the page; it must be complete."""
    config = _config(url)
    parts = {part["id"]: part["props"] for part in config["components"]}
    box = next(id_ for id_, props in parts.items() if props.get("elem_id") == "question")
    asking = next(d for d in config["dependencies"] if [box, "submit"] in [list(t) for t in d["targets"]])
    data = [f"What did council {number} write?", *(parts[id_].get("value") for id_ in asking["inputs"][1:])]
    session = f"visitor-{number}-{time.monotonic_ns()}"
    body = {"fn_index": asking["id"], "data": data, "session_hash": session, "trigger_id": box}
    headers = {"Content-Type": "application/json"}
    began = time.perf_counter()
    joined = urllib.request.Request(f"{url}/gradio_api/queue/join", json.dumps(body).encode(), headers)  # noqa: S310
    urllib.request.urlopen(joined, timeout=60).close()  # noqa: S310
    said = b""
    with urllib.request.urlopen(f"{url}/gradio_api/queue/data?session_hash={session}", timeout=600) as events:  # noqa: S310
        for line in events:
            said = line if b"process_completed" in line else said
            if said:
                break
    took = time.perf_counter() - began
    if said.count(b" wrote its report.") < TOKENS // 10:
        raise AssertionError(f"visitor {number} got {said.count(b' wrote its report.')} sentences of {TOKENS // 10}")
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
    took: dict[int, list[float]] = {count: [] for count in args.visitors}
    with page(f"{server.url}#paced") as url:
        visit(url, 0)  # warms up
        for _ in range(ROUNDS):
            for count in args.visitors:
                with ThreadPoolExecutor(count) as pool:
                    took[count] += pool.map(partial(visit, url), range(count))
        late = first_words(url, server)
    alone = median(took[min(took)])
    print(f"{TOKENS} tokens at {PACE:g} a second: {TOKENS / PACE:.2f} s at best")
    for count, seconds in took.items():
        print(
            f"{count:3} visitors of the page: median {median(seconds):.2f} s, slowest {max(seconds):.2f} s "
            f"({median(seconds) / alone:.2f} and {max(seconds) / alone:.2f} times one alone)"
        )
    if late:
        print(f"first words in the browser: {median(late):.0f} ms after the server's (slowest {max(late):.0f})")
    server.shutdown()


if __name__ == "__main__":
    main()
