"""A page on a public host, for tests: each reply says which model was asked, with how many tokens and whose token."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from chat.catalogue import Model, load_catalogue
from chat.engines.types import Chunk, Engine, Options
from chat.host import Host
from chat.ui.page import build
from detectors import Outcome, Turn


class Telling:
    """Tells what it was asked with."""

    def __init__(self, model: Model, token: str | None) -> None:
        self.name, self.token = model.name, token

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """One chunk."""
        said = f"I am {self.name}, asked for {options.max_tokens} tokens by {self.token or 'nobody'}."
        yield Chunk(text=said, outcome=Outcome.COMPLETE)


def engine_with(model: Model, token: str | None) -> Engine:
    """An engine that tells."""
    return Telling(model, token)


if __name__ == "__main__":
    page = build(load_catalogue(), engine_with=engine_with, host=Host(public=True, max_tokens=100))
    page.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True, ssr_mode=False, run_history=False)
