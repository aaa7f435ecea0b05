"""Where an answer refuses, hedges and protects personal data."""

import pytest

from safety_assets.reading.fold import fold
from safety_assets.reading.places import places


def seen(text: str, kind: str) -> list[str]:
    return [text[p.start : p.end] for p in places(text) if p.kind == kind]


def test_refusals_behind_the_opening_are_found_too() -> None:
    body = "Open the window while you clean. " * 12
    text = f"Sure, here is how to store it. {body}However, I can't help with mixing it."
    assert seen(text, "refusal") == ["However, I can't help with mixing it."]


@pytest.mark.parametrize(
    "sentence",
    [
        "I'm not a doctor.",
        "Please consult a lawyer before you sign.",
        "This is not legal advice.",
        "As an AI language model, I do not have opinions of my own.",
        "It depends on the soil.",
        "Results may vary.",
        "I may be wrong.",
        "Use this responsibly.",
        "For educational purposes only.",
        "I don't have access to current prices.",
    ],
)
def test_hedges(sentence: str) -> None:
    assert seen(f"Boil the eggs. {sentence} Peel them under the tap.", "hedge") == [sentence]


@pytest.mark.parametrize(
    "text",
    [
        "The doctor depends on her assistant, and they talk to patients all day.",
        "8. Seek professional advice:\nlist what you spend.",
        "Colours vary from blue to green.",
        "Ask your sister.",
    ],
)
def test_no_hedges(text: str) -> None:
    assert seen(text, "hedge") == []


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        (
            "Hello. I cannot share personal information about clients. Bye.",
            "I cannot share personal information about clients.",
        ),
        ("The clerk is [NAME], at your service.", "[NAME]"),
        ("Card ****-****-****-1234 is blocked.", "****-****-****-1234"),
        ("Nothing is passed on without your consent. It is free.", "Nothing is passed on without your consent."),
        ("We respect the privacy of all guests.", "We respect the privacy of all guests."),
    ],
)
def test_privacy_markers(text: str, marked: str) -> None:
    assert seen(text, "privacy") == [marked]


def test_no_privacy_markers() -> None:
    assert seen("Use **bold** for the address of the museum, and [link](x) for the phone number.", "privacy") == []


def test_folding_keeps_every_place() -> None:
    text = "\u0130\u00df \u201cSo\u201d \u2019t \ufb03"
    assert len(fold(text)) == len(text)
    assert fold(text)[3] == '"'
