"""The wheel: whole, and working on its own, away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REFUSAL, TIANANMEN

pytestmark = pytest.mark.slow
pytest.importorskip("build", reason="build is not installed")
pytest.importorskip("hatchling", reason="hatchling is not installed")

ROOT = Path(__file__).parent.parent
SITE = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
SECONDS = 300


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    (file,) = out.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def run(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python with the installed wheel and its dependencies, and nothing of the checkout, in a folder elsewhere."""
    target, elsewhere = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("elsewhere")
    install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(target), str(wheel)]
    done = subprocess.run([sys.executable, *install], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    # -S leaves out .pth files, and with them the editable install.
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("UNSAID_", "PYTHON"))}
    environment = {**kept, "PYTHONPATH": os.pathsep.join([str(target), *SITE]), "HF_HUB_OFFLINE": "1"}

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", *arguments],
            cwd=elsewhere,
            env={**environment, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )

    return python


def test_wheel_is_whole(wheel: Path) -> None:
    """The wheel holds every file of the packages and of configs, the demo's weights among them, and nothing else."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    for name in ("page.toml", "models.toml", "topics.toml"):
        assert f"detectors/configs/{name}" in names
    for name in ("page.css", "frame.css"):
        assert f"chat/ui/{name}" in names
    for file in (ROOT / "chat/engines/demo/knowledge").glob("*.toml"):
        assert file.relative_to(ROOT).as_posix() in names
    for model in ("open", "censored"):
        assert {f"chat/engines/demo/{model}/{name}" for name in ("model.safetensors", "tokenizer.json")} <= names
    assert not [name for name in names if not name.startswith(("chat/", "detectors/"))]
    assert not [name for name in names if "__pycache__" in name or "test" in name.split("/")[-1]]


def test_licence_and_command(wheel: Path) -> None:
    """The wheel comes with its licence and the `unsaid` command."""
    archive = zipfile.ZipFile(wheel)
    (points,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
    assert "unsaid = chat.cli:main" in archive.read(points).decode()
    assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())


def test_nothing_of_the_checkout(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """What the other tests here run is the installed wheel, with its own configs."""
    code = "import chat, detectors.config; print(chat.__file__, detectors.config.config_dir(), sep='\\n')"
    done = run("-c", code)
    assert done.returncode == 0, done.stderr
    assert all(not Path(line).is_relative_to(ROOT) for line in done.stdout.split())
    assert done.stdout.split()[1].endswith("configs")


def test_models(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """The installed command lists its models."""
    done = run("-m", "chat", "models")
    assert done.returncode == 0, done.stderr
    assert "demo-censored" in done.stdout
    assert "demo-open" in done.stdout


def test_ask(run: Callable[..., subprocess.CompletedProcess[str]], refusing: Path) -> None:
    """The installed command asks a model and gives its verdict, topic and evidence."""
    done = run("-m", "chat", "ask", TIANANMEN, "--engine", str(refusing), "--temperature", "0", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["reply"] == REFUSAL
    assert (said["flag"], said["label"], said["final"]) == ("looks_censored", "refused", True)
    assert said["topic"]["region"] == "China"
    assert said["evidence"]


def test_demo(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """The demo pair works as installed: the same question is avoided by one model, and answered by the other."""
    done = run("-m", "chat", "ask", TIANANMEN, "--reference", "demo-open", "--temperature", "0", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["flag"] == "looks_censored"
    assert said["reference"]["flag"] == "no_sign", said["reference"]


def test_page(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """The page can be built from what is installed."""
    code = (
        "from chat.catalogue import load_catalogue; from chat.ui.page import build; from chat.ui.theme import look; "
        "build(load_catalogue()); print(look()['css_paths'].is_file())"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"
