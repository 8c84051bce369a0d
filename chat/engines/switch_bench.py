"""Whether switching models keeps memory: `python -m chat.engines.switch_bench` prints it after 10 and 50 switches."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from chat.engines.local import LocalEngine
from chat.engines.pool import Pool
from chat.engines.types import Options
from detectors import Turn

HIDDEN = 512  # with this width and the tokenizer of the demo a model takes about 50 MB
DEMO = Path(__file__).parent / "demo" / "open"


def switch(times: int, *, note: Sequence[int], most: int = 2) -> list[int]:
    """The process's memory in bytes after so many switches of `note`, between three models in a pool of `most`."""
    with tempfile.TemporaryDirectory() as folder:
        pool = Pool(most)
        engines = [LocalEngine(_save(Path(folder) / str(number), number), pool=pool) for number in range(3)]
        noted = []
        for number in range(1, times + 1):
            for _ in engines[number % 3].stream(Turn("Who was it?"), Options(max_tokens=3)):
                pass
            if number in note:
                noted.append(resident_bytes())
        for engine in engines:
            engine.unload()
    return noted


def resident_bytes() -> int:
    """How much memory this process takes; at its height so far where the system tells no more."""
    if sys.platform == "linux":
        pages = Path("/proc/self/statm").read_text("ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _save(folder: Path, seed: int) -> Path:
    """Saves a model with random weights."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    tokenizer = AutoTokenizer.from_pretrained(DEMO)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=8,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def main() -> None:
    """Prints the figures."""
    began = time.perf_counter()
    noted = switch(50, note=(1, 2, 3, 10, 20, 30, 40, 50))
    for number, size in zip((1, 2, 3, 10, 20, 30, 40, 50), noted, strict=True):
        print(f"after {number:2} switches  {size / 1e6:6.0f} MB")
    print(f"a switch           {(time.perf_counter() - began) / 50:6.2f} s")


if __name__ == "__main__":
    main()
