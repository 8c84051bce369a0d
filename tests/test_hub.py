"""The local engine and the Hub: what is downloaded, and what the reader is told where something is in the way."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from conftest import ANSWER, GREEDY, ask, text_of
from fake_hub import COMMIT, ID, TOKEN, FakeHub, Shelf, padded, shelve
from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled

from chat.engines import fit
from chat.engines.hub import Hub, explained
from chat.engines.local import LocalEngine
from chat.errors import LoadError
from chat.session import watch


def edit_config(folder: Path, **values: object) -> None:
    """Changes the model's configuration."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **values}))


def refused(engine: LocalEngine) -> str:
    """Why the engine does not load."""
    with pytest.raises(LoadError) as caught:
        list(engine.stream(ask(), GREEDY))
    return str(caught.value)


def test_downloads_once(fake: FakeHub, tmp_path: Path) -> None:
    """A model is downloaded at the first question and answers; another engine takes it from the cache."""
    hub = fake.hub(tmp_path)
    assert text_of(LocalEngine(ID, hub=hub).stream(ask(), GREEDY)) == ANSWER
    served = dict(fake.served)
    assert served["model.safetensors"] == (fake.shelves[ID].folder / "model.safetensors").stat().st_size
    assert text_of(LocalEngine(ID, hub=hub).stream(ask(), GREEDY)) == ANSWER
    assert fake.served == served


def test_downloads_what_is_needed(fake: FakeHub, tmp_path: Path) -> None:
    """Pickles, GGUFs, second copies, code and subfolders stay where they are."""
    unwanted = [
        "pytorch_model.bin",
        "m.gguf",
        "consolidated.safetensors",
        "original/model.safetensors",
        "run.py",
        "a.md",
    ]

    def add(folder: Path) -> None:
        for name in unwanted:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(b"0" * 1000)

    shelve(fake, tmp_path, add)
    list(LocalEngine(ID, hub=fake.hub(tmp_path / "cache")).stream(ask(), GREEDY))
    assert {"config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"} <= set(fake.served)
    assert not set(unwanted) & set(fake.served)


def test_sharded_weights(fake: FakeHub, tmp_path: Path) -> None:
    """Weights in several files come whole."""
    from transformers import AutoModelForCausalLM

    def shard(folder: Path) -> None:
        model = AutoModelForCausalLM.from_pretrained(folder)
        (folder / "model.safetensors").unlink()
        model.save_pretrained(folder, max_shard_size="100KB")
        assert len(list(folder.glob("model-*-of-*.safetensors"))) > 1

    shelve(fake, tmp_path, shard)
    hub = fake.hub(tmp_path / "cache")
    assert text_of(LocalEngine(ID, hub=hub).stream(ask(), GREEDY)) == ANSWER
    fake.status = 503
    assert text_of(LocalEngine(ID, hub=hub).stream(ask(), GREEDY)) == ANSWER


def test_progress(fake: FakeHub, tmp_path: Path) -> None:
    """While the model is downloaded the stream tells how much of it is here, ever more, from nothing to all."""
    shelve(fake, tmp_path, padded(35_000_000))
    fake.pause = 0.02
    chunks = list(LocalEngine(ID, hub=fake.hub(tmp_path / "cache")).stream(ask(), GREEDY))
    shares = [chunk.loading for chunk in chunks if chunk.loading is not None]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.5 < shares[-1] <= 1
    assert len(set(shares)) > 3
    assert chunks[-1].loading is None


def test_progress_reaches_the_reply(fake: FakeHub, tmp_path: Path) -> None:
    """The same share is in the pipeline's updates until there is text."""
    fake.pause = 0.2
    updates = list(watch(LocalEngine(ID, hub=fake.hub(tmp_path)), ask(), GREEDY))
    assert any(update.reply.loading is not None for update in updates)
    assert all(update.reply.loading is None for update in updates if update.reply.text)


def test_pinned_commit_needs_no_hub(fake: FakeHub, tmp_path: Path) -> None:
    """A commit that is in the cache is loaded without a question to the Hub."""
    hub = fake.hub(tmp_path)
    assert text_of(LocalEngine(ID, revision=COMMIT, hub=hub).stream(ask(), GREEDY)) == ANSWER
    fake.asked.clear()
    assert text_of(LocalEngine(ID, revision=COMMIT, hub=hub).stream(ask(), GREEDY)) == ANSWER
    assert fake.asked == []


def test_cached_model_works_without_network(fake: FakeHub, tmp_path: Path) -> None:
    """What was downloaded once is used where the Hub is away, refuses, or is gone."""
    hub = fake.hub(tmp_path)
    list(LocalEngine(ID, hub=hub).stream(ask(), GREEDY))
    away = dataclasses.replace(hub, endpoint="http://127.0.0.1:9")
    assert text_of(LocalEngine(ID, hub=away).stream(ask(), GREEDY)) == ANSWER
    for status in (401, 403, 404, 429, 500):
        fake.status = status
        assert text_of(LocalEngine(ID, hub=hub).stream(ask(), GREEDY)) == ANSWER


def test_gated_model_with_access(fake: FakeHub, tmp_path: Path) -> None:
    """A gated model is fetched by a token that was let in."""
    fake.shelves[ID] = dataclasses.replace(fake.shelves[ID], gated=True)
    fake.members = frozenset({"hf_member"})
    hub = fake.hub(tmp_path, token="hf_member")
    assert text_of(LocalEngine(ID, hub=hub).stream(ask(), GREEDY)) == ANSWER


@pytest.mark.parametrize(
    ("source", "shelf", "token", "told"),
    [
        ("nobody/nothing", {}, False, r"nobody/nothing is not on the Hub, or it is private\. .* `hf auth login`"),
        ("nobody/nothing", {}, TOKEN, r"is not on the Hub, or it is private\. .*check that your token may read it"),
        (ID, {"private": True}, False, "is not on the Hub, or it is private"),
        (ID, {"gated": True}, False, r"gated, which means .* Agree at http.*/tiny/teller, then log in"),
        (ID, {"gated": True}, TOKEN, "gated, and your token's account has not been let in"),
        (ID, {}, "hf_wrong", "did not accept your token when asked for tiny/teller"),
    ],
)
def test_not_allowed(
    fake: FakeHub, tmp_path: Path, source: str, shelf: dict[str, bool], token: str | Literal[False], told: str
) -> None:
    """An unknown, private or gated model, and a token that is wrong, are each told apart with what to do."""
    fake.shelves[ID] = dataclasses.replace(fake.shelves[ID], **shelf)
    assert re.search(told, refused(LocalEngine(source, hub=fake.hub(tmp_path, token=token))))
    assert "model.safetensors" not in fake.served


def test_no_such_revision(fake: FakeHub, tmp_path: Path) -> None:
    """A revision that is not there is named as what is wrong."""
    told = refused(LocalEngine(ID, revision="v9", hub=fake.hub(tmp_path)))
    assert "has no such revision" in told


@pytest.mark.parametrize(
    ("status", "told"),
    [(403, "Check its permissions"), (429, "Wait some minutes"), (500, "Try again later"), (503, "Try again later")],
)
def test_hub_out_of_order(fake: FakeHub, tmp_path: Path, status: int, told: str) -> None:
    """A Hub that refuses or is broken is not taken for a model that is."""
    fake.status = status
    assert told in refused(LocalEngine(ID, hub=fake.hub(tmp_path)))


def test_no_network(tmp_path: Path) -> None:
    """Without a network, a model that was never downloaded is an error that says so; nothing hangs."""
    began = time.monotonic()
    told = refused(LocalEngine(ID, hub=Hub(endpoint="http://127.0.0.1:9", cache=tmp_path, token=False)))
    assert "has not been downloaded yet, and the Hub cannot be reached" in told
    assert time.monotonic() - began < 20


def full_disk() -> Exception:
    """A full disk, as huggingface_hub wraps it."""
    error = RuntimeError("Data processing error")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OfflineModeIsEnabled("offline"), "HF_HUB_OFFLINE forbids it"),
        (HFValidationError("bad id"), "neither a folder here nor an id on the Hub"),
        (full_disk(), "does not fit on the disk of .* `hf cache rm`"),
        (TimeoutError("timed out"), r"the Hub cannot be reached \(timed out\)"),
        (ConnectionResetError(), r"the Hub cannot be reached \(ConnectionResetError\)"),
        (RuntimeError("odd\nand long"), r"could not be fetched from the Hub: odd Try again\."),
    ],
)
def test_explained(error: Exception, told: str, tmp_path: Path) -> None:
    """Errors that no Hub can be made to cause are explained too, each in one paragraph."""
    text = str(explained(error, ID, Hub(cache=tmp_path)))
    assert re.search(told, text)
    assert "\n" not in text


def test_recovers(fake: FakeHub, tmp_path: Path) -> None:
    """Once what was in the way is gone, the same engine answers."""
    engine = LocalEngine(ID, hub=fake.hub(tmp_path))
    fake.status = 503
    refused(engine)
    fake.status = None
    assert text_of(engine.stream(ask(), GREEDY)) == ANSWER


def test_too_large_is_not_downloaded(fake: FakeHub, tmp_path: Path) -> None:
    """A model that cannot fit is refused by its metadata: nothing of it is downloaded, and smaller ones are named."""
    free = fit.room().memory_bytes
    fake.shelves[ID] = dataclasses.replace(fake.shelves[ID], claimed=2 * free)
    hub = fake.hub(tmp_path)
    told = refused(LocalEngine(ID, hub=hub))
    assert re.search(r"needs (about )?[\d,.]+ GB", told)
    assert fake.served == {}
    needs = fit.requirements(ID, hub=hub)
    assert (needs.parameters, needs.dtype) == (free, "bfloat16")
    assert needs.download_bytes >= 2 * free


def test_requirements_count_the_cache(fake: FakeHub, tmp_path: Path) -> None:
    """What is in the cache need not be downloaded again, and does not count."""
    hub = fake.hub(tmp_path)
    before = fit.requirements(ID, hub=hub)
    assert before.download_bytes > before.weights_bytes > 0
    list(LocalEngine(ID, hub=hub).stream(ask(), GREEDY))
    after = fit.requirements(ID, hub=hub)
    assert after.download_bytes == 0
    assert after.weights_bytes == before.weights_bytes


def remove_template(folder: Path) -> None:
    """A base model."""
    (folder / "chat_template.jinja").unlink()


def bring_code(folder: Path) -> None:
    """A model of an own kind, whose code would leave a file behind."""
    edit_config(folder, model_type="homemade", auto_map={"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"})
    (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n")


def be_too_new(folder: Path) -> None:
    """A kind of model that this transformers does not know."""
    edit_config(folder, model_type="qwen99")


def be_no_writer(folder: Path) -> None:
    """A model that recognises speech."""
    edit_config(folder, model_type="wav2vec2")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (remove_template, "no chat template, so it is not a chat model"),
        (bring_code, "can only be run with Python code that comes with it"),
        (be_too_new, r"of a kind \(qwen99\) that transformers [\d.]+ does not know\. Update it"),
        (be_no_writer, "wav2vec2 model, which does not write text"),
    ],
)
def test_unusable_is_known_before_the_weights(
    fake: FakeHub, tmp_path: Path, change: Callable[[Path], None], told: str
) -> None:
    """Small files tell that a model cannot be used; its weights are not downloaded and its code does not run."""
    shelve(fake, tmp_path, change)
    assert re.search(told, refused(LocalEngine(ID, hub=fake.hub(tmp_path / "cache"))))
    assert "model.safetensors" not in fake.served
    assert not (tmp_path / "shelf" / "ran").exists()


def test_code_runs_where_the_host_trusts_it(fake: FakeHub, tmp_path: Path) -> None:
    """With the host's consent, a model's own code is fetched and run."""

    def bring(folder: Path) -> None:
        edit_config(
            folder, model_type="homemade", auto_map={"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Writer"}
        )
        (folder / "own.py").write_text(
            "from transformers import LlamaConfig, LlamaForCausalLM\n\n\n"
            "class Own(LlamaConfig):\n    model_type = 'homemade'\n\n\n"
            "class Writer(LlamaForCausalLM):\n    config_class = Own\n"
        )

    shelve(fake, tmp_path, bring)
    hub = fake.hub(tmp_path / "cache")
    assert "Python code" in refused(LocalEngine(ID, hub=hub))
    assert text_of(LocalEngine(ID, trust_remote_code=True, hub=hub).stream(ask(), GREEDY)) == ANSWER


@pytest.mark.parametrize(
    ("file", "told"),
    [("m.gguf", "llama.cpp or Ollama"), ("pytorch_model.bin", "pickled"), ("adapter_model.safetensors", "adapter")],
)
def test_no_usable_weights(fake: FakeHub, tmp_path: Path, file: str, told: str) -> None:
    """A repository without weights to load says what it has, and how that can be run."""

    def rename(folder: Path) -> None:
        (folder / "model.safetensors").rename(folder / file)

    shelve(fake, tmp_path, rename)
    assert re.search(f"no weights in the safetensors format.*{told}", refused(LocalEngine(ID, hub=fake.hub(tmp_path))))


def in_terminal(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with nobody logged in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING_FACE"))}
    root = Path(__file__).parents[1]
    return subprocess.run(
        [*command], env={**kept, **env}, capture_output=True, text=True, timeout=120, check=False, cwd=root
    )


def test_by_environment(fake: FakeHub, tmp_path: Path) -> None:
    """`HF_ENDPOINT` and `HF_HOME` are heeded: the command downloads a model by its id and prints its answer."""
    done = in_terminal(
        sys.executable, "-m", "chat", "ask", "Who?", "--engine", ID, HF_ENDPOINT=fake.endpoint, HF_HOME=str(tmp_path)
    )
    assert (done.returncode, ANSWER in done.stdout) == (0, True), done.stderr
    assert "%" not in done.stderr  # no bars of others beside ours
    assert (tmp_path / "hub" / "models--tiny--teller" / "snapshots" / COMMIT / "config.json").exists()


FULL_DISK = """
import sys
from pathlib import Path
from chat.engines.download import fetch
from chat.engines.hub import Hub, look_up
from chat.errors import LoadError
hub = Hub(endpoint=sys.argv[1], cache=Path(sys.argv[2]))
try:
    fetch(look_up("tiny/teller", None, hub), hub)
except LoadError as error:
    print(error)
"""


def test_disk_full_in_the_middle(fake: FakeHub, tmp_path: Path) -> None:
    """A disk that fills up during the download is named, with how to make room."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("needs Linux and unshare to make a small disk")
    small = "mount -t tmpfs -o size=400k none " + str(tmp_path)
    if subprocess.run(["unshare", "-rm", "sh", "-c", small], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    shelve(fake, tmp_path, padded(2_000_000))
    fake.shelves[ID] = Shelf(folder=Path(shutil.copytree(tmp_path / "shelf", tmp_path.parent / "beside")))
    script = f'{small} && exec "$0" -W ignore -c "$1" "$2" {tmp_path}'
    done = in_terminal("unshare", "-rm", "sh", "-c", script, sys.executable, FULL_DISK, fake.endpoint)
    assert "does not fit on the disk of" in done.stdout, done.stderr
    assert "`hf cache rm`" in done.stdout
