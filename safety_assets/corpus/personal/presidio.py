"""A second opinion on personal data: the patterns of Microsoft's presidio-analyzer, an optional package.

    pip install 'safety_assets[presidio]'

Without an engine of the caller's the patterns run on an NLP engine that does nothing, so nothing is downloaded, and
what presidio finds with a language model (names, places, nationalities) is not found; words in the context raise no
score either. Its recognisers of e-mail and web addresses are left out, since they may fetch a list of domains; so are
bank accounts, driving licences and passports, whose patterns fit any number. About 1 ms per text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from safety_assets.corpus.detect import Detector, seen
from safety_assets.corpus.personal.find import find_pii
from safety_assets.corpus.personal.spans import SEVERITIES, mask
from safety_assets.errors import ProjectError
from safety_assets.policy import PHONE_REGIONS

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

KINDS = {
    "CREDIT_CARD": "payment_card",
    "IBAN_CODE": "iban",
    "US_SSN": "us_ssn",
    "US_ITIN": "national_id",
    "UK_NHS": "national_id",
    "MEDICAL_LICENSE": "national_id",
    "IP_ADDRESS": "ip_address",
    "PHONE_NUMBER": "phone",
}
"""Presidio's entity to the kind of finding."""

LEAST_SCORE = 0.4
"""Presidio's own score (0..1) of a pattern that a checksum or a strict form confirms."""


def presidio_data(
    regions: Sequence[str] = PHONE_REGIONS,
    engine: "AnalyzerEngine | None" = None,
    kinds: Mapping[str, str] = KINDS,
) -> Detector:
    """A detector of what presidio finds and `find_pii` does not.

    Args:
        regions: as in `phones.phone_numbers`; given to presidio's phone recogniser too.
        engine: an engine of the caller's, English, perhaps with a language model; by default patterns alone.
        kinds: presidio's entities that are asked for, to kinds of finding that are keys of SEVERITIES.

    Raises:
        ProjectError: presidio-analyzer is not installed.
    """
    analyzer = engine or pattern_engine(regions)

    def find(turns: pl.DataFrame) -> pl.DataFrame:
        return seen(
            {"row": row, "turn": turn, "start": start, "end": end, "finding": kind,
             "severity": SEVERITIES[kind], "evidence": f"presidio: {mask(text[start:end])}"}
            for row, turn, text in turns.select("row", "turn", "text").iter_rows()
            for start, end, kind in _new(text, analyzer, kinds, regions)
        )  # fmt: skip

    return find


def pattern_engine(regions: Sequence[str] = PHONE_REGIONS) -> "AnalyzerEngine":
    """Presidio's English patterns on an engine without a language model.

    Raises:
        ProjectError: presidio-analyzer is not installed.
    """
    try:
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import NoOpNlpEngine
        from presidio_analyzer.predefined_recognizers import PhoneRecognizer
    except ModuleNotFoundError as error:
        raise ProjectError(
            f"the policy asks for presidio, and {error.name} is not installed",
            expected="presidio-analyzer 2.2.366 or later",
            do="pip install 'safety_assets[presidio]', or set corpus.presidio to false in the policy",
        ) from error
    nothing = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "none"}])
    nothing.load()
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=nothing)
    registry.remove_recognizer("PhoneRecognizer")
    registry.add_recognizer(PhoneRecognizer(supported_regions=tuple(regions)))
    return AnalyzerEngine(registry=registry, nlp_engine=nothing, supported_languages=["en"])


def _new(
    text: str, analyzer: "AnalyzerEngine", kinds: Mapping[str, str], regions: Sequence[str]
) -> Iterator[tuple[int, int, str]]:
    known = find_pii(text, regions)
    for place in analyzer.analyze(text, language="en", entities=list(kinds), score_threshold=LEAST_SCORE):
        if not any(span.start < place.end and place.start < span.end for span in known):
            yield place.start, place.end, kinds[place.entity_type]
