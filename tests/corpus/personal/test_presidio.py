import importlib.util
from dataclasses import dataclass

import polars as pl
import pytest

from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.personal.presidio import KINDS, presidio_data
from safety_assets.errors import ProjectError

INSTALLED = importlib.util.find_spec("presidio_analyzer") is not None


@dataclass
class Place:
    entity_type: str
    start: int
    end: int


class Engine:
    """Takes every run of digits for a phone number, as far as phone numbers are asked for."""

    def analyze(self, text: str, language: str, entities: list[str], score_threshold: float) -> list[Place]:
        words = [(text.index(word), word) for word in text.split() if word.isdigit()]
        return [Place("PHONE_NUMBER", at, at + len(word)) for at, word in words if "PHONE_NUMBER" in entities]


def turns(*texts: str) -> pl.DataFrame:
    return TURNS.frame(
        [{"row": n, "turn": 0, "role": "user", "text": text, "question": ""} for n, text in enumerate(texts)]
    )


def test_only_what_the_own_patterns_do_not_find_is_added() -> None:
    found = presidio_data(engine=Engine())(turns("2128675309 then, phone 7858949", "nothing"))  # type: ignore[arg-type]
    assert found.select("row", "start", "end", "finding", "severity", "evidence").rows() == [
        (0, 0, 10, "phone", "low", "presidio: 2*********")
    ]


def test_entities_that_are_not_asked_for_are_not_found() -> None:
    found = presidio_data(engine=Engine(), kinds={"CRYPTO": "secret"})(turns("2128675309"))  # type: ignore[arg-type]
    assert found.is_empty()


@pytest.mark.skipif(INSTALLED, reason="presidio-analyzer is installed")
def test_without_the_package_the_error_says_what_to_install() -> None:
    with pytest.raises(ProjectError, match=r"pip install 'safety_assets\[presidio\]'"):
        presidio_data()


@pytest.mark.skipif(not INSTALLED, reason="presidio-analyzer, an extra, is not installed")
def test_presidio_itself_adds_a_licence() -> None:
    found = presidio_data()(turns("DEA number BB1388568 and 4111 1111 1111 1111"))
    assert found.select("start", "end", "finding").rows() == [(11, 20, KINDS["MEDICAL_LICENSE"])]
