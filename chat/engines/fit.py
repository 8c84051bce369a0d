"""Does a model fit this machine? Asked before anything is downloaded or loaded.

A model takes its parameters, each as large as the type they are held in, and a fifth more for what replies are worked
out with; the figures are estimates, on the safe side.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat.engines.hub import WEIGHTS, Hub, Repository, disk_full, look_up
from chat.errors import LoadError

OVERHEAD = 1.2  # activations, the memory of the conversation, and what the allocator keeps
BESIDES = 200_000_000  # bytes; the tokenizer and what torch sets up once
# Bytes a parameter takes; bitsandbytes leaves embeddings and norms at 16 bits, hence more than a half and one.
BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "8bit": 1.1, "4bit": 0.65}
# safetensors' names of types, with the bytes of one value.
_TYPES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_FLOATS = {"F64": "float32", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
# Smaller models to name where one does not fit, with the parameters that their model cards give.
SMALLER = {
    "Qwen/Qwen2.5-0.5B-Instruct": 490_000_000,
    "Qwen/Qwen2.5-1.5B-Instruct": 1_540_000_000,
    "Qwen/Qwen2.5-3B-Instruct": 3_090_000_000,
    "Qwen/Qwen2.5-7B-Instruct": 7_610_000_000,
    "Qwen/Qwen2.5-14B-Instruct": 14_700_000_000,
    "Qwen/Qwen2.5-32B-Instruct": 32_500_000_000,
}


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a model takes. `parameters` are those saved as floating point, most of them as `dtype`.

    `packed_bytes` is what the others take, such as the weights of a model that was saved quantised.
    """

    source: str
    parameters: int
    dtype: str
    weights_bytes: int
    download_bytes: int = 0
    packed_bytes: int = 0

    def memory_bytes(self, held_as: str) -> int:
        """About how much memory replies take with the parameters held as one of `BYTES`."""
        return round((self.parameters * BYTES[held_as] + self.packed_bytes) * OVERHEAD) + BESIDES


@dataclass(frozen=True, kw_only=True)
class Room:
    """What is free: memory where the model would run (`device` is cuda, mps or cpu) and disk where it would be kept.

    `fast_bfloat16` is whether the processor multiplies bfloat16 at least as fast as float32.
    """

    device: str
    memory_bytes: int
    disk_bytes: int
    fast_bfloat16: bool = False


def requirements(source: str | Path, revision: str | None = None, *, hub: Hub | None = None) -> Needs:
    """What the model in a folder or on the Hub takes, without loading or downloading it. Raises `LoadError`."""
    if Path(source).is_dir():
        return of_folder(Path(source))
    found = look_up(str(source), revision, hub or Hub())
    return of_folder(found, source=str(source)) if isinstance(found, Path) else of_repository(found)


def of_repository(repository: Repository) -> Needs:
    """What the model of a repository takes, by its metadata."""
    # The Hub does not count every repository's parameters; by far the most weights are 16 bits.
    counts = repository.parameters or {"BF16": repository.weights_bytes // 2}
    return _needs(
        repository.source, counts, weights_bytes=repository.weights_bytes, download_bytes=repository.download_bytes
    )


def of_folder(folder: Path, *, source: str = "") -> Needs:
    """What the model in a folder takes, by the headers of its weights. Raises `LoadError` for damaged ones.

    Weights in another format count as 16 bits each.
    """
    source = source or str(folder)
    counts: dict[str, int] = {}
    files = _weight_files(folder)
    for file in files:
        for name, tensor in _header(file, source).items():
            if name != "__metadata__":
                counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + math.prod(tensor["shape"])
    if not files:
        files = list(folder.glob("*.bin"))
        counts["F16"] = sum(file.stat().st_size for file in files) // 2
    return _needs(source, counts, weights_bytes=sum(file.stat().st_size for file in files))


def room(hub: Hub | None = None, *, device: str = "cpu") -> Room:
    """What is free on this machine now: memory of that device, and disk."""
    import torch

    memory = free_memory()
    if device == "cuda":
        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # by torch, for what comes next
        memory = torch.cuda.mem_get_info()[0] + kept
    elif device == "mps":  # shares the machine's memory, up to a limit of its own
        memory = min(memory, torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    folder = (hub or Hub()).folder
    while not folder.exists():  # the cache may not have been used yet
        folder = folder.parent
    return Room(
        device=device,
        memory_bytes=memory,
        disk_bytes=shutil.disk_usage(folder).free,
        fast_bfloat16=_fast_bfloat16(),
    )


def held_as(needs: Needs, room: Room, quantization: str | None = None) -> str:
    """How to hold the parameters here: one of `BYTES`.

    On a GPU as they were saved, and those saved as float32 as bfloat16: GPUs are made for 16 bits. On a CPU as float32,
    which is exact and everywhere fast, with two exceptions. What was saved as bfloat16 stays so where the processor is
    fast at it: nothing is lost and half the memory is read for each token. And where float32 would not fit, 16 bits are
    better than no reply. float16 becomes bfloat16 nowhere, as that would drop digits.
    """
    if quantization:
        return quantization
    half = "bfloat16" if needs.dtype == "float32" else needs.dtype
    if room.device != "cpu":
        return half
    if needs.dtype == "bfloat16" and room.fast_bfloat16:
        return half
    return "float32" if needs.memory_bytes("float32") <= room.memory_bytes else half


def check(needs: Needs, room: Room, *, quantization: str | None = None, hub: Hub | None = None) -> None:
    """Raises `LoadError` where the model does not fit the memory or the disk, with what would fit."""
    if needs.download_bytes > room.disk_bytes:
        raise disk_full(
            needs.source, hub or Hub(), need=gigabytes(needs.download_bytes), have=gigabytes(room.disk_bytes)
        )
    held = held_as(needs, room, quantization)
    if (need := needs.memory_bytes(held)) > room.memory_bytes:
        where = "this machine" if room.device == "cpu" else "the graphics processor"
        raise LoadError(
            f"{needs.source} needs about {gigabytes(need)} of memory as {held}; {where} has "
            f"{gigabytes(room.memory_bytes)} free. {_instead(needs, room)} it on a server: --engine http://..."
        )


def gigabytes(size: int) -> str:
    """A size in bytes for the reader."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.0f} MB"


def free_memory() -> int:
    """Bytes of main memory that programs may still take, within what this process's container may use."""
    try:
        if sys.platform == "darwin":
            return _free_on_mac()
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
        return min([free, *_free_in_container()])
    except (OSError, KeyError, ValueError, subprocess.SubprocessError):
        pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in os.sysconf_names else "SC_PHYS_PAGES"
        return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")


def _free_in_container() -> list[int]:
    for limit, used, stat in (
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ):
        folder = Path("/sys/fs/cgroup")
        try:
            most = (folder / limit).read_text("ascii").strip()
            taken = int((folder / used).read_text("ascii"))
            stats = dict(line.split() for line in (folder / stat).read_text("ascii").splitlines())
        except (OSError, ValueError):
            continue
        # Files that were read stay in memory until it is needed for something else.
        return [] if most == "max" else [int(most) - taken + int(stats.get("inactive_file", 0))]
    return []


def _free_on_mac() -> int:
    told = subprocess.run(["/usr/bin/vm_stat"], capture_output=True, text=True, check=True, timeout=5).stdout
    size = int(told.split("page size of")[1].split()[0])
    pages = dict(line.rstrip(".").split(":", 1) for line in told.splitlines()[1:] if ":" in line)
    return size * sum(int(pages[f"Pages {kind}"]) for kind in ("free", "inactive", "speculative", "purgeable"))


def _fast_bfloat16() -> bool:
    import torch

    try:
        able = torch.cpu.get_capabilities()
    except (AttributeError, RuntimeError):  # older torch
        return False
    # The last is what it is called on ARM.
    return any(able.get(flag, False) for flag in ("amx_bf16", "avx512_bf16", "bf16"))


def _needs(source: str, counts: Mapping[str, int], *, weights_bytes: int, download_bytes: int = 0) -> Needs:
    floats = {kind: count for kind, count in counts.items() if kind in _FLOATS}
    most = max(floats, key=lambda kind: floats[kind], default="BF16")
    return Needs(
        source=source,
        parameters=sum(floats.values()),
        dtype=_FLOATS[most],
        weights_bytes=weights_bytes,
        download_bytes=download_bytes,
        # Types that are not in the table are of at most a byte: float8 and smaller.
        packed_bytes=sum(count * _TYPES.get(kind, 1) for kind, count in counts.items() if kind not in _FLOATS),
    )


def _weight_files(folder: Path) -> list[Path]:
    """The files that transformers would read: the whole, or the shards that the index names."""
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_text("utf-8"))
        return sorted({folder / str(name) for name in index["weight_map"].values() if (folder / str(name)).is_file()})
    except (OSError, ValueError, KeyError, AttributeError):
        return sorted(folder.glob(f"*{WEIGHTS}"))


def _header(file: Path, source: str) -> dict[str, Any]:
    """A safetensors file begins with the length of its header, 8 bytes, and the header, in JSON."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 0 < length < file.stat().st_size:
                raise ValueError(f"a header of {length:,} bytes")
            header = json.loads(stream.read(length))
        if not isinstance(header, dict):
            raise ValueError("a header that is no table")
        return header
    except (OSError, ValueError) as error:
        raise LoadError(
            f"{source} could not be loaded: {file.name} is no safetensors file ({error}). "
            "If its files were copied or downloaded in part, fetch them again."
        ) from error


def _instead(needs: Needs, room: Room) -> str:
    fitting = [
        name
        for name, count in SMALLER.items()
        if name != needs.source
        and Needs(source=name, parameters=count, dtype="bfloat16", weights_bytes=2 * count).memory_bytes("bfloat16")
        <= room.memory_bytes
    ]
    return f"{fitting[-1]} would fit; or run" if fitting else "Free some memory, or run"
