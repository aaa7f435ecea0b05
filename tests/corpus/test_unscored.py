import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.unscored import unscored_languages, unscored_scripts

ENGLISH = "How do I close my account without paying a fee? Thank you very much for your help with this."
GERMAN = "Wie kann ich mein Konto schließen, ohne eine Gebühr zu zahlen? Ich danke Ihnen schon jetzt sehr dafür."
SPANISH = "¿Cómo puedo cerrar mi cuenta sin pagar ninguna comisión? Muchas gracias por su ayuda con este asunto."


def turns(*texts: str) -> pl.DataFrame:
    return TURNS.frame(
        [{"row": 5 + n, "turn": 2, "role": "user", "text": text, "question": ""} for n, text in enumerate(texts)]
    )


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("Привет, как дела сегодня?", "Cyrillic 100% of 20 letters"),
        ("да", "Cyrillic 100% of 2 letters"),
        ("こんにちは世界", "Hiragana 71%, Han 29% of 7 letters"),
        ("हिन्दी में", "Devanagari 100% of 4 letters"),
        ("English first, then скрытый текст", "Cyrillic 43% of 28 letters"),
        ("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", "another script 100% of 9 letters"),
        ("\U0001d421\U0001d41e\U0001d425\U0001d425\U0001d428", "another script 100% of 5 letters"),  # bold hello
        ("\uff28\uff25\uff2c\uff2c\uff2f", "another script 100% of 5 letters"),  # wide hello
    ],
)
def test_a_message_in_another_script_is_unscored_and_the_script_named(text: str, evidence: str) -> None:
    (found,) = unscored_scripts(turns(text)).rows(named=True)
    assert (found["row"], found["turn"], found["start"], found["severity"]) == (5, 2, None, "low")
    assert found["finding"] == "unscored_script"
    assert found["evidence"].partition(":")[0] == evidence


@pytest.mark.parametrize(
    "text",
    [
        ENGLISH,
        GERMAN,
        "",
        "12:30, 3 + 4",
        "let \u03b1 + β = Σ x",
        "The Greek word αγάπη means love, in English.",
        "😀😀😀",
    ],
)
def test_latin_letters_formulas_and_a_foreign_word_are_read(text: str) -> None:
    assert unscored_scripts(turns(text)).is_empty()


def test_a_language_that_nobody_reads_is_named() -> None:
    found = unscored_languages()(turns(ENGLISH, GERMAN, SPANISH, "Danke!"))
    assert [(row, evidence[:11]) for row, evidence in found.select("row", "evidence").rows()] == [
        (6, "language de"),
        (7, "language es"),
    ]
    assert found["start"].null_count() == 2


def test_a_covered_language_is_not_reported() -> None:
    assert unscored_languages(("en", "de"))(turns(GERMAN)).is_empty()


def test_code_and_lists_are_no_foreign_language() -> None:
    code = "for (int i = 0; i < numRows; i++) { total += rows[i].amount; }\nreturn total / numRows;\n"
    words = "apples, oranges, bananas, pears, grapes, cherries, lemons, limes, plums, peaches, melons"
    assert unscored_languages()(turns(code, words)).is_empty()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=80), max_size=6))
def test_odd_text_breaks_nothing_and_is_about_the_message(texts: list[str]) -> None:
    for found in (unscored_scripts(turns(*texts)), unscored_languages()(turns(*texts))):
        assert set(found["row"]) <= set(range(5, 5 + len(texts)))
        assert found["start"].null_count() == found.height
