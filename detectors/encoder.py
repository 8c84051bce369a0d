"""A small BERT that reads the question with the opening and the closing of the reply.

Three layers of all-MiniLM-L6-v2 (Wang et al. 2020), with Chinese characters added, fine-tuned by `detectors.train`.
The folder is one of sentence-transformers and loads there too; importing that library takes seconds, and what runs
here is these lines.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

QUESTION, OPENING, CLOSING = 28, 60, 44  # tokens
# Characters that are sure to hold so many tokens: the rest is not even cut into tokens.
REACH = 12
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True, slots=True)
class Pieces:
    """Token ids, and where the reply begins among them."""

    ids: tuple[int, ...]
    reply_at: int


def pieces(tokenizer: Tokenizer, question: str, reply: str) -> Pieces:
    """`[CLS] question [SEP] opening [SEP] closing [SEP]`; a short reply is all opening."""
    start, end = (tokenizer.encode(token, add_special_tokens=False).ids[0] for token in ("[CLS]", "[SEP]"))
    asked = _ids(tokenizer, question[: QUESTION * REACH])[:QUESTION]
    both = OPENING + CLOSING
    if len(reply) <= 2 * both * REACH:
        said = _ids(tokenizer, reply)
        opening, closing = said[:OPENING], said[OPENING:][-CLOSING:]
    else:
        opening = _ids(tokenizer, reply[: OPENING * REACH])[:OPENING]
        closing = _ids(tokenizer, reply[-CLOSING * REACH :])[-CLOSING:]
    first = [start, *asked, end]
    second = [*opening, end, *closing, end] if closing else [*opening, end]
    return Pieces((*first, *second), len(first))


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    text = text.encode("utf-8", "replace").decode("utf-8")  # the tokenizer takes no halves of characters
    for token in SPECIAL:  # as text these are words like any other
        text = text.replace(token, token.lower())
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


class Encoder:
    """Pieces to logits of answered, refused, evasive. Raises `OSError` where its files are missing."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._heads = int(config["num_attention_heads"])
        self._epsilon = float(config["layer_norm_eps"])
        self._layers = int(config["num_hidden_layers"])
        self.tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        tensors = load_file(folder / "model.safetensors") | load_file(folder / "head.safetensors")
        # Half the memory for the vocabulary, of which a reply uses a hundred rows; full precision for the rest.
        self._w = {name: t if "word_embeddings" in name else t.float() for name, t in tensors.items()}

    def logits(self, question: str, reply: str) -> Tensor:
        """[3]"""
        found = pieces(self.tokenizer, question, reply)
        with torch.inference_mode():
            hidden = self._hidden(torch.tensor(found.ids), found.reply_at)
            pooled = torch.cat((hidden[0], hidden.mean(0)))
            return functional.linear(pooled, self._w["head.weight"], self._w["head.bias"])

    def _hidden(self, ids: Tensor, reply_at: int) -> Tensor:
        w, count = self._w, len(ids)
        kinds = (torch.arange(count) >= reply_at).long()
        hidden = (
            w["embeddings.word_embeddings.weight"][ids].float()
            + w["embeddings.position_embeddings.weight"][:count]
            + w["embeddings.token_type_embeddings.weight"][kinds]
        )
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        for number in range(self._layers):
            hidden = self._layer(hidden, f"encoder.layer.{number}")
        return hidden

    def _layer(self, hidden: Tensor, name: str) -> Tensor:
        """One layer of BERT (Devlin et al. 2019): attention, then a small network, each added and normed."""
        parts = [self._linear(hidden, f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
        query, key, value = (p.view(len(hidden), self._heads, -1).transpose(0, 1) for p in parts)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        mixed = mixed.transpose(0, 1).reshape(hidden.shape)
        hidden = self._norm(
            self._linear(mixed, f"{name}.attention.output.dense") + hidden, f"{name}.attention.output.LayerNorm"
        )
        inner = functional.gelu(self._linear(hidden, f"{name}.intermediate.dense"))
        return self._norm(self._linear(inner, f"{name}.output.dense") + hidden, f"{name}.output.LayerNorm")

    def _linear(self, hidden: Tensor, name: str) -> Tensor:
        return functional.linear(hidden, self._w[f"{name}.weight"], self._w[f"{name}.bias"])

    def _norm(self, hidden: Tensor, name: str) -> Tensor:
        shape = (hidden.shape[-1],)
        return functional.layer_norm(hidden, shape, self._w[f"{name}.weight"], self._w[f"{name}.bias"], self._epsilon)
