"""Builds the folder that is pushed as a Hugging Face Space: `python space/build.py [--out dist/space]`."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# (here, there). A Space installs requirements.txt before it copies the repository, so the code lies beside app.py
# instead of being installed; configs lie where the wheel has them too.
PARTS = (
    (HERE / "app.py", "app.py"),
    (HERE / "README.md", "README.md"),
    (HERE / "requirements.txt", "requirements.txt"),
    (HERE / "gitattributes", ".gitattributes"),
    (ROOT / "LICENSE", "LICENSE"),
    (ROOT / "chat", "chat"),
    (ROOT / "detectors", "detectors"),
    (ROOT / "configs", "detectors/configs"),
    (HERE / "host.toml", "detectors/configs/host.toml"),
)
RECORDINGS = ROOT / "recordings"  # replies to replay, where there are any
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


@dataclass(frozen=True, kw_only=True)
class Built:
    """What was built: the folder, how many files it has, and their size in bytes."""

    folder: Path
    files: int
    size: int


def build(out: Path) -> Built:
    """Makes the folder anew; a git repository in it stays, so that it can be pushed again.

    Raises `FileExistsError` where there is a folder that was not built here.
    """
    if out.exists() and any(out.iterdir()):
        if not (out / "app.py").is_file() and not (out / ".git").exists():
            raise FileExistsError(f"{out} holds something else. Choose another folder with --out, or empty it.")
        _empty(out)
    out.mkdir(parents=True, exist_ok=True)
    parts = (*PARTS, (RECORDINGS, "recordings")) if RECORDINGS.is_dir() else PARTS
    for here, there in parts:
        if here.is_dir():
            shutil.copytree(here, out / there, ignore=LEFT_OUT, dirs_exist_ok=True)
        else:
            shutil.copyfile(here, out / there)
    sizes = [file.stat().st_size for file in _files(out)]
    return Built(folder=out, files=len(sizes), size=sum(sizes))


def _empty(out: Path) -> None:
    for old in out.iterdir():
        if old.name == ".git":
            continue
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()


def _files(folder: Path) -> Iterator[Path]:
    return (f for f in folder.rglob("*") if f.is_file() and ".git" not in f.relative_to(folder).parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Builds, and says what was built."""
    parser = argparse.ArgumentParser(description="Builds the folder that is pushed as a Hugging Face Space.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "space", help="the folder (default: dist/space)")
    try:
        built = build(parser.parse_args(argv).out)
    except OSError as error:
        print(f"space/build.py: {error}", file=sys.stderr)
        return 1
    print(f"{built.folder}: {built.files} files, {built.size / 1e6:.1f} MB. docs/hosting.md says how to push it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
