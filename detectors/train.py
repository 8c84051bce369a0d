"""Makes the classifier's weights: `python -m detectors.train FILE... --teacher FOLDER`.

First on two thirds of the models and of the questions, to calibrate and to measure on the replies of the other models
to the other questions; then on everything, for the weights that are shipped.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from detectors import monitor
from detectors.classifier import Classifier, Scale
from detectors.config import WEIGHTS
from detectors.corpus import CLASS, Row, beginning, bucket, excerpt, load_corpus
from detectors.cues import Cues
from detectors.encoder import Encoder
from detectors.evaluate import Judged, band, figures, judge
from detectors.fit_encoder import fit_encoder
from detectors.fit_linear import featurize, fit_linear
from detectors.language import language
from detectors.linear import OF_CLASSES, OF_EVASIONS, OF_KINDS, Linear
from detectors.records import Record
from detectors.steer import Steer
from detectors.structure import Structure
from detectors.types import Detector, Label, Turn

GROUPS = 3  # of models and of questions; one of each is held out
SALT, HELD = "a", 1  # of the ways to make groups, one whose held-out part has some dozens of each class and language
SETS_OF_ONE_MODEL = (
    "us_hard",
    "written",
    "gptfuzz_human",
    "rbr_gold_human",
    "routing_propaganda_llmjudge",
    "deccp_qwen2_helperlabelled",
)
# Chinese services and models in which an official line, a refusal and an answer are told apart.
THREE_WAY_SETS = ("routing_propaganda_llmjudge", "deccp_qwen2_helperlabelled")
THREE_WAY_MODEL = "deepseek"
THREE_WAY = "three-way, DeepSeek and Chinese services"
# The encoder takes long to train: it sees a third of the cut-off replies, and half of the largest and noisiest set.
FEWER = 3
HALVED = ("gptfuzz_human",)
ENOUGH = 50  # held-out rows of a language, for a scale of its own
NEARNESS = 0.03  # how strongly a language's scale is drawn to the one over all
OF_THREE = {(0, None): Label.ANSWERED, (1, None): Label.REFUSED, (2, 1): Label.OFFICIAL_LINE}
SHOWN = ("n", "accuracy", "f1", "precision", "recall", "fpr", "looks_censored", "auroc", "ece")


def held_out(row: Row) -> tuple[bool, bool]:
    """Whether the row's model, and its question, are among those held out. A set of one model has none to hold out."""
    one = row.model in SETS_OF_ONE_MODEL or row.source in SETS_OF_ONE_MODEL
    topic = bucket(f"question {row.topic}{SALT}", GROUPS) == HELD
    return (topic if one else bucket(f"model {row.model}{SALT}", GROUPS) == HELD), topic


def set_of(row: Row) -> str:
    """The set that the row's figures are counted in: SpeechMap's by language, and apart what only we annotated."""
    if row.source.endswith("_criticism"):
        return f"speechmap {row.lang}"
    if row.source == row.model == "us_hard":
        return "us_hard annotated"
    return f"{row.source} {row.lang}"


def fit(rows: Sequence[Row], teacher: Path, out: Path, device: str) -> None:
    """Writes `linear.safetensors` and `encoder/`, trained on these rows and their beginnings, to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    short = list(filter(None, map(excerpt, rows)))
    begun = [part for row in rows if (part := beginning(row, 0))]
    every = [*rows, *short, *begun]
    fit_linear(every, featurize(every)).save(out / "linear.safetensors")
    print(f"linear: {len(every)} rows, {time.perf_counter() - began:.0f} s", flush=True)
    some = [*(r for r in rows if r.source not in HALVED or bucket(r.id, 2)), *short, *begun[::FEWER]]
    fit_encoder(some, teacher, out / "encoder", device)


def predictions(rows: Sequence[Row], weights: Path) -> tuple[Tensor, Tensor, Tensor]:
    """(linear [rows, outputs], encoder [rows, 3], class [rows])."""
    linear, encoder = Linear.load(weights / "linear.safetensors"), Encoder(weights / "encoder")
    ones = torch.tensor(np.stack([linear.logits(found) for found in featurize(rows)]))
    others = torch.stack([encoder.logits(row.question, row.reply) for row in rows]).clone()
    return ones, others, torch.tensor([row.cls for row in rows])


def calibrate(rows: Sequence[Row], linear: Tensor, encoder: Tensor, target: Tensor) -> dict[str, Scale]:
    """The scales with the least cross-entropy (Guo et al. 2017): one over all, and one for each language near it."""
    sources = torch.stack([linear[:, OF_CLASSES].log_softmax(1), encoder.log_softmax(1)])  # [2, rows, 3]
    weight = torch.tensor([row.weight for row in rows])
    langs = [language(row.reply) for row in rows]
    whole = _scale(sources, target, weight, near=None)
    scales = {"": whole}
    for lang in sorted({lang for lang in langs if lang}):
        of = torch.tensor([lang == other for other in langs])
        if int(of.sum()) >= ENOUGH:
            scales[lang] = _scale(sources[:, of], target[of], weight[of], near=whole)
    return {lang: _rounded(found) for lang, found in scales.items()}


def _scale(sources: Tensor, target: Tensor, weight: Tensor, *, near: Tensor | None) -> Tensor:
    """[5]: two powers and a bias of three. `near` is what few rows are drawn to."""
    start = torch.tensor([0.5, 0.5, 0, 0, 0]) if near is None else near
    found = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([found], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = (found[:2, None, None] * sources).sum(0) + found[2:]
        value = (torch.nn.functional.cross_entropy(logits, target, reduction="none") * weight).sum() / weight.sum()
        value = value + 1e-3 * found[2:].pow(2).sum()
        if near is not None:
            value = value + NEARNESS * (found - near).pow(2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return found.detach()


def _rounded(found: Tensor) -> Scale:
    linear, encoder, *bias = found.tolist()
    first, second, third = (round(value - sum(bias) / 3, 3) for value in bias)
    return Scale(round(linear, 3), round(encoder, 3), (first, second, third))


def shares(rows: Sequence[Row], linear: Tensor) -> dict[str, float]:
    """Of the rows whose evasion or kind is known, how many the linear model tells right."""
    evasive = [at for at, row in enumerate(rows) if row.evasion is not None and row.ended]
    known = [at for at, row in enumerate(rows) if row.kind is not None and row.ended]
    said = linear[:, OF_EVASIONS][:, 0] > 0
    kind = linear[:, OF_KINDS].argmax(1)
    return {
        "evasion": round(sum(bool(said[at]) == bool(rows[at].evasion) for at in evasive) / max(1, len(evasive)), 4),
        "kind": round(sum(int(kind[at]) == rows[at].kind for at in known) / max(1, len(known)), 4),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Calibrates, measures, fits and writes."""
    parser = argparse.ArgumentParser(prog="python -m detectors.train", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="recorded replies with labels, as for `unsaid eval`")
    parser.add_argument("--teacher", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--held-out", type=Path, help="where to keep the measured model and write its rows' ids")
    parser.add_argument("--only", choices=("measure", "ship"), help="do one half of it")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(argv)
    rows = load_corpus(args.files)
    print(f"{len(rows)} rows", flush=True)
    if args.only != "ship":
        with tempfile.TemporaryDirectory() as scratch:
            _measure(rows, args.teacher, args.held_out or Path(scratch), args.out, args.device)
    if args.only != "measure":
        fit(rows, args.teacher, args.out, args.device)


def _measure(rows: Sequence[Row], teacher: Path, scratch: Path, out: Path, device: str) -> None:
    held = [held_out(row) for row in rows]
    fit([row for row, (m, q) in zip(rows, held, strict=True) if not m and not q], teacher, scratch, device)
    test = [row for row, (m, q) in zip(rows, held, strict=True) if m and q]
    (scratch / "ids.txt").write_text("\n".join(row.id for row in test), encoding="utf-8")
    calibration: dict[str, Any] = {}
    ended = [*test, *filter(None, map(excerpt, test))]
    running = [cut for row in test if (cut := beginning(row, 1))]
    for name, part in (("ended", ended), ("running", running)):
        linear, encoder, target = predictions(part, scratch)
        scales = calibrate(part, linear, encoder, target)
        calibration[name] = {lang: asdict(scale) for lang, scale in scales.items()}
        print(name, len(part), calibration[name], shares(part, linear) if name == "ended" else "", flush=True)
    for folder in (out, scratch):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "calibration.json").write_text(json.dumps(calibration, indent=1) + "\n", encoding="utf-8")
    measured = measure(test, scratch)
    (out / "measured.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    for name, part in measured.items():
        print(f"{name:28}", *(f"{key} {part[key]}" for key in SHOWN if key in part), flush=True)


def measure(rows: Sequence[Row], weights: Path) -> dict[str, Any]:
    """The figures of `evaluate` on these rows, with all detectors and the classifier in `weights`.

    By set; SpeechMap's replies also by length; and how often official line, refusal and answer are told apart.
    """
    detectors = (Cues(), Steer(), Structure(), Classifier(weights))
    groups: dict[str, list[Judged]] = {}
    for number, row in enumerate(rows):
        record = Record(question=row.question, reply=row.reply, line=number, lang=row.lang, truth=list(CLASS)[row.cls])
        one, name = judge(record, detectors), set_of(row)
        groups.setdefault(name, []).append(one)
        if name.startswith("speechmap"):
            groups.setdefault(f"speechmap, {band(one)}", []).append(one)
    return {name: figures(group) for name, group in sorted(groups.items())} | {THREE_WAY: three_way(rows, detectors)}


def three_way(rows: Sequence[Row], detectors: Sequence[Detector]) -> dict[str, Any]:
    """Of the official lines, refusals and answers of DeepSeek's models and Chinese services, the share told right."""
    told: dict[str, list[bool]] = {}
    for row in rows:
        label = OF_THREE.get((row.cls, row.evasion))
        if label and (row.source in THREE_WAY_SETS or THREE_WAY_MODEL in row.model.lower()):
            watching = monitor(Turn(row.question), detectors=detectors)
            watching.feed(row.reply)
            told.setdefault(label.value, []).append(watching.close().label is label)
    every = [right for group in told.values() for right in group]
    shares = {name: round(sum(group) / len(group), 4) for name, group in sorted(told.items())}
    return {"n": len(every), "accuracy": round(sum(every) / max(1, len(every)), 4), "recall": shares}


if __name__ == "__main__":
    main()
