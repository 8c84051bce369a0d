"""The page's words and colours, as they are shipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gradio.themes import Base

from chat.ui.texts import load_texts
from chat.ui.theme import CSS, theme
from detectors import Flag, Label, Outcome
from detectors.config import config_dir

TEXTS = load_texts()
STYLE = CSS.read_text(encoding="utf-8")
UNTOLD = (Outcome.RUNNING, Outcome.COMPLETE)  # while it runs and at the model's own full stop there is nothing to tell
READABLE = 4.5  # WCAG 2.2, 1.4.3: contrast of text with its background, level AA
RED = "--un-red"


def test_texts_are_those_of_configs() -> None:
    """The words come from `configs/page.toml`, and those that stand alone are not empty."""
    assert (config_dir() / "page.toml").is_file()
    assert all((TEXTS.title, TEXTS.tagline, TEXTS.placeholder, TEXTS.ask, TEXTS.caveat))


@pytest.mark.parametrize("flag", Flag)
def test_every_flag_has_words(flag: Flag) -> None:
    """Every flag has a title, and a sentence that a layman understands."""
    words = TEXTS.flag.of(flag)
    assert words.title
    assert words.about.endswith(".")


@pytest.mark.parametrize("label", Label)
def test_every_label_has_words(label: Label) -> None:
    """Every label has a sentence: the chat shows one under each reply."""
    assert TEXTS.label[label].endswith(".")


@pytest.mark.parametrize("outcome", Outcome)
def test_every_end_has_words(outcome: Outcome) -> None:
    """Every way for a reply to end other than the model's own full stop has a sentence."""
    assert TEXTS.outcome.get(outcome, "").endswith(".") is (outcome not in UNTOLD)


def test_sentences_differ() -> None:
    """No two flags, labels or outcomes are told in the same words."""
    sentences = [*(TEXTS.flag.of(flag).about for flag in Flag), *TEXTS.label.values(), *TEXTS.outcome.values()]
    assert len(set(sentences)) == len(sentences)


def test_examples_are_different_questions() -> None:
    """There are questions to click, in more than one language, none of them twice."""
    questions = [example.question for example in TEXTS.example]
    assert len(questions) >= 4
    assert len(set(questions)) == len(questions)
    assert any(question.isascii() for question in questions)
    assert any(not question.isascii() for question in questions)


def colours(dark: bool) -> dict[str, str]:
    """The variables of page.css in this mode."""
    block = re.search(rf"^{re.escape('.dark' if dark else ':root')} \{{(.*?)\}}", STYLE, re.DOTALL | re.MULTILINE)
    assert block
    return dict(re.findall(r"(--un-[\w-]+): (#[0-9a-f]{6});", block[1]))


def rule(selector: str) -> dict[str, str]:
    """The declarations that page.css makes for exactly this selector, alone or in a list."""
    found: dict[str, str] = {}
    for selectors, body in re.findall(r"^([^\s@/}][^{}]*)\{([^{}]*)\}", STYLE, re.MULTILINE):
        if selector in [each.strip() for each in selectors.split(",")]:
            found.update((k.strip(), v.strip()) for k, v in re.findall(r"([\w-]+):([^;]*);", body))
    return found


def resolve(value: str, dark: bool) -> str:
    """A colour of page.css or of the theme as #rrggbb."""
    name = re.fullmatch(r"var\((--[\w-]+)\)", value)
    if not name:
        return value
    return colours(dark)[name[1]] if name[1].startswith("--un-") else themed(name[1], dark)


def themed(name: str, dark: bool) -> str:
    """A colour variable of the theme as #rrggbb."""
    attribute = name.removeprefix("--").replace("-", "_")
    made: Base = theme()
    value: str = getattr(made, f"{attribute}_dark" if dark else attribute)
    return str(getattr(made, value.removeprefix("*"))) if value.startswith("*") else value


def luminance(colour: str) -> float:
    """Relative luminance, from 0 to 1 (WCAG 2.2)."""
    assert re.fullmatch("#[0-9a-f]{6}", colour), colour
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_of_black_and_white() -> None:
    """The measure is right at its ends."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("flag", Flag)
def test_flag_is_readable(flag: Flag, dark: bool) -> None:
    """A flag's title, text and small print can be read on its background, in light and in dark."""
    look = {**rule(".un-flag"), **rule(f".un-flag--{flag.value}")}
    wash = resolve(look["--un-w"], dark)
    inks = [look["--un-c"], *(f"var(--{name})" for name in ("body-text-color", "body-text-color-subdued"))]
    assert all(contrast(resolve(ink, dark), wash) >= READABLE for ink in inks)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "selector",
    [
        *(f".un-chip--{flag.value}" for flag in Flag if flag is not Flag.TOO_EARLY),
        *(f".un-why--{label} b" for label in ("refused", "deflected", "official_line")),
        *(".un-chip", ".un-why b", ".un-alert", ".un-notice", "#question .stop-button"),
    ],
)
def test_words_are_readable(selector: str, dark: bool) -> None:
    """Whatever has a colour and a background of its own can be read, in light and in dark."""
    look = rule(selector)
    assert contrast(resolve(look["color"], dark), resolve(look["background"], dark)) >= READABLE


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_censored_is_the_red_one(dark: bool) -> None:
    """Only what looks censored is red."""
    red = {flag for flag in Flag if RED in rule(f".un-flag--{flag.value}").get("--un-c", "")}
    assert red == {Flag.LOOKS_CENSORED}
    assert len(set(colours(dark).values())) == len(colours(dark))


def test_every_colour_is_set_for_dark() -> None:
    """Light and dark have the same variables, and no rule uses one that there is not."""
    assert colours(dark=False).keys() == colours(dark=True).keys()
    assert set(re.findall(r"var\((--un-(?!.\)).*?)\)", STYLE)) == set(colours(dark=False))


def test_nothing_is_fetched_from_elsewhere() -> None:
    """The page's styles load nothing."""
    for file in Path(CSS).parent.glob("*.css"):
        assert not re.search(r"url\(|@import|https?:", file.read_text(encoding="utf-8"))
