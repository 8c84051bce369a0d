"""How fast the local engine is on this machine: `python -m chat.engines.bench` prints medians.

The model is the open demo model, as it is and made slower: what watching costs falls with the model's own speed. What
watching costs over bare `generate`, how soon the first words are through the pipeline, what Stop takes, loading.
The two that are compared take turns, so that what else the machine does meets both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from chat.engines.loading import threads
from chat.engines.local import LocalEngine
from chat.engines.types import Chunk, Options
from chat.session import watch
from detectors import Turn

FOLDER = Path(__file__).parent / "demo" / "open"
QUESTION = "What happened at Tiananmen Square in 1989?"
TURN = Turn(QUESTION)
OPTIONS = Options(max_tokens=200)
ENDLESS = Options(temperature=1.5, max_tokens=900, seed=1)  # rambles for long, so that there is something to stop
ROUNDS = 15
SLOWER = (4, 12)  # times as many layers: about as fast as models of 0.1 and 0.3 billion weights


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Medians. `ratio` is the watched model's tokens a second over the bare one's.

    `processor_ratio` is the same by processor time, which other programs on the machine disturb less.
    """

    tokens: int
    bare_per_second: float
    watched_per_second: float
    processor_ratio: float
    bare_on_all_per_second: float  # with every processor, where watched and bare leave one to the page
    first_text_seconds: float  # from the engine's first words to the pipeline's first update with text
    stop_passes: int  # forward passes begun after the close, at most
    stop_seconds: float
    load_seconds: float

    @property
    def ratio(self) -> float:
        return self.watched_per_second / self.bare_per_second


@dataclass
class Timed:
    """An engine that notes when its first words came. It answers `TURN`, whatever turn it is watched on."""

    engine: LocalEngine
    first: float = field(default=0.0)

    @property
    def name(self) -> str:
        """The engine's."""
        return self.engine.name

    def stream(self, turn: Turn, options: Options) -> Iterator[Chunk]:
        """The engine's chunks."""
        self.first = 0.0
        for chunk in self.engine.stream(TURN, options):
            if chunk.text and not self.first:
                self.first = time.perf_counter()
            yield chunk


def measure(folder: Path = FOLDER, *, rounds: int = ROUNDS) -> Figures:
    """The figures of the model in a folder."""
    import torch

    on_all = torch.get_num_threads()
    engine = LocalEngine(folder, name="bench")
    engine.load()  # imports transformers, once
    loads = [_seconds(lambda: LocalEngine(folder).load()) for _ in range(3)]
    torch.set_num_threads(threads())  # as the engine does for the threads in which it writes
    tokens, bare = _bare(engine)
    timed = Timed(engine)
    _watched(timed, 0)  # warms up
    bares: list[float] = []
    watches: list[float] = []
    firsts: list[float] = []
    bares_on_all: list[float] = []
    work: dict[str, list[float]] = {"bare": [], "watched": []}
    for number in range(1, rounds + 1):
        began = time.process_time()
        bares.append(_seconds(bare))
        between = time.process_time()
        first, seconds = _watched(timed, number)
        firsts.append(first)
        watches.append(seconds)
        work["bare"].append(between - began)
        work["watched"].append(time.process_time() - between)
        torch.set_num_threads(on_all)
        bares_on_all.append(_seconds(bare))
        torch.set_num_threads(threads())
    stops = [_stop(engine) for _ in range(rounds)]
    return Figures(
        tokens=tokens,
        bare_per_second=tokens / median(bares),
        watched_per_second=tokens / median(watches),
        processor_ratio=median(work["bare"]) / median(work["watched"]),
        bare_on_all_per_second=tokens / median(bares_on_all),
        first_text_seconds=median(firsts),
        stop_passes=max(passes for passes, _ in stops),
        stop_seconds=median(seconds for _, seconds in stops),
        load_seconds=median(loads),
    )


def make_slower(folder: Path, times: int, into: Path) -> None:
    """Writes a model that says the same with `times` as many layers: those added add nothing to what passes them."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    config = AutoConfig.from_pretrained(folder, num_hidden_layers=times * model.config.num_hidden_layers)
    slower: Any = AutoModelForCausalLM.from_config(config, dtype=model.dtype)  # type: ignore[no-untyped-call]
    slower.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        for layer in slower.model.layers[len(model.model.layers) :]:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    slower.save_pretrained(into)
    AutoTokenizer.from_pretrained(folder).save_pretrained(into)


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
            return model.generate(**prompt, do_sample=False, max_new_tokens=OPTIONS.max_tokens, streamer=Streamer())

    return int(generate().shape[1]) - length, generate


def _watched(engine: Timed, number: int) -> tuple[float, float]:
    """Watches the whole reply; seconds from the engine's first words to those of the pipeline, and to its end.

    To the detectors each round's question is another one: they would remember what they read in the round before.
    """
    turn = Turn(f"{QUESTION} ({number})")
    began = time.perf_counter()
    firsts = [time.perf_counter() for update in watch(engine, turn, OPTIONS) if update.reply.text]
    return firsts[0] - engine.first, time.perf_counter() - began


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

    all_threads = torch.get_num_threads()
    figures = measure()
    print(f"torch {torch.__version__}, {threads()} of {all_threads} threads, {ROUNDS} rounds in turn, medians")
    print(f"load         {figures.load_seconds:.2f} s")
    print(f"first words  {figures.first_text_seconds * 1000:.1f} ms after the engine's (aim: 150 ms)")
    print(f"stop         {figures.stop_seconds * 1000:.1f} ms, {figures.stop_passes} forward passes (aim: 1)")
    print("tokens/s of bare generate (on all threads), watched, and their ratio (aim: 0.97; by processor time)")
    _print_speeds("demo", figures)
    with TemporaryDirectory() as folder, redirect_stderr(StringIO()):
        for times in SLOWER:
            make_slower(FOLDER, times, Path(folder))
            _print_speeds(f"{times} times as deep", measure(Path(folder), rounds=ROUNDS // 2))


def _print_speeds(name: str, figures: Figures) -> None:
    bare, on_all, watched = figures.bare_per_second, figures.bare_on_all_per_second, figures.watched_per_second
    print(
        f"{name:<16} {bare:4.0f} ({on_all:.0f})  {watched:4.0f}  {figures.ratio:.3f} ({figures.processor_ratio:.3f}), "
        f"{figures.tokens} tokens"
    )


if __name__ == "__main__":
    main()
