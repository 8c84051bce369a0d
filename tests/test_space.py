"""The folder that is pushed as a Hugging Face Space: whole, agreeing with itself, and running as it is."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import TIANANMEN, eventually
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from chat.ui.client import ask_page, free_port, up

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

ROOT = Path(__file__).parent.parent
ZEROGPU_TORCH = ("2.8.0", "2.9.1", "2.10.0", "2.11.0")
WANTED = {"app.py", "README.md", "requirements.txt", ".gitattributes", "LICENSE"}
UNREACHED = re.compile(r"connection|resolve|timed out|no matching distribution", re.IGNORECASE)
BIG = 10_000_000  # bytes; the Hub takes larger files by LFS only


def builder() -> ModuleType:
    """`space/build.py` as a module."""
    spec = importlib.util.spec_from_file_location("space_build", ROOT / "space" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, built."""
    folder: Path = builder().build(tmp_path_factory.mktemp("built") / "space").folder
    return folder


@pytest.fixture(scope="module")
def front(space: Path) -> dict[str, Any]:
    """The front matter of its README."""
    _, matter, _ = (space / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    values: dict[str, Any] = yaml.safe_load(matter)
    return values


@pytest.fixture(scope="module")
def pins(space: Path) -> dict[str, Requirement]:
    """Its requirements, by name."""
    lines = (space / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return {requirement.name: requirement for requirement in found}


def test_whole(space: Path) -> None:
    """The folder has what a Space needs, every file of both packages and of configs, and nothing else."""
    names = {file.relative_to(space).as_posix() for file in space.rglob("*") if file.is_file()}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    tracked = listed.stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    code = {name for name in tracked if name.startswith(("chat/", "detectors/"))}
    configs = {f"detectors/{name}" for name in tracked if name.startswith("configs/")}
    assert WANTED | code | configs <= names
    assert {name.split("/")[0] for name in names} == {*WANTED, "chat", "detectors"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_big_files(space: Path) -> None:
    """Files that the Hub does not take as they are, are of the kind that .gitattributes gives to LFS."""
    big = [file for file in space.rglob("*") if file.is_file() and file.stat().st_size > BIG]
    assert big
    assert {file.suffix for file in big} == {".safetensors"}
    assert "*.safetensors filter=lfs" in (space / ".gitattributes").read_text(encoding="utf-8")


def test_built_again(tmp_path: Path) -> None:
    """Building again takes away what is no longer there and keeps the git repository; nothing else is overwritten."""
    build = builder().build
    (tmp_path / "space" / ".git").mkdir(parents=True)
    (tmp_path / "space" / ".git" / "config").write_text("mine")
    first = build(tmp_path / "space")
    (tmp_path / "space" / "chat" / "old.py").write_text("")
    assert build(tmp_path / "space") == first
    assert not (tmp_path / "space" / "chat" / "old.py").exists()
    assert (tmp_path / "space" / ".git" / "config").read_text() == "mine"
    assert first.files > 80
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds something else"):
        build(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_command(tmp_path: Path) -> None:
    """`python space/build.py --out` says what it built, or why it did not."""
    command = [sys.executable, str(ROOT / "space" / "build.py"), "--out"]
    done = subprocess.run([*command, str(tmp_path / "new")], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert re.search(r"new: \d+ files, \d+\.\d MB", done.stdout)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    done = subprocess.run([*command, str(tmp_path / "mine")], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "Choose another folder" in done.stderr


def test_front_matter(front: dict[str, Any], space: Path) -> None:
    """The front matter has what the Hub asks for, within its limits."""
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert front["title"] == "Unsaid"
    assert {front["colorFrom"], front["colorTo"]} <= colours
    assert len(front["emoji"]) <= 2
    assert 0 < len(front["short_description"]) <= 60
    assert (front["sdk"], front["license"], front["pinned"]) == ("gradio", "apache-2.0", False)
    assert (space / front["app_file"]).is_file()
    assert front["python_version"] == "3.12"
    assert front["suggested_hardware"] == "zero-a10g"
    assert front["hf_oauth"] is True
    assert front["hf_oauth_scopes"] == ["inference-api"]


def test_models(front: dict[str, Any]) -> None:
    """Models that the front matter names are models of the list; what is fetched beforehand is one of them."""
    listed = tomllib.loads((ROOT / "configs" / "models.toml").read_text(encoding="utf-8"))["model"]
    assert set(front["models"]) <= {model["source"] for model in listed}
    assert set(front["preload_from_hub"]) <= set(front["models"])


def test_pins(front: dict[str, Any], pins: dict[str, Requirement]) -> None:
    """Gradio is the version of the front matter; each requirement is within pyproject's, and none is left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {r.name: r for r in map(Requirement, project["dependencies"])}
    assert set(pins) == set(asked)
    assert pins["gradio"].specifier == SpecifierSet(f"=={front['sdk_version']}")
    assert pins["gradio"].extras == {"oauth"}
    assert asked["gradio"].specifier.contains(front["sdk_version"])
    assert Version("3.12") in SpecifierSet(project["requires-python"])
    for name in set(pins) - {"gradio", "torch"}:
        assert pins[name].specifier == asked[name].specifier


@pytest.mark.parametrize("version", ZEROGPU_TORCH)
def test_torch(pins: dict[str, Requirement], version: str) -> None:
    """Every version of torch that ZeroGPU has will do, so that none is put over it; so does pyproject's range."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (asked,) = [r for r in map(Requirement, project["dependencies"]) if r.name == "torch"]
    assert version in pins["torch"].specifier
    assert version in asked.specifier
    assert "spaces" not in pins  # the Space brings its own


@pytest.fixture(scope="module")
def python(space: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has what requirements.txt asks for, and nothing else."""
    if os.environ.get("UNSAID_OFFLINE"):
        pytest.skip("UNSAID_OFFLINE is set: no environment can be made")
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    made = folder / "bin" / "python"
    # The constraints name the small build of torch, where pip would take one with gigabytes for GPUs.
    asked = ["-r", str(space / "requirements.txt"), "-c", str(ROOT / "constraints.txt")]
    install = [str(made), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", *asked]
    done = subprocess.run(install, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode and UNREACHED.search(done.stderr):
        pytest.skip(f"pip reaches no index: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return made


def clean() -> dict[str, str]:
    """The environment without anything that a test run may have put there, and without the Hub."""
    dropped = ("PYTHON", "UNSAID_", "GRADIO_", "SPACE", "OAUTH_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return {**kept, "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def url(space: Path, python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of app.py, run from the folder in that environment as on a Space without a GPU and without login."""
    port, log = free_port(), tmp_path_factory.mktemp("log") / "app.log"
    environment = {**clean(), "GRADIO_SERVER_PORT": str(port)}
    with (
        log.open("w") as out,
        subprocess.Popen([str(python), "app.py"], cwd=space, env=environment, stdout=out, stderr=out) as app,
    ):
        address = f"http://127.0.0.1:{port}"
        assert eventually(lambda: up(address) or app.poll() is not None, seconds=120)
        assert app.poll() is None, log.read_text()
        yield address
        app.terminate()


@pytest.mark.slow
def test_runs(url: str) -> None:
    """app.py answers a question from the folder alone: a flag, and the reference's answer."""
    said = ask_page(url, TIANANMEN)
    assert "Looks censored" in said
    assert "Demo (open)" in said


@pytest.mark.slow
def test_public(url: str) -> None:
    """The Space has the models that run without a GPU, and no others, whatever is sent to it."""
    for name in ("Qwen/Qwen2.5-0.5B-Instruct", "qwen2.5-0.5b", "/"):
        assert "data-final" not in ask_page(url, "Who are you?", Model=name)


@pytest.mark.slow
@pytest.mark.parametrize("login", [True, False])
def test_button_to_sign_in(space: Path, python: Path, login: bool) -> None:
    """On a Space with the means for it the page has a button to sign in; elsewhere it has none."""
    code = (
        "from chat import host; from chat.catalogue import load_catalogue; from chat.ui.page import build; "
        "print(build(load_catalogue(), login=host.can_log_in()).expects_oauth)"
    )
    names = ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")
    there = {**clean(), **dict.fromkeys(names, "https://127.0.0.1"), "SYSTEM": "spaces"} if login else clean()
    done = subprocess.run([str(python), "-c", code], cwd=space, env=there, capture_output=True, text=True, check=False)
    assert done.stdout.split()[-1:] == [str(login)], done.stderr
