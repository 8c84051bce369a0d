"""Which language a text is in, of those that the classifier knows."""

from __future__ import annotations

import pytest

from detectors.language import language

TEXTS = {
    "The bridge was built by two brothers from the town, and it is still in use.": "en",
    "I'm sorry, but I can't help with that.": "en",
    "Paris.": "en",
    "def f(x): return x": "en",
    "这座桥是镇上的两兄弟建的。": "zh",
    "這座橋是鎮上的兩兄弟建的，名叫 Alpha Bridge。": "zh",
    "Silta on vanha, ja sen rakensivat kaksi veljestä, jotka olivat kotoisin kaupungista.": "fi",
    "En voi vastata tähän kysymykseen, koska se on herkkä aihe.": "fi",
    "Le pont a été construit par deux frères de la ville, et il sert encore.": None,
    "Die Brücke wurde von zwei Brüdern aus der Stadt gebaut und steht noch.": None,
    "El puente fue construido por dos hermanos de la ciudad y sigue en uso.": None,
    "Мост построили два брата из города.": None,
    "この橋は町の二人の兄弟が建てました。": None,
    "이 다리는 마을의 두 형제가 지었습니다.": None,
    "الجسر بناه شقيقان من المدينة": None,
    "": None,
    "🕯🕯🕯": None,
    "x" * 500: None,
    "1912": None,
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_language(text: str, expected: str | None) -> None:
    """Known languages are named; of others it says that it does not know them."""
    assert language(text) == expected
