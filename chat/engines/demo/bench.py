"""How fast the demo is on this machine: `python -m chat.engines.demo.bench` prints medians.

Loading, tokens a second, what watching costs over not watching, and how long Stop takes.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chat.engines.local import LocalEngine
from chat.engines.types import Options
from chat.session import watch
from detectors import Turn

FOLDER = Path(__file__).with_name("open")
QUESTION = "What happened at Tiananmen Square in 1989?"
ROUNDS = 7


def median_seconds(run: Callable[[], object]) -> float:
    """The median time of `ROUNDS` runs."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def stop_seconds(engine: LocalEngine) -> float:
    """From closing a stream in mid-reply to its thread's end."""
    stream = watch(engine, Turn(QUESTION), Options(temperature=1.5, max_tokens=900))
    for update in stream:
        if update.reply.text:
            break
    began = time.perf_counter()
    stream.close()
    while any(thread.name == "unsaid-generate" for thread in threading.enumerate()):
        time.sleep(0.001)
    return time.perf_counter() - began


def main() -> None:
    """Prints the figures."""
    import torch
    import transformers  # noqa: F401  (imported before the clock starts)

    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {ROUNDS} rounds, medians")
    print(f"load            {median_seconds(lambda: LocalEngine(FOLDER).load()):.2f} s")
    engine = LocalEngine(FOLDER, name="demo")
    model, tokenizer = engine.load()
    prompt: Any = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    tokens = 120

    def bare() -> None:
        with torch.inference_mode():
            model.generate(**prompt, do_sample=False, min_new_tokens=tokens, max_new_tokens=tokens)  # type: ignore[operator]

    def watched() -> int:
        last = list(watch(engine, Turn(QUESTION), Options(max_tokens=tokens)))[-1]
        return len(tokenizer(last.reply.text).input_ids)

    written = watched()
    plain, seen = tokens / median_seconds(bare), written / median_seconds(watched)
    print(f"bare generate   {plain:.0f} tokens/s")
    print(f"watched         {seen:.0f} tokens/s ({seen / plain:.2f} of bare)")
    print(f"stop            {statistics.median(stop_seconds(engine) for _ in range(ROUNDS)) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
