"""Fetching what is needed of a model's repository into the cache, with its progress, until it is told to stop."""

from __future__ import annotations

import glob
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat.engines.hub import WEIGHTS, Hub, Repository, explained
from chat.engines.progress import Cancelled, Progress

LOOK_SECONDS = 0.2  # how soon a download by Xet notices that nobody wants it any more


def fetch(repository: Repository, hub: Hub, *, weights: bool | None = None, progress: Progress | None = None) -> Path:
    """The repository's folder in the cache, after downloading what it lacks.

    With `weights` True or False it is only those, or only what else there is: the small files.

    Raises `LoadError`, and `Cancelled` where the progress was.
    """
    from huggingface_hub import snapshot_download

    names = [file.name for file in repository.files if weights in (None, file.name.endswith(WEIGHTS))]
    expected = sum(file.size for file in repository.files if file.name in names and not file.cached)
    progress = progress or Progress()
    endings = _XET.endings
    try:
        with _ending_xet(progress):
            folder = snapshot_download(
                repository.source,
                revision=repository.revision,
                endpoint=hub.endpoint,
                token=hub.token,
                cache_dir=hub.folder,
                allow_patterns=[glob.escape(name) for name in names],
                tqdm_class=_meter(progress, expected),
            )
    except (KeyboardInterrupt, Exception) as error:  # where Xet was ended it raises one or the other
        if progress.cancelled:
            raise Cancelled from error
        if _XET.endings > endings:  # for another download
            return fetch(repository, hub, weights=weights, progress=progress)
        if isinstance(error, KeyboardInterrupt):
            raise
        raise explained(error, repository.source, hub) from error
    return Path(folder)


@dataclass
class _Xet:
    """How often Xet was ended, for all downloads in this process."""

    endings: int = 0


_XET = _Xet()


@contextmanager
def _ending_xet(progress: Progress) -> Iterator[None]:
    """Ends what Xet downloads inside once the progress is cancelled: it swallows what a meter raises.

    It can only be ended for the whole process, again and again while other files of a repository begin.
    """
    from huggingface_hub.utils._xet import abort_xet_session

    done = threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_SECONDS):
            if progress.cancelled:
                _XET.endings += 1
                abort_xet_session()  # type: ignore[no-untyped-call, unused-ignore]

    watching = threading.Thread(target=watch, name="unsaid-xet", daemon=True)
    watching.start()
    try:
        yield
    finally:
        done.set()
        watching.join()


def _meter(progress: Progress, expected: int) -> Any:
    """A class of progress bars that shows nothing and reports the bytes that came to `progress`.

    huggingface_hub makes several bars of it, which count bytes from the network, bytes on disk and files; the first two
    end at the same sum, and whichever is ahead tells how far the download is.
    """
    from tqdm.std import tqdm

    class Meter(tqdm):  # type: ignore[misc, type-arg, unused-ignore]
        def __init__(self, *args: Any, **rest: Any) -> None:
            self._bytes = 0.0 if rest.get("unit") == "B" else None
            super().__init__(*args, **{**rest, "disable": True})

        def update(self, n: float | None = 1) -> None:
            if progress.cancelled and isinstance(threading.current_thread(), threading._DummyThread):
                return  # a thread of Xet's, which only prints what is raised
            if self._bytes is not None and expected:
                self._bytes += n or 0
                progress.report(self._bytes / expected)

    return Meter
