"""The share of a loading that is done."""

from __future__ import annotations

import pytest

from chat.engines.progress import Cancelled, Progress


def test_parts_follow_each_other() -> None:
    """Each part counts for its share of what is left, and the last one ends at all of it."""
    progress, shares = Progress(), []
    with progress.part(0.5):
        for share in (0.0, 0.5, 1.0):
            progress.report(share)
            shares.append(progress.share)
    with progress.part(0.5):
        progress.report(0.5)
        shares.append(progress.share)
    with progress.part(1.0):
        progress.report(0.5)
        shares.append(progress.share)
    assert shares == [0.0, 0.25, 0.5, 0.625, 0.875]
    assert progress.share == 1.0


def test_never_goes_back() -> None:
    """A report that is behind, or beyond what there is, changes nothing that was shown."""
    progress = Progress()
    for share, shown in ((0.4, 0.4), (0.2, 0.4), (-1.0, 0.4), (7.0, 1.0), (0.5, 1.0)):
        progress.report(share)
        assert progress.share == shown


def test_cancelling_ends_it_at_the_next_report() -> None:
    """Who loads learns from the next report that nobody wants it any more."""
    progress = Progress()
    progress.report(0.5)
    progress.cancel()
    with pytest.raises(Cancelled):
        progress.report(0.6)
    assert progress.share == 0.5
