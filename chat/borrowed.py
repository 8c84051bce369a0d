"""A GPU that is there only within calls, as on ZeroGPU, and how such a call is made."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

VARIABLE = "SPACES_ZERO_GPU"  # set by the platform

P = ParamSpec("P")
R = TypeVar("R")


def available() -> bool:
    """Whether this is a Space on ZeroGPU that has the package `spaces`."""
    on = os.environ.get(VARIABLE, "").lower() in ("1", "t", "true")
    return on and importlib.util.find_spec("spaces") is not None


def gpu(task: Callable[P, R], *, duration: Callable[P, int]) -> Callable[P, R]:
    """`spaces.GPU` on ZeroGPU, with the seconds that `duration` makes of the arguments; elsewhere the task itself."""
    if not available():
        return task
    decorated: Callable[P, R] = importlib.import_module("spaces").GPU(task, duration=duration)
    return decorated
