"""The look of the page: ink on paper, one red. System fonts only, so that nothing is fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradio.themes import Base
from gradio.themes.utils.colors import Color

CSS = Path(__file__).with_name("page.css")
FRAME_CSS = Path(__file__).with_name("frame.css")

_INK = Color(
    c50="#faf8f4", c100="#f3f0e9", c200="#e6e1d6", c300="#d0c9bb", c400="#a59d8e",
    c500="#7d766a", c600="#5d574e", c700="#433f38", c800="#2a2723", c900="#1d1b18", c950="#131210",
)  # fmt: skip
_RED = Color(
    c50="#fdf3f1", c100="#fbe3df", c200="#f6c6be", c300="#ee9f93", c400="#e06f60",
    c500="#c8372d", c600="#b02c23", c700="#91241d", c800="#781f1a", c900="#651d19", c950="#370b09",
)  # fmt: skip
_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Noto Sans CJK SC", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def look() -> dict[str, Any]:
    """The arguments of `Blocks.launch` that dress the page."""
    frame = f"<style>{FRAME_CSS.read_text(encoding='utf-8')}</style>"
    return {"theme": theme(), "css_paths": CSS, "head": frame}


def theme() -> Base:
    """The theme; `page.css` does what a theme cannot."""
    return Base(primary_hue=_RED, secondary_hue=_INK, neutral_hue=_INK, font=_SANS, font_mono=_MONO).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="*neutral_900",
        block_background_fill="#ffffff",
        block_background_fill_dark="*neutral_900",
        block_border_width="1px",
        block_border_color="*neutral_200",
        block_border_color_dark="*neutral_800",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_400",
        block_radius="10px",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        button_primary_background_fill="*neutral_900",
        button_primary_background_fill_hover="*neutral_700",
        button_primary_background_fill_dark="*neutral_100",
        button_primary_background_fill_hover_dark="*neutral_300",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="*neutral_900",
        button_secondary_background_fill="transparent",
        button_secondary_background_fill_dark="transparent",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_700",
        input_background_fill="#ffffff",
        input_background_fill_dark="*neutral_900",
    )
