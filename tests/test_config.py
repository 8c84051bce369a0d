"""Reading `configs/*.toml`: what is wrong in a file is said, with the file's name and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from detectors import DetectorError
from detectors.config import CONFIGS_VARIABLE, config_dir, read
from detectors.errors import ConfigError
from detectors.topics import load_topics
from detectors.types import ReasonKind

TEA = "[[tea]]\nname = 'Oolong'\n"


@dataclass(frozen=True)
class Pot:
    """Something to brew in."""

    material: str
    litres: float = 1.0


@dataclass(frozen=True)
class Tea:
    """One `[[tea]]`."""

    name: str
    minutes: int = 3
    kind: ReasonKind = ReasonKind.OTHER
    pot: Pot | None = None
    names: tuple[str, ...] = ()
    prices: dict[str, float] | None = None


@dataclass(frozen=True)
class Shop:
    """The whole file."""

    tea: tuple[Tea, ...]
    title: str = "Tea"
    open: bool = True
    best: Tea | None = None
    shelf: list[Pot] | None = None


def read_text(text: str | bytes, folder: Path) -> Shop:
    """A file of this text, read."""
    file = folder / "shop.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read("shop", Shop, path=file)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tea = []", Shop(())),
        (TEA, Shop((Tea("Oolong"),))),
        ("\ufeff" + TEA, Shop((Tea("Oolong"),))),  # as some editors begin a file
        (TEA.replace("\n", "\r\n"), Shop((Tea("Oolong"),))),
        ("title = '茶 🍵'\n" + TEA + "minutes = 5", Shop((Tea("Oolong", 5),), "茶 🍵")),
        (TEA + "kind = 'safety'\nnames = ['乌龙', '烏龍']",
         Shop((Tea("Oolong", kind=ReasonKind.SAFETY, names=("乌龙", "烏龍")),))),
        (TEA + "pot = { material = 'clay' }", Shop((Tea("Oolong", pot=Pot("clay")),))),
        (TEA + "[tea.pot]\nmaterial = 'clay'\nlitres = 0.5", Shop((Tea("Oolong", pot=Pot("clay", 0.5)),))),
        (TEA + "[tea.prices]\nany_key = 2\n'an other' = 3.5",
         Shop((Tea("Oolong", prices={"any_key": 2.0, "an other": 3.5}),))),
        ("tea = []\n[best]\nname = 'Green'\n[[shelf]]\nmaterial = 'tin'",
         Shop((), best=Tea("Green"), shelf=[Pot("tin")])),
    ],
)  # fmt: skip
def test_reads(text: str, expected: Shop, tmp_path: Path) -> None:
    """A file becomes a dataclass, with defaults for what it leaves out."""
    assert read_text(text, tmp_path) == expected


# (text, what the message says besides the name of the file)
WRONG: list[tuple[str | bytes, list[str]]] = [
    # Unknown keys
    ("titel = 'T'\ntea = []", ["unknown key 'titel'", "Did you mean 'title'?"]),
    ("Title = 'T'\ntea = []", ["unknown key 'Title'", "Did you mean 'title'?"]),
    ("colour = 'red'\ntea = []", ["unknown key 'colour'", "Known here: best, open, shelf, tea, title."]),
    (TEA + "minuts = 3", ["unknown key 'tea[0].minuts'", "Did you mean 'minutes'?"]),
    (TEA + TEA + "minute = 3", ["unknown key 'tea[1].minute'", "Did you mean 'minutes'?"]),
    (TEA + "pot = { material = 'clay', liters = 1 }", ["unknown key 'tea[0].pot.liters'", "Did you mean 'litres'?"]),
    ("tea = []\n[best]\nnam = 'Green'", ["unknown key 'best.nam'", "Did you mean 'name'?"]),
    ("tea = []\n[[shelf]]\nmatter = 'tin'", ["unknown key 'shelf[0].matter'", "Did you mean 'material'?"]),
    ("[[teas]]\nname = 'Green'", ["unknown key 'teas'", "Did you mean 'tea'?"]),
    # Wrong types
    ("tea = []\ntitle = 3", ["title", "valid string", "it is 3"]),
    ("tea = 'Green'", ["tea", "it is 'Green'"]),
    ("tea = 3", ["tea", "it is 3"]),
    (TEA + "minutes = 'long'", ["tea.0.minutes", "valid integer", "it is 'long'"]),
    (TEA + "minutes = 2.5", ["tea.0.minutes", "integer", "it is 2.5"]),
    (TEA + "names = 'Oolong'", ["tea.0.names", "it is 'Oolong'"]),
    (TEA + "names = ['a', 3]", ["tea.0.names.1", "valid string", "it is 3"]),
    (TEA + "kind = 'politics'", ["tea.0.kind", "'political', 'safety', 'capability'", "it is 'politics'"]),
    (TEA + "pot = 'clay'", ["tea.0.pot", "it is 'clay'"]),
    ("tea = []\nopen = 'sometimes'", ["open", "valid boolean", "it is 'sometimes'"]),
    # Missing keys
    ("", ["tea", "required"]),
    ("title = 'T'", ["tea", "required"]),
    ("[[tea]]", ["tea.0.name", "required"]),
    (TEA + "pot = {}", ["tea.0.pot.material", "required"]),
    # Not TOML
    ("tea = ", ["not valid TOML", "Correct that line."]),
    ('title = "T\ntea = []', ["not valid TOML", "line 1", "Correct that line."]),
    ("tea = []\ntitle: 'T'", ["not valid TOML", "line 2", "Correct that line."]),
    ("tea = []\ntea = []", ["not valid TOML", "Correct that line."]),
    ('{"tea": []}', ["not valid TOML", "line 1", "Correct that line."]),
    ("tea = []\x00", ["not valid TOML", "Correct that line."]),
    # Not UTF-8
    ("title = '茶'\ntea = []".encode("gb18030"), ["not UTF-8", "Save it as UTF-8."]),
    ("title = 'Thé'\ntea = []".encode("latin-1"), ["not UTF-8", "at byte 11", "Save it as UTF-8."]),
    ("tea = []".encode("utf-16"), ["not UTF-8", "at byte 0", "Save it as UTF-8."]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_what_is_wrong(text: str | bytes, says: list[str], tmp_path: Path) -> None:
    """The message names the file, the place in it, what stands there and what to do."""
    with pytest.raises(ConfigError) as caught:
        read_text(text, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'shop.toml'}: ")
    assert all(part in message for part in says), message
    assert message.endswith((".", "?"))
    assert "\n" not in message


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named, and the variable that says where to look."""
    for file in (tmp_path / "no.toml", tmp_path / "no" / "no.toml"):
        with pytest.raises(ConfigError) as caught:
            read("no", Shop, path=file)
        assert str(caught.value) == f"{file}: no such file. Set {CONFIGS_VARIABLE} to the folder that has it."


def test_file_in_place_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that names a file, not its folder, is met with the same words."""
    file = tmp_path / "shop.toml"
    file.write_text(TEA)
    monkeypatch.setenv(CONFIGS_VARIABLE, str(file))
    with pytest.raises(ConfigError, match=f"no such file. Set {CONFIGS_VARIABLE} to the folder"):
        read("shop", Shop)


def test_folder_in_place_of_a_file(tmp_path: Path) -> None:
    """A folder cannot be read as a file, and the message says so."""
    with pytest.raises(ConfigError) as caught:
        read("shop", Shop, path=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: cannot be read: ")


def test_errors_have_one_root() -> None:
    """Whoever catches the package's root error catches this one."""
    assert issubclass(ConfigError, DetectorError)


def test_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable says in which folder the files are, at each read."""
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "shop.toml").write_text(f"title = '{name}'\ntea = []")
        monkeypatch.setenv(CONFIGS_VARIABLE, str(folder))
        assert config_dir() == folder
        assert read("shop", Shop) == Shop((), name)


def test_path_outweighs_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path given to the call is read wherever the variable points."""
    monkeypatch.setenv(CONFIGS_VARIABLE, str(tmp_path / "nowhere"))
    assert read_text(TEA, tmp_path).tea == (Tea("Oolong"),)


@pytest.mark.parametrize("value", [None, ""])
def test_without_the_variable(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset or empty, the files that come with the package are read, from any working directory."""
    if value is None:
        monkeypatch.delenv(CONFIGS_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(CONFIGS_VARIABLE, value)
    monkeypatch.chdir("/")
    assert config_dir().is_absolute()
    assert (config_dir() / "topics.toml").is_file()
    assert load_topics().entries


def test_variable_without_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own that lacks a file is an error, and not silently the package's file."""
    monkeypatch.setenv(CONFIGS_VARIABLE, str(tmp_path))
    with pytest.raises(ConfigError, match=r"topics\.toml: no such file"):
        load_topics()
