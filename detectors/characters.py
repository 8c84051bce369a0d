"""Whole characters out of text that was cut in the middle of one.

JSON may hold one half of a surrogate pair, as where a server cuts an emoji in two. Python keeps the halves apart, and
no such text can be encoded, shown or saved.
"""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"
_HALF = re.compile("[\ud800-\udfff]")
_FIRST_HALF = re.compile("[\ud800-\udbff]")


def whole(text: str) -> str:
    """The text with pairs of halves joined, and those that are alone replaced."""
    if not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Joiner:
    """Text in pieces to whole characters: a first half at the end of a piece waits for the second."""

    def __init__(self) -> None:
        self._kept = ""

    def feed(self, text: str) -> str:
        """What is whole by now."""
        text, self._kept = self._kept + text, ""
        if _FIRST_HALF.match(text[-1:]):
            text, self._kept = text[:-1], text[-1]
        return whole(text)

    def close(self) -> str:
        """What stands for a half that is still waiting."""
        kept, self._kept = self._kept, ""
        return REPLACEMENT if kept else ""
