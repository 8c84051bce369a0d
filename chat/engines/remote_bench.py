"""What one page process carries on a remote engine: `python -m chat.engines.remote_bench`.

A server of its own on this machine sends tokens at a fixed pace, so that it is not the limit. The same stream, watched
with all detectors, is timed for one visitor alone and for many at once, in turn; and how soon the server sees that a
visitor has gone.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median

from chat.engines.remote import RemoteEngine
from chat.engines.types import Options
from chat.session import watch
from detectors import Turn, default_detectors

TOKENS, PACE = 200, 30.0  # of one reply, and in a second
VISITORS = (1, 16, 32)
ROUNDS = 3
WORDS = ("The", " council", " met", " in", " spring", " and", " wrote", " its", " report", ".")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


class PacedServer(ThreadingHTTPServer):
    """Sends a reply token by token.

    `left` are the times at which it saw a client go, `began` those of each first token, in seconds since 1970.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        self.left: list[float] = []
        self.began: list[float] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """The base of its API."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        models = json.dumps({"data": [{"id": "paced"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(models)))
        self.end_headers()
        self.wfile.write(models)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = True
        server: PacedServer = self.server  # type: ignore[assignment]
        began = time.monotonic()
        try:
            self.wfile.write(HEAD)
            server.began.append(time.time())
            for number in range(TOKENS):
                self._send({"content": WORDS[number % len(WORDS)]}, None)
                # To a timetable: what a slow client costs is not passed on.
                self.connection.settimeout(max(0.001, began + (number + 1) / PACE - time.monotonic()))
                try:
                    if not self.connection.recv(1):
                        raise ConnectionResetError
                except TimeoutError:
                    self.connection.settimeout(None)
            self._send({}, "stop")
        except OSError:
            server.left.append(time.monotonic())

    def _send(self, delta: dict[str, str], reason: str | None) -> None:
        event = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")

    def log_message(self, *_: object) -> None:
        pass


def visit(url: str, number: int) -> float:
    """Seconds that one watched stream takes; it must be complete."""
    began = time.perf_counter()
    for update in watch(
        RemoteEngine(url, "paced"), Turn(f"What did council {number} write?"), Options(max_tokens=10**6)
    ):
        last = update
    took = time.perf_counter() - began
    expected = "".join(WORDS[at % len(WORDS)] for at in range(TOKENS))
    if last.reply.text != expected:
        raise AssertionError(f"visitor {number} got {len(last.reply.text)} of {len(expected)} characters")
    return took


def leave(server: PacedServer) -> float:
    """Milliseconds from closing a stream to the server's seeing it."""
    stream = RemoteEngine(server.url, "paced").stream(Turn("Why?"), Options())
    for chunk in stream:
        if chunk.text:
            break
    before, began = len(server.left), time.monotonic()
    stream.close()  # type: ignore[attr-defined]
    while len(server.left) == before:
        time.sleep(0.001)
    return (server.left[-1] - began) * 1000


def in_turn(visit: Callable[[int], float], counts: Sequence[int]) -> dict[int, list[float]]:
    """How long each of so many visitors took who came at once; the counts take turns, and `visit` is given a number."""
    took: dict[int, list[float]] = {count: [] for count in counts}
    visit(0)  # warms up
    for _ in range(ROUNDS):
        for count in counts:
            with ThreadPoolExecutor(count) as pool:
                took[count] += pool.map(visit, range(count))
    return took


def print_times(took: Mapping[int, Sequence[float]], who: str) -> None:
    """Prints the medians and the slowest, and how they compare with the fewest visitors'."""
    alone = median(took[min(took)])
    print(f"{TOKENS} tokens at {PACE:g} a second: {TOKENS / PACE:.2f} s at best")
    for count, seconds in took.items():
        print(
            f"{count:3} {who}: median {median(seconds):.2f} s, slowest {max(seconds):.2f} s "
            f"({median(seconds) / alone:.2f} and {max(seconds) / alone:.2f} times one alone)"
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m chat.engines.remote_bench", description=__doc__)
    parser.add_argument("--visitors", type=int, nargs="+", default=list(VISITORS))
    args = parser.parse_args(argv)
    default_detectors()
    server = PacedServer()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print_times(in_turn(partial(visit, server.url), args.visitors), "at once")
    gone = [leave(server) for _ in range(10)]
    print(f"closed: the server sees it after {median(gone):.0f} ms (slowest of 10: {max(gone):.0f} ms)")
    server.shutdown()


if __name__ == "__main__":
    main()
