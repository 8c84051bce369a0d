"""Unsaid's chat: runs models, watches their replies, and shows both."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("unsaid")
except PackageNotFoundError:  # run from a folder that was not installed
    __version__ = "0+unknown"
