"""Starts the page on this machine."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from chat import catalogue, host, session, zero
from chat.catalogue import Catalogue, Model, preload
from chat.engines.types import Engine
from chat.errors import PortError
from chat.session import Update
from chat.ui.page import build
from chat.ui.theme import look
from detectors import Turn, monitor


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the page listens."""

    host: str = "127.0.0.1"
    port: int = 7860


def serve(
    models: Catalogue,
    address: Address,
    *,
    chosen: str | None = None,
    block: bool = True,
    engine_with: Callable[[Model, str | None], Engine] | None = None,
    watch: Callable[..., Generator[Update, None, None]] = session.watch,
    login: bool = False,
) -> gr.Blocks:
    """Serves the page; returns when it is stopped, or at once where `block` is false. Raises `PortError`."""
    _check_port(address)
    limits = host.load_host(address.host)
    page = build(models, chosen=chosen, engine_with=engine_with, watch=watch, host=limits, login=login)
    for name in (chosen or models.default, models.reference):
        preload(models.find(name))
    # What the first question would wait for: detectors and topics are read from disk.
    threading.Thread(target=monitor, args=(Turn("Hello."),), name="unsaid-detectors", daemon=True).start()
    page.queue(max_size=limits.queue)
    # Before the launch, which does not return; the port is known to be free.
    print(f"Unsaid is at http://{address.host}:{address.port} (Ctrl+C stops it)", flush=True)
    page.launch(
        server_name=address.host,
        server_port=address.port,
        **look(),
        quiet=True,
        ssr_mode=False,
        run_history=False,
        footer_links=["settings"],
        prevent_thread_lock=not block,
        _frontend=False,  # else a start that takes long ends with the advice to share the page in public
    )
    return page


def serve_space(folder: Path) -> gr.Blocks:
    """Serves the page as a Hugging Face Space, whose app.py is in this folder; returns when it is stopped.

    It has the models that run here: all on a GPU, of its own or on ZeroGPU; else those that come with Unsaid, replies
    recorded in `recordings`, and, for visitors who sign in, those that Inference Providers serve.
    """
    gpu, login = host.has_gpu(), host.can_log_in()
    models = host.models_here(catalogue.load_catalogue(), gpu=gpu, login=login, recordings=folder / host.RECORDINGS)
    everywhere = "0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1"  # noqa: S104  # a Space's own container
    address = Address(
        host=os.environ.get("GRADIO_SERVER_NAME", everywhere), port=int(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    )
    return serve(models, address, engine_with=host.engine_for, watch=zero.watch, login=login)


def _check_port(address: Address) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise PortError(
                f"Port {address.port} on {address.host} cannot be used ({error.strerror}). "
                f"Choose another: unsaid chat --port {address.port + 1}"
            ) from error
