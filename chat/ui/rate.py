"""How often the replies that are being streamed are shown: the more there are, the less often each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chat.session import Update
from detectors import Flag

# What the page's process may spend on a view, Gradio included. With 32 visitors at 30 tokens a second a reply took 3.4
# times as long as with one when each update was shown, and 1.3 times so (`chat.ui.bench`, on a busy machine).
VIEW_SECONDS = 0.005


class Rate:
    """Shares the time of the page's process among the streams; one that cannot keep up shows every reply late."""

    def __init__(self, each: float = VIEW_SECONDS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._each = each
        self._clock = clock
        self._streams: set[object] = set()

    @contextmanager
    def stream(self) -> Iterator[Callable[[Update], bool]]:
        """For one reply, whether to show an update of it now: at once where a flag has changed, and never the last."""
        mark, shown = object(), -math.inf
        flags: tuple[Flag, Flag | None] | None = None
        self._streams.add(mark)

        def due(update: Update) -> bool:
            nonlocal shown, flags
            now, told = self._clock(), _flags(update)
            if update.final or (told == flags and now - shown < self._each * len(self._streams)):
                return False
            shown, flags = now, told
            return True

        try:
            yield due
        finally:
            self._streams.discard(mark)


def _flags(update: Update) -> tuple[Flag, Flag | None]:
    return update.reply.verdict.flag, update.reference.verdict.flag if update.reference else None
