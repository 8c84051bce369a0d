"""Fine-tunes the encoder: the first layers of all-MiniLM-L6-v2, with Chinese characters added to its vocabulary."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules as parts
from torch import Tensor, nn

from detectors.corpus import Row
from detectors.encoder import Pieces, pieces

LAYERS = 3
EPOCHS = 2
BATCH = 32
RATE = 6e-5
VOCABULARY_RATE = 1.2e-4  # the added characters start from nothing
SMOOTHING = 0.05
DROPOUT = 0.1
SEED = 7
FREQUENT = 15  # how often a Chinese character must occur to be added
CLASSES = 3


def fit_encoder(rows: Sequence[Row], teacher: Path, folder: Path, device: str = "cpu") -> None:
    """Trains on these rows, from the model in `teacher`, and writes the encoder to `folder`."""
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    model = _base(teacher, rows)
    tokenizer = model.tokenizer.backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    bert: Any = model[0].auto_model
    bert.to(device).train()
    head = nn.Linear(2 * bert.config.hidden_size, CLASSES).to(device)
    data = [(pieces(tokenizer, row.question, row.reply), row.cls, row.weight) for row in rows]
    words = bert.embeddings.word_embeddings.weight
    others = [p for p in bert.parameters() if p is not words] + list(head.parameters())
    optimizer = torch.optim.AdamW([{"params": [words]}, {"params": others}], lr=RATE, weight_decay=0.01)
    steps = EPOCHS * sum(1 for _ in _batches(data, random.Random(SEED)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [VOCABULARY_RATE, RATE], total_steps=steps + 20, pct_start=0.1, anneal_strategy="linear"
    )
    for epoch in range(EPOCHS):
        began, total, count = time.perf_counter(), 0.0, 0
        for ids, mask, kinds, target, weight in _batches(data, rng):
            with torch.autocast(device, dtype=torch.bfloat16):
                hidden = bert(
                    input_ids=ids.to(device), attention_mask=mask.to(device), token_type_ids=kinds.to(device)
                ).last_hidden_state
            logits = head(nn.functional.dropout(_pooled(hidden.float(), mask.to(device)), DROPOUT))
            losses = nn.functional.cross_entropy(logits, target.to(device), label_smoothing=SMOOTHING, reduction="none")
            loss = (losses * weight.to(device)).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_([words, *others], 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            total, count = total + loss.item(), count + 1
        print(
            f"encoder epoch {epoch + 1}/{EPOCHS}  loss {total / count:.4f}  {time.perf_counter() - began:.0f} s",
            flush=True,
        )
    _save(model, head, folder)


def _base(teacher: Path, rows: Sequence[Row]) -> SentenceTransformer:
    model = SentenceTransformer(str(teacher), device="cpu")
    bert: Any = model[0].auto_model
    bert.encoder.layer = bert.encoder.layer[:LAYERS]
    bert.config.num_hidden_layers = LAYERS
    known = set(model.tokenizer.get_vocab())
    seen = Counter(c for row in rows for c in row.question + row.reply if "\u4e00" <= c <= "\u9fff")
    model.tokenizer.add_tokens(sorted(c for c, times in seen.items() if times >= FREQUENT and c not in known))
    bert.resize_token_embeddings(len(model.tokenizer))
    pooling = parts.Pooling(bert.config.hidden_size, pooling_mode=("cls", "mean"))
    return SentenceTransformer(modules=[model[0], pooling], device="cpu")


def _pooled(hidden: Tensor, mask: Tensor) -> Tensor:
    """[batch, 2 * hidden]: the first token, and the mean of all."""
    seen = mask[..., None].float()
    return torch.cat((hidden[:, 0], (hidden * seen).sum(1) / seen.sum(1)), 1)


def _batches(
    data: Sequence[tuple[Pieces, int, float]], rng: random.Random
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
    """(ids, mask, kinds, classes, weights) of rows of like length, in random order."""
    order = list(range(len(data)))
    rng.shuffle(order)
    pools = [order[at : at + 20 * BATCH] for at in range(0, len(order), 20 * BATCH)]
    sets = []
    for pool in pools:
        pool.sort(key=lambda at: len(data[at][0].ids))
        sets += [pool[at : at + BATCH] for at in range(0, len(pool), BATCH)]
    rng.shuffle(sets)
    for chosen in sets:
        width = max(len(data[at][0].ids) for at in chosen)
        ids, mask, kinds = (torch.zeros(len(chosen), width, dtype=torch.long) for _ in range(3))
        for line, at in enumerate(chosen):
            found = data[at][0]
            ids[line, : len(found.ids)] = torch.tensor(found.ids)
            mask[line, : len(found.ids)] = 1
            kinds[line, found.reply_at : len(found.ids)] = 1
        yield (
            ids,
            mask,
            kinds,
            torch.tensor([data[at][1] for at in chosen]),
            torch.tensor([data[at][2] for at in chosen]),
        )


def _save(model: SentenceTransformer, head: nn.Linear, folder: Path) -> None:
    """A folder of sentence-transformers in half precision, with the head beside it."""
    if folder.exists():
        shutil.rmtree(folder)
    with tempfile.TemporaryDirectory() as scratch:
        model[0].auto_model.to("cpu", torch.float16)
        model.save(scratch, create_model_card=False)
        shutil.copytree(scratch, folder)
    save_file(
        {"head.weight": head.weight.detach().cpu().contiguous(), "head.bias": head.bias.detach().cpu().contiguous()},
        folder / "head.safetensors",
    )
