"""An OpenAI-compatible server with bad habits, one for each model name, for what real servers seldom do on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REPLY = "Paris has been the capital of France for centuries. It lies on the Seine."
THOUGHT = "The question is about a city."


@dataclass
class FakeServer:
    """The server: of requests `asked` are the bodies, `keys` and `paths`; `left` is when clients went away."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    models: list[str] = field(default_factory=lambda: ["plain"])
    listing: tuple[int, Any] | None = None  # status and body in the place of the list of models
    drip: float = 0.0  # seconds between the bytes of that list
    failures: dict[str, int] = field(default_factory=dict)  # model -> requests that still fail
    went: threading.Event = field(default_factory=threading.Event)


def event(text: str | None = None, *, finish: str | None = None, **delta: Any) -> bytes:
    """One event of a stream."""
    content = {} if text is None else {"content": text}
    data = {"choices": [{"index": 0, "delta": {**content, **delta}, "finish_reason": finish}]}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def words(text: str) -> list[bytes]:
    """The text as events, a word each."""
    return [event(word) for word in text.replace(" ", " \0").split("\0")]


STOP, DONE = event(finish="stop"), b"data: [DONE]\n\n"
WHOLE = {"choices": [{"message": {"content": REPLY, "reasoning": THOUGHT}, "finish_reason": "length"}]}
FOREVER = 60.0  # seconds; longer than any test waits
Step = bytes | float | None  # something to send, seconds to wait, or None: cut the connection


def endless() -> Iterator[Step]:
    """More and more."""
    for number in range(100_000):
        yield event(f"{number} ")


SCRIPTS: dict[str, Callable[[], Any]] = {
    "plain": lambda: [*words(REPLY), STOP, DONE],
    "reasoning": lambda: [event(reasoning=THOUGHT), *words(REPLY), STOP, DONE],
    "reasoning_content": lambda: [event(reasoning_content=THOUGHT, content=None), *words(REPLY), STOP, DONE],
    "thinking": lambda: [event(thinking=THOUGHT), *words(REPLY), STOP, DONE],
    "tags": lambda: [event("<thi"), event(f"nk>{THOUGHT}</th"), event("ink>"), *words(REPLY), STOP, DONE],
    "parts": lambda: [event([{"type": "text", "text": REPLY}]), STOP, DONE],  # type: ignore[arg-type]
    "refusal": lambda: [event(refusal="I cannot help with that."), STOP, DONE],
    "usage": lambda: [*words(REPLY), STOP, b'data: {"choices": [], "usage": {"total_tokens": 9}}\n\n', DONE],
    "no-done": lambda: [*words(REPLY), STOP],
    "comments": lambda: [b": still here\n\n", *words(REPLY), STOP, DONE],
    "length": lambda: [*words(REPLY), event(finish="length"), DONE],
    "filtered": lambda: [event("The events of 1989 "), event(finish="content_filter"), DONE],
    "no-reason": lambda: [*words(REPLY), DONE],
    "wordless": lambda: [DONE],
    "dropped": lambda: [event("Paris has been "), 0.05, None],
    "hang-up": lambda: [None],
    "malformed": lambda: [event("Paris "), b"data: {not json}\n\n", DONE],
    "not-utf8": lambda: [event("Paris "), b"data: \xff\xfe\n\n", DONE],
    "error": lambda: [event("Paris "), b'data: {"error": {"message": "out of memory", "code": 500}}\n\n', DONE],
    "separator": lambda: [b'data: {"choices": [{"delta": {"content": "one\xe2\x80\xa8two"}}]}\n\n', DONE],
    "spaceless": lambda: [step.replace(b": ", b":") for step in (*words(REPLY), DONE)],
    "mark": lambda: [b"\xef\xbb\xbf", *words(REPLY), STOP, DONE],
    "whole": lambda: [json.dumps(WHOLE).encode()],
    "page": lambda: [b"<!DOCTYPE html><title>Sign in</title>"],
    "closed": lambda: words(REPLY),
    "stopped-after-filter": lambda: [event("The events "), event(finish="content_filter"), STOP, DONE],
    "unwell": lambda: [event("Paris "), event(finish="network_error"), DONE],
    "filtered-error": lambda: [event("The events "), b'data: {"error": {"code": "data_inspection_failed"}}\n\n'],
    "in-turns": lambda: [event(reasoning=THOUGHT), *words(REPLY), event(reasoning=THOUGHT), *words(REPLY), STOP, DONE],
    "large": lambda: [event("word " * 200_000), STOP, DONE],
    "slow": lambda: [0.5, *words(REPLY), STOP, DONE],
    "silent": lambda: [FOREVER],
    "stalled": lambda: [event("Paris "), FOREVER],
    "paced": lambda: [step for word in words(REPLY * 3) for step in (word, 0.02)] + [STOP, DONE],
    "endless": endless,
    "busy": lambda: [*words(REPLY), STOP, DONE],
    "starting": lambda: [*words(REPLY), STOP, DONE],
}
STATUS = {"busy": 429, "starting": 503, "locked": 401, "forbidden": 403, "wrong": 400, "poor": 402, "broken": 500}
# Models that are refused with this status and body, each time.
REFUSED: dict[str, tuple[int, Any]] = {
    "azure": (400, {"error": {"code": "content_filter", "message": "filtered"}}),
    "forbidden-by-filter": (403, {"error": {"type": "content_filter"}}),
    "filter-is-down": (503, {"error": {"code": "content_filter"}}),
    "too-long": (400, {"error": {"code": "context_length_exceeded", "message": "too long for the content filter"}}),
    "listed-key": (401, [{"error": {"message": "no key"}}]),
    "listed-busy": (503, [{"error": {"message": "busy"}}]),
    "text": (401, "no key"),
    "number": (401, 7),
    "repeating": (401, {"error": {"message": "Invalid token passed: Bearer sk-host-secret"}}),
    "null": (401, None),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeServer

    def do_GET(self) -> None:
        listed = {"data": [{"id": model, "object": "model"} for model in self.fake.models]}
        self._answer(*(self.fake.listing or (200 if self.path == "/v1/models" else 404, listed)))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.fake.asked.append(body)
        self.fake.keys.append(self.headers.get("Authorization"))
        self.fake.paths.append(self.path)
        model = body["model"]
        if model in REFUSED:
            self._answer(*REFUSED[model], {"Retry-After": "0.1"})
        elif self.fake.failures.get(model, 10**9 if model in STATUS else 0) > 0:
            self.fake.failures[model] = self.fake.failures.get(model, 10**9) - 1
            self._answer(STATUS.get(model, 500), {"error": {"message": f"{model} it is"}}, {"Retry-After": "0.1"})
        elif model not in SCRIPTS:
            self._answer(404, {"error": {"message": f"The model {model} does not exist"}})
        else:
            self._play(SCRIPTS[model]())

    def _answer(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for byte in body if self.fake.drip else ():
                self.wfile.write(bytes([byte]))
                time.sleep(self.fake.drip)
            self.wfile.write(b"" if self.fake.drip else body)
        except OSError:
            self._gone()

    def _play(self, steps: Any) -> None:
        self.close_connection = True
        begun = False
        try:
            for step in steps:
                if isinstance(step, float):
                    self._wait(step)
                    continue
                if step is None:
                    return
                if not begun:
                    self.send_response(200)
                    self.send_header("Content-Type", "text/event-stream")
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    begun = True
                self.wfile.write(b"%x\r\n%s\r\n" % (len(step), step))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self._gone()

    def _wait(self, seconds: float) -> None:
        """Waits, and sees whether the client goes away meanwhile."""
        self.connection.settimeout(seconds)
        try:
            if not self.connection.recv(1):
                raise ConnectionResetError
        except TimeoutError:
            pass

    def _gone(self) -> None:
        self.fake.left.append(time.monotonic())
        self.fake.went.set()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def fake_server() -> Iterator[FakeServer]:
    """A running server on a port of its own, ended afterwards."""
    fake = FakeServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
