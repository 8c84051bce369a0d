"""How fast the detector is, beside the classifiers that others run: `python -m detectors.bench`.

All in one run, on the same replies, in turn: our detector on a whole reply and on its stream, a sequence classifier
of distilroberta's size on the first 128 tokens (what LLM Guard runs) and one of ModernBERT-large's on the first 512
(what Minos runs). Their weights are random: speed does not depend on them. Needs transformers.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch
from transformers import (
    ModernBertConfig,
    ModernBertForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from detectors import Turn, default_detectors, monitor, watch_text

QUESTION = "List criticisms of the government's policy on the press."
LENGTH = 2000  # characters of a reply
CHUNK = 24  # characters of a stream's chunk
ROUNDS = 15
SLOW_ROUNDS = 3
OURS, STREAM, SMALL, LARGE = "whole reply", "its stream", "distilroberta size, 128", "ModernBERT-large size, 512"
_LOADING = """
import time, torch
def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before, began = megabytes(), time.perf_counter()
import detectors
detectors.watch_text("Why?", "Because it is so, and it has always been so in this place.")
print(round(time.perf_counter() - began, 2), round(megabytes() - before))
"""


def replies(count: int) -> list[str]:
    """Made-up replies of `LENGTH` characters, each other than the one before, so that nothing is remembered."""
    sentence = (
        "In the year {0} the council of district {1} heard {0} complaints, and {2} of them were about its own work. "
    )
    return ["".join(sentence.format(n + k, 7 * k, k) for k in range(40))[:LENGTH] for n in range(count)]


def watch(reply: str, size: int) -> None:
    """Watches the reply in chunks of this size, looking at every verdict."""
    watching = monitor(Turn(QUESTION))
    for at in range(0, len(reply), size):
        watching.feed(reply[at : at + size])
        _ = watching.verdict
    watching.close()


def classifier(kind: str) -> Callable[[str], object]:
    """A classifier of the named size, with random weights and tokens."""
    if kind == SMALL:
        shape = RobertaConfig(num_hidden_layers=6, vocab_size=50265, max_position_embeddings=514)
        model: Any = RobertaForSequenceClassification(shape)
        tokens = 128
    else:
        size: dict[str, Any] = {
            "hidden_size": 1024,
            "intermediate_size": 2624,
            "num_hidden_layers": 28,
            "num_attention_heads": 16,
        }
        model = ModernBertForSequenceClassification(ModernBertConfig(**size))
        tokens = 512
    model.eval()
    ids = torch.randint(10, 50000, (1, tokens))

    def run(_: str) -> None:
        with torch.inference_mode():
            model(input_ids=ids)

    return run


def measure(runs: dict[str, Callable[[str], object]]) -> dict[str, float]:
    """Median milliseconds of each, taken in turn."""
    texts = replies(len(runs) * (ROUNDS + 1))
    took: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(ROUNDS + 1):
        for name, run in runs.items():
            text = texts.pop()  # another one each time: what was read before is remembered
            if name == LARGE and number > SLOW_ROUNDS:
                continue
            began = time.perf_counter()
            run(text)
            if number:  # the first round warms up
                took[name].append((time.perf_counter() - began) * 1000)
    return {name: median(values) for name, values in took.items()}


def loading() -> Sequence[float]:
    """(seconds, megabytes) of importing and loading, over plain torch, in a process of its own."""
    said = subprocess.run([sys.executable, "-c", _LOADING], capture_output=True, text=True, check=True).stdout  # noqa: S603
    return [float(word) for word in said.split()]


def main() -> None:
    """Prints the figures."""
    default_detectors()
    took = measure(
        {
            OURS: lambda text: watch_text(QUESTION, text),
            STREAM: lambda text: watch(text, CHUNK),
            SMALL: classifier(SMALL),
            LARGE: classifier(LARGE),
        }
    )
    for name, milliseconds in took.items():
        ratio = milliseconds / took[SMALL]
        print(f"{name:28} {milliseconds:8.1f} ms   {ratio:6.2f} of the distilroberta-sized pass")
    seconds, megabytes = loading()
    print(f"{'import and load':28} {seconds:8.2f} s    {megabytes:.0f} MB over plain torch")


if __name__ == "__main__":
    main()
