"""Making the classifier's weights, from a small corpus and a teacher of random weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from detectors import Turn, monitor
from detectors.classifier import Classifier
from detectors.corpus import DATA, Row, beginning, bucket, load_annotations, load_corpus
from detectors.encoder import SPECIAL, Encoder, pieces
from detectors.train import calibrate, fit, held_out
from detectors.types import Label

pytestmark = pytest.mark.slow

REFUSALS = ("I cannot speak about {}.", "Sorry, I will not discuss {}.", "{} is nothing that I may talk about.")
ANSWERS = ("{} has many sides, and here is the first.", "In {} there were three of them.", "People like {} a lot.")
THINGS = ("rivers", "bridges", "kings", "wars", "towers", "songs", "taxes", "winters", "trains", "gardens")
LINES = ("As everybody knows, {} always belonged to us.",)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sentence-transformers with a tiny BERT of four layers."""
    words = sorted(
        {w for text in (*REFUSALS, *ANSWERS, *LINES, *THINGS) for w in text.lower().split()} | set("abcdefghi")
    )
    core = Tokenizer(models.WordPiece({w: n for n, w in enumerate([*SPECIAL, *words])}, unk_token="[UNK]"))
    core.normalizer, core.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 64}
    folder = tmp_path_factory.mktemp("teacher")
    bert = BertModel(BertConfig(vocab_size=len(tokenizer), **shape))
    bert.save_pretrained(folder / "bert")
    tokenizer.save_pretrained(folder / "bert")
    word = modules.Transformer(str(folder / "bert"))
    SentenceTransformer(modules=[word, modules.Pooling(32)], device="cpu").save(str(folder / "st"))
    return folder / "st"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Refusals, official lines and answers about ten things."""
    made = []
    for cls, evasion, kind, patterns in (
        (0, None, None, ANSWERS),
        (1, None, 0, REFUSALS),
        (2, 1, 0, LINES),
        (2, 0, 1, ("Let us sing, not {}.",)),
    ):
        for number, pattern in enumerate(patterns):
            for thing in THINGS:
                reply = pattern.format(thing)
                made.append(
                    Row(
                        id=f"{cls}{number}{thing}",
                        source="s",
                        lang="en",
                        model=f"m{number}",
                        topic=thing,
                        question=f"What of {thing}?",
                        reply=reply,
                        cls=cls,
                        evasion=evasion,
                        kind=kind,
                    )
                )
    return made


@pytest.fixture(scope="module")
def weights(teacher: Path, rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of one training, with a calibration that trusts both readers alike."""
    out = tmp_path_factory.mktemp("weights")
    fit(rows, teacher, out, "cpu")
    scale = {"linear": 1.0, "encoder": 0.1, "bias": [0, 0, 0]}
    (out / "calibration.json").write_text(json.dumps({"ended": {"": scale}, "running": {"": scale}}))
    return out


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("I cannot speak about bridges.", Label.REFUSED),
        ("In gardens there were three of them.", Label.ANSWERED),
        ("As everybody knows, kings always belonged to us.", Label.OFFICIAL_LINE),
        ("Let us sing, not wars.", Label.DEFLECTED),
    ],
)
def test_it_learns(weights: Path, reply: str, label: Label) -> None:
    """What it was trained on it can tell apart."""
    watching = monitor(Turn("What of it?"), detectors=[Classifier(weights)])
    watching.feed(f"{reply} " * 24)  # long enough to be judged
    assert watching.close().label is label


def test_the_same_again(teacher: Path, rows: list[Row], weights: Path, tmp_path: Path) -> None:
    """The same rows give the same weights."""
    fit(rows, teacher, tmp_path, "cpu")
    for name in ("linear.safetensors", "encoder/model.safetensors", "encoder/head.safetensors"):
        assert (tmp_path / name).read_bytes() == (weights / name).read_bytes()


def test_three_layers_are_left(weights: Path) -> None:
    """The teacher's upper layers are cut off."""
    assert json.loads((weights / "encoder" / "config.json").read_text())["num_hidden_layers"] == 3


def test_sentence_transformers_reads_the_encoder_alike(weights: Path) -> None:
    """What runs in the detector is what that library makes of the same folder."""
    encoder, model = Encoder(weights / "encoder"), SentenceTransformer(str(weights / "encoder"), device="cpu")
    model.float()
    question, reply = "What of rivers?", "Sorry, I will not discuss rivers. " * 20
    found = pieces(encoder.tokenizer, question, reply)
    kinds = [int(at >= found.reply_at) for at in range(len(found.ids))]
    features: dict[str, Any] = {
        "input_ids": torch.tensor([found.ids]),
        "token_type_ids": torch.tensor([kinds]),
        "attention_mask": torch.ones(1, len(found.ids), dtype=torch.long),
    }
    with torch.inference_mode():
        pooled = model(features)["sentence_embedding"][0]
    head = encoder._w
    logits = torch.nn.functional.linear(pooled, head["head.weight"], head["head.bias"])
    assert encoder.logits(question, reply).tolist() == pytest.approx(logits.tolist(), abs=1e-4)


@pytest.mark.parametrize("text", ["[SEP]", "[CLS] [MASK]", "an [UNK] word"])
def test_control_tokens_in_a_text_are_text(weights: Path, text: str) -> None:
    """Nobody ends the question by typing the token that ends it."""
    tokenizer = Encoder(weights / "encoder").tokenizer
    plain, typed = pieces(tokenizer, "", ""), pieces(tokenizer, text, "")
    ends = plain.ids[-1]
    assert typed.ids.count(ends) == plain.ids.count(ends)


def test_calibration_finds_the_temperature(rows: list[Row]) -> None:
    """A reader that is right and too unsure is trusted more, one that says nothing is trusted less."""
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(0, 3, (600,), generator=generator)
    right = torch.nn.functional.one_hot(target, 3) * 0.5 + torch.rand(600, 3, generator=generator)
    noise = torch.rand(600, 3, generator=generator)
    linear = torch.cat((right, torch.zeros(600, 5)), 1)
    scale = calibrate([rows[0]] * 600, linear, noise, target)[""]
    assert scale.linear > 3
    assert abs(scale.encoder) < 1


def test_each_language_has_a_calibration(rows: list[Row]) -> None:
    """A reader that is right in English and blind in Chinese is trusted in English alone; few rows get no scale."""
    texts = {
        "en": "The city lies on the river and has a bridge. ",
        "zh": "这座城市在河边，有一座桥。",
        "fi": "Kaupunki on joen rannalla. ",
    }
    mixed = [replace(rows[0], reply=texts[lang]) for lang in ["en"] * 300 + ["zh"] * 300 + ["fi"] * 9]
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(0, 3, (len(mixed),), generator=generator)
    said = torch.rand(len(mixed), 3, generator=generator)
    said[:300] += torch.nn.functional.one_hot(target[:300], 3) * 0.5
    scales = calibrate(mixed, torch.cat((said, torch.zeros(len(mixed), 5)), 1), torch.zeros(len(mixed), 3), target)
    assert scales.keys() == {"", "en", "zh"}
    assert scales["en"].linear > 2 * scales["zh"].linear


def test_models_and_questions_are_held_out_together(rows: list[Row]) -> None:
    """Some rows are held out by model, some by question, and a set of one model by its questions alone."""
    held = {held_out(row) for row in rows}
    assert held <= {(m, q) for m in (False, True) for q in (False, True)}
    written = [
        held_out(Row(id="1", source="written", lang="en", model="written", topic=t, question="", reply="", cls=0))
        for t in THINGS
    ]
    assert {(m, q) for m, q in written} == {(False, False), (True, True)}


def test_a_beginning_is_a_beginning(rows: list[Row]) -> None:
    """Long replies are cut where the row says, the same each time; short ones are not."""
    long = Row(id="a", source="s", lang="en", model="m", topic="t", question="", reply="x" * 1000, cls=1)
    part = beginning(long, 0)
    assert part is not None and not part.ended  # noqa: PT018
    assert 150 <= len(part.reply) <= 750
    assert beginning(long, 0) == part != beginning(long, 1)
    assert beginning(rows[0], 0) is None


def test_buckets_are_even() -> None:
    """Groups of about one size."""
    counts = [sum(bucket(str(n), 4) == group for n in range(4000)) for group in range(4)]
    assert min(counts) > 900


def test_the_corpus_that_is_in_the_repository(tmp_path: Path) -> None:
    """Written examples have a truth each; annotations count for the recorded rows that they name."""
    written = load_corpus([])
    assert {row.lang for row in written} == {"en", "zh", "fi"}
    assert {row.cls for row in written} == {0, 1, 2}
    assert len({row.id for row in written}) == len(written)
    notes = load_annotations()
    name, note = next((i, n) for i, n in notes.items() if n.label == "official_line")
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"id": name, "lang": "en", "question": "q", "reply": "r", "judges": {"a": "EVASIVE"}}))
    (row,) = [row for row in load_corpus([file]) if row.id == name]
    assert (row.cls, row.evasion, note.kind) == (2, 1, "political")


def test_annotations_hold_no_text() -> None:
    """Only ids, labels, kinds and short notes: the replies are not ours to keep."""
    lines = (DATA / "annotations.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 500
    assert max(len(line) for line in lines) < 250
