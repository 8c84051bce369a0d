"""A small Hugging Face Hub on this machine, for huggingface_hub's real client to talk to."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import unquote, urlsplit

from chat.engines.hub import Hub

PIECE = 1 << 20
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_theright" + "token"
ID = "tiny/teller"  # of the model that most tests download
_API = re.compile(r"/api/models/(?P<id>[^/]+/[^/]+)(/revision/(?P<revision>[^/]+)|/tree/(?P<tree>[^/]+))?")
_FILE = re.compile(r"/(?P<id>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>.+)")


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A repository: its files' folder, and who may read it. `claimed` bytes are what its weights are said to be."""

    folder: Path
    gated: bool = False
    private: bool = False
    claimed: int | None = None

    def files(self) -> list[Path]:
        """Every file, by name."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


@dataclass
class FakeHub:
    """What the Hub has, and what happened to it: `served` counts bytes by file name, `asked` lists paths.

    `status` makes it answer everything with that; `pause` is seconds before each MiB of a file. With `xet`, weights are
    to be had by Xet alone, whose server never answers.
    """

    shelves: dict[str, Shelf] = field(default_factory=dict)
    served: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    members: frozenset[str] = frozenset()
    status: int | None = None
    pause: float = 0.0
    xet: bool = False
    endpoint: str = ""

    def hub(self, cache: Path, *, token: str | Literal[False] = False) -> Hub:
        """How the engine finds this Hub, with a cache of its own."""
        return Hub(endpoint=self.endpoint, cache=cache, token=token)


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """The Hub, listening on a port of its own of the loopback address."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="fake-hub", kwargs={"poll_interval": 0.01})
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[FakeHub]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(path)
        if self.hub.status is not None:
            return self._refuse(self.hub.status)
        if path.startswith("/xet"):
            return self._xet(path)
        token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        if token and token not in (TOKEN, *self.hub.members):
            return self._refuse(401, message="Invalid credentials in Authorization header")
        if match := _FILE.fullmatch(path):
            return self._file(match["id"], match["revision"], match["name"], token)
        if match := _API.fullmatch(path):
            return self._about(match["id"], match["revision"], match["tree"], token)
        return self._refuse(404)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _shelf(self, name: str, revision: str | None, token: str) -> Shelf | None:
        shelf = self.hub.shelves.get(name)
        if shelf is None or (shelf.private and not token):
            # Of what it does not show, the Hub does not say whether it exists.
            self._refuse(404 if token else 401, code="RepoNotFound", message="Repository not found")
            return None
        if revision not in (None, "main", COMMIT):
            self._refuse(404, code="RevisionNotFound", message=f"Invalid rev id: {revision}")
            return None
        return shelf

    def _about(self, name: str, revision: str | None, tree: str | None, token: str) -> None:
        shelf = self._shelf(name, revision or tree, token)
        if shelf is None:
            return
        files = [(str(path.relative_to(shelf.folder)), self._size(shelf, path), _etag(path)) for path in shelf.files()]
        if tree:
            self._json([{"type": "file", "path": path, "size": size, "oid": etag} for path, size, etag in files])
        else:
            siblings = [{"rfilename": path, "size": size, "blobId": etag} for path, size, etag in files]
            about: dict[str, Any] = {"id": name, "sha": COMMIT, "gated": "manual" if shelf.gated else False}
            if shelf.claimed is not None:
                about["safetensors"] = {"parameters": {"BF16": shelf.claimed // 2}, "total": shelf.claimed // 2}
            self._json({**about, "siblings": siblings})

    def _size(self, shelf: Shelf, path: Path) -> int:
        claimed = shelf.claimed if path.suffix == ".safetensors" else None
        return path.stat().st_size if claimed is None else claimed

    def _file(self, name: str, revision: str, file: str, token: str) -> None:
        shelf = self._shelf(name, revision, token)
        if shelf is None:
            return
        if shelf.gated and token not in self.hub.members:
            self._refuse(403 if token else 401, code="GatedRepo", message=f"Access to model {name} is restricted.")
            return
        path = shelf.folder / file
        if not path.is_file():
            self._refuse(404, code="EntryNotFound", message="Entry not found")
            return
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{_etag(path)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(data)))
        if self.hub.xet and file.endswith(".safetensors"):
            self.send_header("X-Xet-Hash", "0" * 63 + "1")
            self.send_header("Link", f'<{self.hub.endpoint}/xet-token>; rel="xet-auth"')
        self.end_headers()
        if self.command == "HEAD":
            return
        for start in range(0, len(data), PIECE):
            time.sleep(self.hub.pause)
            piece = data[start : start + PIECE]
            try:
                self.wfile.write(piece)
            except OSError:  # the client went away
                return
            self.hub.served[file] = self.hub.served.get(file, 0) + len(piece)

    def _xet(self, path: str) -> None:
        if path != "/xet-token":
            time.sleep(30)
        self.send_response(200)
        self.send_header("X-Xet-Cas-Url", f"{self.hub.endpoint}/xet")
        self.send_header("X-Xet-Access-Token", "token")
        self.send_header("X-Xet-Token-Expiration", str(int(time.time()) + 3600))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, status: int, *, code: str = "", message: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if message:
            self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _etag(path: Path) -> str:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()


def shelve(fake: FakeHub, tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Puts a changed copy of the model on the shelf."""
    folder = tmp_path / "shelf"
    shutil.copytree(fake.shelves[ID].folder, folder)
    change(folder)
    fake.shelves[ID] = Shelf(folder=folder)


def padded(size: int) -> Callable[[Path], None]:
    """Adds a file of this size to those that a model needs."""

    def add(folder: Path) -> None:
        (folder / "vocabulary.txt").write_bytes(bytes(size))

    return add
