"""Personal data: rows per second of one process over 100,000 made-up rows, and of presidio on a sample of them.

A row is a question and an answer of some 450 characters together. One row in three holds something with digits that is
nobody's, one in twenty a personal datum. `prefiltered` is the detector that the audit runs; `each text` the same search
without its vectorised hints; `scripts` and `languages` say what nobody reads. `presidio patterns` are the recognisers
that `personal/presidio.py` asks for, `presidio all` every pattern recogniser that presidio loads for English; both only
where presidio-analyzer is installed. Times are the process's CPU seconds, so threads count.
"""

import importlib.util
import random
import time
from collections.abc import Callable

import polars as pl

from benchmarks.personal_rows import CARRIERS, PLANTED, look_alike
from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.personal.find import find_pii, personal_data
from safety_assets.corpus.personal.presidio import KINDS, LEAST_SCORE, pattern_engine
from safety_assets.corpus.unscored import unscored_languages, unscored_scripts

ROWS, SAMPLE, PRESIDIO_SAMPLE = 100_000, 5_000, 1_000
LOOK_ALIKE_SHARE, PERSONAL_SHARE = 1 / 3, 1 / 20
_WORDS = """
    the a to of and in that is for with on as it was be by this are from or an at not your you we they have has which
    account branch card payment transfer customer request please help answer question open close change limit fee month
    year letter report table value result example number list method write explain compare town river school music
    garden bread machine light water paper picture winter morning people because before after between without
""".split()  # noqa: SIM905


def section() -> tuple[list[dict], dict]:
    """Rows of the table and figures: rows per second of each, and how many times faster than presidio's patterns."""
    turns = corpus(0)
    personal_data()(turns.head(200)), unscored_languages()(turns.head(200))
    figures = {
        "prefiltered": _rows_per_second(personal_data(), turns),
        "each text": _rows_per_second(_each, turns.head(2 * SAMPLE)),
        "scripts": _rows_per_second(unscored_scripts, turns),
        "languages": _rows_per_second(unscored_languages(), turns),
    }
    if importlib.util.find_spec("presidio_analyzer"):
        figures |= _of_presidio(turns.head(2 * PRESIDIO_SAMPLE))
    base = figures.get("presidio patterns")
    rows = [
        {"what": name, "rows per second": n, "times presidio": round(n / base, 1) if base else "-"}
        for name, n in figures.items()
    ]
    return rows, {**figures, "rows": ROWS, "characters per row": round(turns["text"].str.len_chars().sum() / ROWS)}


def corpus(seed: int) -> pl.DataFrame:
    """TURNS of ROWS rows of two turns each."""
    draw = random.Random(seed)
    return TURNS.frame(
        [
            {"row": row, "turn": turn, "role": role, "text": _text(draw, words), "question": ""}
            for row in range(ROWS)
            for turn, (role, words) in enumerate((("user", 25), ("assistant", 55)))
        ]
    )


def _text(draw: random.Random, words: int) -> str:
    """Words, and in the share of rows (two texts each) that the docstring gives, a look-alike or a personal datum."""
    pieces = [" ".join(draw.choices(_WORDS, k=words)) + "."]
    if draw.random() < LOOK_ALIKE_SHARE / 2:
        pieces.append(draw.choice(CARRIERS).format(look_alike(draw)))
    if draw.random() < PERSONAL_SHARE / 2:
        pieces.append(draw.choice(CARRIERS).format("".join(PLANTED[draw.choice(sorted(PLANTED))](draw))))
    return " ".join(draw.sample(pieces, len(pieces)))


def _each(turns: pl.DataFrame) -> None:
    for text in turns["text"]:
        find_pii(text)


def _of_presidio(turns: pl.DataFrame) -> dict[str, int]:
    engine = pattern_engine()
    engine.analyze("Warm up: 4111 1111 1111 1111.", language="en", entities=list(KINDS))

    def patterns(turns: pl.DataFrame) -> None:
        for text in turns["text"]:
            engine.analyze(text, language="en", entities=list(KINDS), score_threshold=LEAST_SCORE)

    def everything(turns: pl.DataFrame) -> None:
        for text in turns["text"]:
            engine.analyze(text, language="en")

    return {
        "presidio patterns": _rows_per_second(patterns, turns),
        "presidio all": _rows_per_second(everything, turns),
    }


def _rows_per_second(run: Callable[[pl.DataFrame], object], turns: pl.DataFrame) -> int:
    began = time.process_time()
    run(turns)
    return round(turns.height / 2 / (time.process_time() - began))
