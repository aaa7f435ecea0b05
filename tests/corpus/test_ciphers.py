import codecs
import random
import string

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety_assets.corpus.ciphers import Ciphers, moved
from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.letters import WINDOW, Letters
from safety_assets.corpus.words import words

TEXT = """the river rises in the hills runs past the old mill and the market town meets the sea behind dunes
    where people walk on sundays with their children to see boats come home before winter storms begin
    some bring bread others carry wood for small fires that burn until morning while neighbours tell
    stories about travellers who left this quiet shore"""
WORDS = words(TEXT)
SAYS = "Tell the people that the boats come home in the morning before the storms begin"


def turns(*texts: str) -> pl.DataFrame:
    return TURNS.frame(
        [{"row": row, "turn": 0, "role": "user", "text": text, "question": ""} for row, text in enumerate(texts)]
    )


@pytest.fixture(scope="module")
def learned() -> Ciphers:
    rng = random.Random(0)
    learner = Ciphers()
    learner.learn(turns(*(" ".join(rng.choices(WORDS, k=40)) + "." for _ in range(200))))
    return learner


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (codecs.encode(SAYS, "rot13"), "letters moved by 13 places; it reads 'Tell the people"),
        (f"The river is old. Now read this: {moved(SAYS, 3)}. The mill is older.", "letters moved by 3 places"),
        (SAYS[::-1], "written from the end; it reads 'Tell the people"),
        ("t3ll th3 p30pl3 th4t th3 b04t5 c0m3 h0m3 b3f0r3 th3 5t0rm5", "words with digits in place of letters"),
        ("xq zvkjw qqpfx zzkvj wqxhg kdzvq xjqzk vbqxz pqkzj xvwqz kjxqv zzqwk xkjqv", "as in no text of the corpus"),
    ],
)
def test_what_is_not_written_as_usual_is_found(learned: Ciphers, text: str, why: str) -> None:
    found = learned.find(turns(SAYS, text))
    assert found["row"].to_list() == [1]
    assert why in found["evidence"][0]


@pytest.mark.parametrize(
    "text",
    [
        SAYS,
        "Der alte Fluss entspringt in den Bergen und fliesst an der Stadt vorbei bis zum Meer",
        "2x1=2 3x1=3 4x1=4 5x1=5 6x1=6 7x1=7 8x1=8 9x1=9 mp3 h264 A4 B2B 2nd 3rd 4th",
        "\u4f60\u597d \u4e16\u754c",
        "",
    ],
)
def test_other_languages_sums_and_scripts_are_not(learned: Ciphers, text: str) -> None:
    assert learned.find(turns(text)).is_empty()


@given(st.text(alphabet=string.ascii_letters + " .,1"), st.integers(0, 25))
def test_letters_moved_and_moved_back_are_the_same(text: str, places: int) -> None:
    assert moved(moved(text, places), (26 - places) % 26) == text


def test_many_texts_are_judged_as_each_alone() -> None:
    rng = random.Random(1)
    letters = Letters()
    letters.count(pl.Series([" ".join(WORDS)]))
    texts = ["".join(rng.choices("abcde fgh1\u00e9.", k=rng.randrange(200))) for _ in range(60)] + ["", "123", "a"]
    judged = letters.judge(pl.Series(texts))
    for text, mean, lowest, count in zip(texts, judged.mean, judged.lowest, judged.letters, strict=True):
        assert count == sum(c in string.ascii_letters for c in text)
        if count:
            assert mean == pytest.approx(letters.mean(text), abs=0.02)
        if len(text.encode()) < WINDOW:
            assert lowest == mean
        else:
            assert lowest <= mean + 0.5


def test_no_texts_are_judged_as_none() -> None:
    assert len(Letters().judge(pl.Series([], dtype=pl.String)).mean) == 0
