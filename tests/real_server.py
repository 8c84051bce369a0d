"""Starts a real server of language models for the tests, and ends it by its process id."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chat.engines.server import list_models
from chat.errors import LoadError

START_SECONDS = 120.0


@dataclass(frozen=True)
class Serving:
    """A running server, and the name it has for its model."""

    url: str
    model: str


@contextmanager
def running(command: Sequence[str], url: str, log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """The command's server, once it lists its models; its output goes to the log."""
    with log.open("wb") as out:
        everything = {**os.environ, **environment}
        with subprocess.Popen(command, stdout=out, stderr=out, env=everything) as process:
            try:
                _wait(url, process, log)
                yield
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            text = log.read_text(errors="replace")[-1500:]
            if "serving" in text and "install" in text:
                pytest.skip(f"the server lacks a package: {text.strip().splitlines()[-1]}")
            raise AssertionError(text)
        try:
            list_models(url)
        except LoadError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(log.read_text(errors="replace")[-1500:])
