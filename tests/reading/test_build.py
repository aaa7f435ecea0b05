"""The shipped weights are what the source gives, and the source holds no harm."""

import re

import numpy as np

from safety_assets.reading import answers, requests
from safety_assets.reading.linear import Linear, load
from safety_assets.reading.written import Written, digest
from safety_assets.reading.written import answers as written_answers
from safety_assets.reading.written import requests as written_requests

SLOT = re.compile(r"\{[A-Za-z]\w*\}")


def test_the_shipped_weights_are_of_the_text_that_is_there() -> None:
    """After a change of the source or of the pool: python -m safety_assets.reading.build, and both benchmarks --write.

    That a build gives these weights, `tests/real_data/test_published_answers.py` says: it takes a minute.
    """
    assert load(answers.SHIPPED).facts["text"] == digest(written_answers())
    assert load(requests.SHIPPED).facts["text"] == digest(written_requests())


def test_the_source_is_wide_and_always_the_same() -> None:
    first, second = written_answers(), written_answers()
    assert first == second
    assert len({one.text for one in first}) == len(first)
    for verdict in answers.VERDICTS:
        assert sum(one.verdict == verdict for one in first) > 50
    assert not [one for one in first if SLOT.search(one.text)]
    asked = written_requests()
    assert {one.category for one in asked} == {*requests.CATEGORIES, requests.NONE}
    assert not [one for one in asked if SLOT.search(one.text)]


def test_what_helps_never_does_what_a_harmful_request_asks() -> None:
    """Bodies of answers are harmless: none says how the things are done that the source names as harmful."""
    helping = [one for one in written_answers() if one.verdict in ("compliance", "hedged")]
    assert not [one for one in helping if _harmful(one)]


def _harmful(one: Written) -> bool:
    words = ("molotov", "ransomware", "keylogger", "ricin", "thermite", "napalm", "noose", "launder money")
    return not one.style.startswith("pool") and any(word in one.text.lower() for word in words)


def test_weights_are_numbers_one_can_read() -> None:
    model: Linear = load(answers.SHIPPED)
    assert np.isfinite(model.weights).all()
    assert model.temperature > 0
    assert model.reasons(answers.answer_features(["i cannot help with that."])[0], "full_refusal")[0] == "declines"
