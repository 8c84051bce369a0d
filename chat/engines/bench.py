"""How fast the local engine is on this machine: `python -m chat.engines.bench` prints medians, on the open demo model.

What watching costs over bare `generate`, how soon the first words are through the pipeline, what Stop takes, loading.
The two that are compared take turns, so that what else the machine does meets both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from chat.engines.local import LocalEngine
from chat.engines.types import Chunk, Options
from chat.session import watch
from detectors import Turn

FOLDER = Path(__file__).parent / "demo" / "open"
QUESTION = "What happened at Tiananmen Square in 1989?"
TURN = Turn(QUESTION)
ENDLESS = Options(temperature=1.5, max_tokens=900, seed=1)  # rambles for long, so that there is something to stop
ROUNDS = 15


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Medians. `ratio` is the watched model's tokens a second over the bare one's.

    `processor_ratio` is the same by processor time, which other programs on the machine disturb less.
    """

    tokens: int
    bare_per_second: float
    watched_per_second: float
    processor_ratio: float
    first_text_seconds: float  # from the engine's first words to the pipeline's first update with text
    stop_passes: int  # forward passes begun after the close, at most
    stop_seconds: float
    load_seconds: float

    @property
    def ratio(self) -> float:
        return self.watched_per_second / self.bare_per_second


@dataclass
class Timed:
    """An engine that notes when its first words came."""

    engine: LocalEngine
    first: float = field(default=0.0)

    @property
    def name(self) -> str:
        """The engine's."""
        return self.engine.name

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The engine's chunks."""
        self.first = 0.0
        for chunk in self.engine.stream(turn, options):
            if chunk.text and not self.first:
                self.first = time.perf_counter()
            yield chunk


def measure(folder: Path = FOLDER, *, rounds: int = ROUNDS) -> Figures:
    """The figures of the model in a folder."""
    engine = LocalEngine(folder, name="bench")
    engine.load()  # imports transformers, once
    loads = [_seconds(lambda: LocalEngine(folder).load()) for _ in range(3)]
    tokens, bare = _bare(engine)
    timed = Timed(engine)
    _watched(timed)  # warms up
    bares: list[float] = []
    watches: list[float] = []
    firsts: list[float] = []
    work: dict[str, list[float]] = {"bare": [], "watched": []}
    for _ in range(rounds):
        began = time.process_time()
        bares.append(_seconds(bare))
        between = time.process_time()
        watches.append(_seconds(lambda: firsts.append(_watched(timed))))
        work["bare"].append(between - began)
        work["watched"].append(time.process_time() - between)
    stops = [_stop(engine) for _ in range(rounds)]
    return Figures(
        tokens=tokens,
        bare_per_second=tokens / median(bares),
        watched_per_second=tokens / median(watches),
        processor_ratio=median(work["bare"]) / median(work["watched"]),
        first_text_seconds=median(firsts),
        stop_passes=max(passes for passes, _ in stops),
        stop_seconds=median(seconds for _, seconds in stops),
        load_seconds=median(loads),
    )


def _bare(engine: LocalEngine) -> tuple[int, Callable[[], object]]:
    """How long the reply to the question is, in tokens, and transformers' own `generate` of it with a streamer."""
    import torch
    from transformers.generation.streamers import BaseStreamer

    model: Any
    model, tokenizer = engine.load()
    prompt: Any = tokenizer.apply_chat_template(
        TURN.messages(), add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    prompt = prompt.to(model.device)
    length = prompt["input_ids"].shape[1]

    class Streamer(BaseStreamer):  # type: ignore[no-untyped-call, misc, unused-ignore]
        def put(self, value: torch.Tensor) -> None:
            value.tolist()

        def end(self) -> None:
            pass

    def generate() -> Any:
        with torch.inference_mode():
            return model.generate(**prompt, do_sample=False, max_new_tokens=Options().max_tokens, streamer=Streamer())

    return int(generate().shape[1]) - length, generate


def _watched(engine: Timed) -> float:
    """Watches the whole reply; seconds from the engine's first words to those of the pipeline."""
    firsts = [time.perf_counter() for update in watch(engine, TURN, Options()) if update.reply.text]
    return firsts[0] - engine.first


def _stop(engine: LocalEngine) -> tuple[int, float]:
    """Forward passes that begin after a reply is closed in the middle, and seconds until the close returns."""
    model, _ = engine.load()
    passes = 0

    def count(*_: object) -> None:
        nonlocal passes
        passes += 1

    stream = watch(engine, TURN, ENDLESS)
    for update in stream:
        if update.reply.text:
            break
    hook = model.register_forward_pre_hook(count)
    seconds = _seconds(stream.close)
    time.sleep(0.02)
    hook.remove()
    return passes, seconds


def _seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def main() -> None:
    """Prints the figures, beside what is aimed at."""
    import torch

    figures = measure()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {ROUNDS} rounds in turn, medians")
    print(f"load              {figures.load_seconds:.2f} s")
    print(f"bare generate     {figures.bare_per_second:.0f} tokens/s, {figures.tokens} tokens")
    print(f"watched           {figures.watched_per_second:.0f} tokens/s, {figures.ratio:.3f} of bare (aim: 0.97)")
    print(f"                  {figures.processor_ratio:.3f} of bare by processor time")
    print(f"first words       {figures.first_text_seconds * 1000:.1f} ms after the engine's (aim: 150 ms)")
    print(f"stop              {figures.stop_seconds * 1000:.1f} ms, {figures.stop_passes} forward passes (aim: 1)")


if __name__ == "__main__":
    main()
