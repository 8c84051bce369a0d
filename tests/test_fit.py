"""What a model takes, what is free, and how its parameters are held."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ask, save_random, text_of

import chat
from chat.engines.fit import Needs, Room, check, gigabytes, held_as, requirements, room
from chat.engines.loading import Source, load, quantization_config
from chat.engines.local import LocalEngine
from chat.engines.progress import Progress
from chat.engines.types import Options
from chat.errors import LoadError

GB = 1_000_000_000
DEMO = Path(chat.__file__).parent / "engines" / "demo" / "open"
QWEN_7B = Needs(
    source="Qwen/Qwen2.5-7B-Instruct", parameters=7_610_000_000, dtype="bfloat16", weights_bytes=15_200_000_000
)


def machine(memory: float, *, device: str = "cpu", disk: float = 1000, fast: bool = False) -> Room:
    """A machine with so many GB free."""
    return Room(device=device, memory_bytes=int(memory * GB), disk_bytes=int(disk * GB), fast_bfloat16=fast)


def small(dtype: str) -> Needs:
    """A model of a billion parameters."""
    return Needs(source="a/b", parameters=GB, dtype=dtype, weights_bytes=2 * GB)


@pytest.mark.parametrize(
    ("dtype", "where", "held"),
    [
        ("float16", machine(64), "float32"),
        ("float16", machine(64, fast=True), "float32"),  # digits would be lost in bfloat16
        ("bfloat16", machine(64), "float32"),
        ("bfloat16", machine(64, fast=True), "bfloat16"),
        ("float32", machine(64, fast=True), "float32"),
        ("float32", machine(4), "bfloat16"),  # float32 would not fit
        ("float16", machine(4), "float16"),
        ("bfloat16", machine(4), "bfloat16"),
        ("bfloat16", machine(64, device="cuda"), "bfloat16"),
        ("float16", machine(64, device="cuda"), "float16"),
        ("float32", machine(64, device="mps"), "bfloat16"),
    ],
)
def test_held_as(dtype: str, where: Room, held: str) -> None:
    """On a GPU 16 bits; on a CPU float32 unless bfloat16 is fast and exact there, or float32 does not fit."""
    assert held_as(small(dtype), where) == held


def test_demo_pair_is_held_as_float32_on_a_cpu() -> None:
    """The models that come with Unsaid, saved as float16, are float32 on any CPU."""
    for name in ("open", "censored"):
        needs = requirements(Path(chat.__file__).parent / "engines" / "demo" / name)
        assert needs.dtype == "float16"
        assert 5_000_000 < needs.parameters < 8_000_000
        assert held_as(needs, machine(1, fast=True)) == "float32"


@pytest.mark.parametrize("saved", ["float32", "bfloat16", "float16"])
def test_loaded_as_held(tmp_path: Path, saved: str) -> None:
    """A model is loaded with its parameters held as `held_as` says for this machine."""
    import torch
    from transformers import AutoModelForCausalLM

    save_random(tmp_path)
    AutoModelForCausalLM.from_pretrained(tmp_path, dtype=getattr(torch, saved)).save_pretrained(tmp_path)
    needs = requirements(tmp_path)
    model, _ = LocalEngine(tmp_path).load()
    assert needs.dtype == saved
    assert model.dtype == getattr(torch, held_as(needs, room()))


@pytest.mark.parametrize(
    ("where", "quantization", "told"),
    [
        (
            machine(11),
            None,
            r"needs about 18\.\d GB of memory as bfloat16; this machine has 11\.0 GB free\. "
            r"Qwen/Qwen2\.5-3B-Instruct would fit; or run it on a server: --engine http://",
        ),
        (machine(7, device="cuda"), None, r"the graphics processor has 7\.0 GB free\. Qwen/Qwen2\.5-1\.5B-Instruct"),
        (machine(5), "4bit", r"needs about 6\.\d GB of memory as 4bit; this machine has 5\.0 GB"),
        (machine(0.5), None, r"has 0\.5 GB free\. Free some memory, or run it on a server"),
    ],
)
def test_too_large_for_the_memory(where: Room, quantization: str | None, told: str) -> None:
    """A model that does not fit is refused with need, have, and what would fit."""
    with pytest.raises(LoadError, match=told):
        check(QWEN_7B, where, quantization=quantization)


@pytest.mark.parametrize(
    ("where", "quantization"),
    [(machine(19), None), (machine(40), None), (machine(20, device="cuda"), None), (machine(8), "4bit")],
)
def test_fits(where: Room, quantization: str | None) -> None:
    """A model that fits is not refused, where need be as 16 or 4 bits."""
    check(QWEN_7B, where, quantization=quantization)


def test_too_large_for_the_disk() -> None:
    """What would not fit the disk is refused beforehand; what is there already needs no room."""
    where = machine(64, disk=10)
    with pytest.raises(LoadError, match=r"needs 15\.2 GB more, and 10\.0 GB is free.*`hf cache rm`.*HF_HOME"):
        check(dataclasses.replace(QWEN_7B, download_bytes=15_200_000_000), where)
    check(QWEN_7B, where)


def test_requirements_of_a_folder(tmp_path: Path) -> None:
    """The headers of the weights tell their number and type, and their files the size."""
    from transformers import AutoModelForCausalLM

    save_random(tmp_path)
    needs = requirements(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert (needs.parameters, needs.dtype) == (sum(p.numel() for p in model.parameters()), "float32")
    assert needs.weights_bytes == (tmp_path / "model.safetensors").stat().st_size
    assert (needs.download_bytes, needs.packed_bytes) == (0, 0)


def test_quantised_weights_take_what_they_take(tmp_path: Path) -> None:
    """Weights that were saved packed count by their bytes, however the rest is held."""
    import torch
    from safetensors.torch import save_file

    save_file(
        {"a": torch.zeros(1000, dtype=torch.int32), "b": torch.zeros(500, dtype=torch.float16)},
        tmp_path / "model.safetensors",
    )
    needs = requirements(tmp_path)
    assert (needs.parameters, needs.packed_bytes, needs.dtype) == (500, 4000, "float16")
    assert needs.memory_bytes("float32") - needs.memory_bytes("float16") == 1200


@pytest.mark.parametrize("data", [b"", b"\xff" * 8, b"\x02" + bytes(7) + b"[]", b"\x02" + bytes(7) + b"{"])
def test_damaged_weights(tmp_path: Path, data: bytes) -> None:
    """A file that is no safetensors file is named."""
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(LoadError, match=r"model\.safetensors is no safetensors file.*fetch them again"):
        requirements(tmp_path)


def test_room_is_of_this_machine() -> None:
    """What is free is something, and less than there is."""
    free = room()
    assert free.disk_bytes > 0
    if free.device == "cpu":
        assert 0 < free.memory_bytes <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def save_huge(folder: Path) -> Path:
    """Saves a model that claims more weights than fit this machine, in a file full of holes."""
    save_random(folder)
    size = 2 * room().memory_bytes
    header = json.dumps({"w": {"dtype": "BF16", "shape": [size // 2], "data_offsets": [0, size]}}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)
    return folder


def test_too_large_a_folder_is_not_loaded(tmp_path: Path) -> None:
    """A folder whose weights do not fit is refused before they are read."""
    save_huge(tmp_path)
    with pytest.raises(LoadError, match=rf"^{re.escape(str(tmp_path))} needs about .* would fit|Free some memory"):
        LocalEngine(tmp_path).load()


def test_memory_is_spared_while_there_is_some_to_spare(tmp_path: Path) -> None:
    """Before a model is refused for want of memory, whoever can spare some is asked, until there is no more."""
    left = [False, True, True]
    with pytest.raises(LoadError, match="GB of memory"):
        load(Source(place=str(save_huge(tmp_path))), Progress(), spare=left.pop)
    assert left == []


@pytest.mark.parametrize(
    ("size", "text"),
    [(15_200_000_000, "15.2 GB"), (987_000_000, "1.0 GB"), (99_000_000, "99 MB"), (12_300_000, "12 MB")],
)
def test_gigabytes(size: int, text: str) -> None:
    """Sizes are read at a glance."""
    assert gigabytes(size) == text


def test_quantization_needs_its_library(random_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bitsandbytes, asking for 4 bits is an error that says what to install."""
    there = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "bitsandbytes" else there(name))
    with pytest.raises(LoadError, match=r"at 4bit, and bitsandbytes .* installed: pip install bitsandbytes"):
        LocalEngine(random_model, quantization="4bit").load()


@pytest.mark.slow
def test_quantized() -> None:
    """At 8 and at 4 bits the demo model takes less and less memory, and still knows what it knew."""
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    engines = [LocalEngine(DEMO, quantization=bits) for bits in (None, "8bit", "4bit")]
    sizes = [engine.load()[0].get_memory_footprint() for engine in engines]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
    for engine in engines:
        said = text_of(engine.stream(ask("What was the Berlin Wall?"), Options(max_tokens=60)))
        assert "East Germany" in said


@pytest.mark.parametrize(
    ("quantization", "values"),
    [
        ("4bit", {"load_in_4bit": True, "load_in_8bit": False, "bnb_4bit_quant_type": "nf4"}),
        ("8bit", {"load_in_4bit": False, "load_in_8bit": True}),
    ],
)
def test_quantization_config(quantization: Any, values: dict[str, Any]) -> None:
    """transformers is told to load at 4 or 8 bits."""
    config = quantization_config(quantization).to_dict()
    assert {name: config[name] for name in values} == values
