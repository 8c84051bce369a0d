"""Reads `configs/*.toml` into frozen dataclasses, strictly: an unknown key is an error with a suggestion."""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from detectors.errors import ConfigError

CONFIGS_VARIABLE = "UNSAID_CONFIGS"
WEIGHTS = Path(__file__).with_name("weights")  # what was learned: the classifier's, and the topics'

T = TypeVar("T")


def config_dir() -> Path:
    """The folder of configuration files: `$UNSAID_CONFIGS`, else the wheel's, else the checkout's."""
    chosen = os.environ.get(CONFIGS_VARIABLE)
    if chosen:
        return Path(chosen)
    installed = Path(__file__).with_name("configs")
    return installed if installed.is_dir() else Path(__file__).parent.parent / "configs"


def read(name: str, shape: type[T], *, path: Path | None = None) -> T:
    """`configs/<name>.toml` (or the file at `path`) as an instance of the dataclass `shape`.

    Raises `ConfigError`, naming the file, the place in it and the remedy.
    """
    # Imported here because `import detectors` is to stay light.
    from pydantic import TypeAdapter, ValidationError

    file = path or config_dir() / f"{name}.toml"
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))  # some editors write a byte order mark
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"{file}: no such file. Set {CONFIGS_VARIABLE} to the folder that has it.") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}. Make it a file that you may read.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not valid TOML: {error}. Correct that line.") from error
    for where, key, known in _unknown_keys(data, shape):
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(sorted(known))}."
        raise ConfigError(f"{file}: unknown key {where + key!r}. {hint}")
    try:
        return TypeAdapter(shape).validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        got = "" if first["type"] == "missing" else f" (it is {first['input']!r})"
        raise ConfigError(f"{file}: {place}: {first['msg']}{got}.") from error


def _unknown_keys(data: object, shape: Any, where: str = "") -> Iterator[tuple[str, str, list[str]]]:
    """(place, key, keys known there) of every key that the dataclass at that place does not have."""
    if isinstance(data, list):
        inner = next((arg for arg in get_args(shape) if arg is not Ellipsis), None)
        for index, item in enumerate(data):
            yield from _unknown_keys(item, inner, f"{where.rstrip('.')}[{index}].")
    if not isinstance(data, dict):
        return
    shape = next((arg for arg in (shape, *get_args(shape)) if dataclasses.is_dataclass(arg)), None)
    if shape is None:
        return
    hints = get_type_hints(shape)
    for key, value in data.items():
        if key not in hints:
            yield where, key, list(hints)
        else:
            yield from _unknown_keys(value, hints[key], f"{where}{key}.")
