"""Asks a page what its own script asks it, over HTTP, without its buttons: for benchmarks and tests."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from typing import Any


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def up(url: str) -> bool:
    """Whether the page answers."""
    try:
        with _opened(f"{url}/config", 5) as answer:
            return bool(json.load(answer))
    except (urllib.error.URLError, OSError, ValueError):
        return False


def ask_page(url: str, question: str, *, token: str | None = None, **settings: Any) -> str:
    """What the page says until the question is done with, as JSON; `settings` by the beginning of their label.

    Raises `RuntimeError` where it hangs up before.
    """
    with _opened(f"{url}/config", 30) as answer:
        config = json.load(answer)
    parts = {part["id"]: part["props"] for part in config["components"]}
    box = next(number for number, props in parts.items() if props.get("elem_id") == "question")
    asking = next(d for d in config["dependencies"] if [box, "submit"] in [list(t) for t in d["targets"]])
    values = [parts[number].get("value") for number in asking["inputs"]]
    values[0] = question
    for label, value in settings.items():
        named = label.replace("_", " ")
        values[next(n for n, i in enumerate(asking["inputs"]) if str(parts[i].get("label")).startswith(named))] = value
    visitor = f"visitor{time.monotonic_ns()}"
    body = {"fn_index": asking["id"], "data": values, "session_hash": visitor, "trigger_id": box}
    if token:
        body["oauth_token"] = token
    headers = {"Content-Type": "application/json"}
    _opened(urllib.request.Request(f"{url}/gradio_api/queue/join", json.dumps(body).encode(), headers), 60).close()  # noqa: S310
    said = []
    with _opened(f"{url}/gradio_api/queue/data?session_hash={visitor}", 120) as events:
        for line in events:
            text = line.decode()
            said.append(text)
            if '"process_completed"' in text:
                return "".join(said)
    raise RuntimeError("the page hung up before the question was done with")


def _opened(request: str | urllib.request.Request, seconds: float) -> Any:
    return urllib.request.urlopen(request, timeout=seconds)  # noqa: S310  # of a page that the caller started
