"""The local engine's benchmark."""

from __future__ import annotations

import pytest

from chat.engines.bench import measure


@pytest.mark.slow
def test_figures_of_the_demo() -> None:
    """Watching costs little, first words come soon, and Stop takes at most one more step of the model."""
    figures = measure(rounds=3)
    assert figures.tokens > 50
    assert figures.stop_passes <= 1
    # The aims are 0.15 seconds and 0.97; three rounds on a busy machine say less.
    assert figures.first_text_seconds < 0.3
    assert figures.processor_ratio > 0.8
