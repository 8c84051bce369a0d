"""Which language a text is in, of those that the classifier has learned, and how much it says."""

from __future__ import annotations

import re

LETTERS = 2000  # characters that are looked at
SHORT = 6  # a text of fewer words has too few common ones to tell by
LONG_WORD = 30  # characters; what is longer in so few words is no language
# The commonest words make up a larger share than this of running text in their language, and a smaller one elsewhere.
COMMON = 0.12
COMMON_FINNISH = 0.06  # Finnish says with endings what others say with small words
CHARACTERS_PER_CJK = 3  # a Chinese character says about as much as three Latin ones
_HAN = re.compile(r"[\u4e00-\u9fff]")
_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_KANA = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    _WORD.findall(
        "the of and to in a is that it for on was with as are this be by or an not from have has which their but they "
        "you your i my we can will would could about there here"
    )
)
_FINNISH = frozenset(
    _WORD.findall(
        "ja on ei että oli ovat joka jotka myös mutta kuin tai sen niin kun voi hän tämä jos sekä joita "
        "ole olen olla mukaan vain koska jossa siitä ovatko"
    )
)


def language(text: str) -> str | None:
    """`en`, `zh`, `fi`, or None for any other. A few Latin words count as English."""
    text = text[:LETTERS]
    letters = sum(map(str.isalpha, text))
    han, kana, other = (len(pattern.findall(text)) for pattern in (_HAN, _KANA, _OTHER_SCRIPT))
    if 10 * (kana + other) > letters:
        return None
    words = _WORD.findall(_HAN.sub(" ", text).lower())
    if 2 * han > len(words):
        return "zh"
    if len(words) < SHORT:
        return "en" if words and len(text) < SHORT * LONG_WORD else None
    common = {name: sum(w in known for w in words) / len(words) for name, known in (("en", _ENGLISH), ("fi", _FINNISH))}
    if common["fi"] > common["en"]:
        return "fi" if common["fi"] >= COMMON_FINNISH else None
    return "en" if common["en"] >= COMMON else None


def weight(text: str, enough: int) -> int:
    """How much text there is, in Latin characters; of more than `enough` the rest is not looked at closely."""
    cjk = sum("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in text[: enough + 1])
    return len(text) + cjk * (CHARACTERS_PER_CJK - 1)
