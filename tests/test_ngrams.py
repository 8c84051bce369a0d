"""Hashed n-grams, and the linear model that reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.linear import CLOSING, EDGE, LONGEST, OPENING, OUTPUTS, QUESTION, WHOLE, Linear, fields
from detectors.ngrams import BITS, ngrams


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I cannot help.", "i CANNOT  help."),
        ("我無法回答", "我无法回答"),
        ("It’s fine", "It's fine"),
        ("a\n\nb", " a b "),
    ],
)
def test_what_is_written_alike_is_the_same(one: str, other: str) -> None:
    """Case, white space, quotation marks and traditional characters make no difference."""
    assert ngrams(one).tolist() == ngrams(other).tolist()


@pytest.mark.parametrize(("one", "other"), [("I can help.", "I can't help."), ("无法", "法无"), ("yes", "yes!")])
def test_other_words_are_other_features(one: str, other: str) -> None:
    """Texts that differ in their words or their order differ in their n-grams."""
    assert ngrams(one).tolist() != ngrams(other).tolist()


def test_each_once_and_within_bounds() -> None:
    """Buckets are in order, each once, however often the text repeats itself."""
    found = ngrams("no no no " * 50)
    assert found.tolist() == sorted(set(found.tolist()))
    assert found.min() >= 0
    assert found.max() < 1 << BITS
    assert len(found) < 60


@pytest.mark.parametrize("text", ["", " ", "\n", "🕯", "\ud800", "\0", "a", "。"])
def test_odd_texts(text: str) -> None:
    """Nothing, white space, half a character: a few n-grams or none, and no error."""
    assert len(ngrams(text)) <= 6


def test_fields_are_hashed_apart() -> None:
    """The same words in the question and in the reply are different features."""
    assert set(ngrams("the same words", WHOLE)).isdisjoint(ngrams("the same words", QUESTION))


def test_a_running_reply_has_no_closing() -> None:
    """Only a finished reply is known to have come to its last words."""
    reply = "word " * 200
    running, ended = fields("q", reply, ended=False), fields("q", reply, ended=True)
    assert running[CLOSING].tolist() == ngrams("", CLOSING).tolist() != ended[CLOSING].tolist()
    assert running[OPENING].tolist() == ended[OPENING].tolist()


def test_the_middle_of_a_very_long_reply_is_left_out() -> None:
    """A million characters cost no more than some thousand."""
    edges = ("opening " * LONGEST)[:LONGEST], (" closing" * LONGEST)[-LONGEST:]
    one, other = (fields("", edges[0] + middle * 250_000 + edges[1], ended=True) for middle in ("abcd", "efgh"))
    assert [f.tolist() for f in one] == [f.tolist() for f in other]


def linear(**weights: float) -> Linear:
    """A model in which each word speaks for the second output with this weight."""
    table = np.zeros((1 << BITS, OUTPUTS), np.float16)
    for word, weight in weights.items():
        table[ngrams(word), 1] = weight
    return Linear(np.ones(1 << BITS, np.float16), table, np.arange(OUTPUTS, dtype=np.float32))


def test_logits() -> None:
    """An empty text gives the bias; words add what they weigh, in proportion to their share of the text."""
    model = linear(refuse=1.0)
    empty = model.logits(fields("", "", ended=True))
    assert empty == pytest.approx(np.arange(OUTPUTS))
    alone = model.logits(fields("", "refuse", ended=False))[1]
    among = model.logits(fields("", "refuse among very many other words " + "x" * EDGE, ended=False))[1]
    assert alone > among > empty[1]


def test_the_telling_sentence_is_found() -> None:
    """Of several sentences, the one with the words that weigh contributes most."""
    sentences = ["The sky is blue.", "I refuse to say.", "Grass is green."]
    parts = linear(refuse=1.0).contributions(sentences, fields("", " ".join(sentences), ended=False)[WHOLE])
    assert parts.shape == (3, OUTPUTS)
    assert parts[:, 1].argmax() == 1


def test_saved_and_loaded(tmp_path: Path) -> None:
    """The same logits come from the file."""
    model = linear(refuse=0.5)
    model.save(tmp_path / "linear.safetensors")
    found = fields("why", f"I refuse. {'And more. ' * EDGE}", ended=True)
    assert Linear.load(tmp_path / "linear.safetensors").logits(found) == pytest.approx(model.logits(found))
