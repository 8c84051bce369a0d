"""Starts the page on this machine."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass

import gradio as gr

from chat.catalogue import Catalogue, preload
from chat.errors import PortError
from chat.ui.page import build
from chat.ui.theme import look
from detectors import default_detectors


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the page listens."""

    host: str = "127.0.0.1"
    port: int = 7860


def serve(models: Catalogue, address: Address, *, chosen: str | None = None, block: bool = True) -> gr.Blocks:
    """Serves the page; returns when it is stopped, or at once where `block` is false. Raises `PortError`."""
    _check_port(address)
    page = build(models, chosen=chosen)
    for name in (chosen or models.default, models.reference):
        preload(models.find(name))
    threading.Thread(target=default_detectors, name="unsaid-detectors", daemon=True).start()
    page.queue(max_size=256)
    page.launch(
        server_name=address.host,
        server_port=address.port,
        **look(),
        quiet=True,
        ssr_mode=False,
        run_history=False,
        footer_links=["settings"],
        prevent_thread_lock=not block,
    )
    return page


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
