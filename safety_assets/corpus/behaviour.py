"""What the answers of a corpus do: refuse, wholly or in part, hedge, say nothing, protect personal data.

None of it is a fault by itself. A refusal teaches refusing, a hedge hedging, and whoever weighs tokens in training
wants to know where they stand: so each sentence is a finding with its characters. English only.
"""

from collections.abc import Iterator

import polars as pl

from safety_assets.corpus.detect import seen
from safety_assets.reading.answers import Reading, read_answers
from safety_assets.reading.fold import fold
from safety_assets.reading.places import Place, may_protect, privacy_places

FINDING = {
    "full_refusal": "refusal_in_corpus", "partial_refusal": "partial_refusal", "hedged": "hedged_answer",
    "non_answer": "non_answer",
}  # fmt: skip
"""Verdict to the finding that it is; compliance is none."""

REFUSING = ("refusal_in_corpus", "partial_refusal")
PRIVACY = "privacy_marker"
BEHAVIOUR = (*FINDING.values(), PRIVACY)

_SHOWN = 80  # characters of a sentence that evidence quotes
_BATCH = 1024  # answers read together

Seen = dict[str, object]


def behaviour(turns: pl.DataFrame) -> pl.DataFrame:
    """SEEN of TURNS: what each assistant turn does, one finding for each sentence that shows it.

    An answer that says nothing, and a refusal or a hedge that only the model sees, are about the whole message.
    """
    answers = turns.filter(pl.col("role") == "assistant").select("row", "turn", "text", "question")
    return seen(_seen(answers))


def _seen(answers: pl.DataFrame) -> Iterator[Seen]:
    for batch in answers.iter_slices(_BATCH):
        texts = batch["text"].to_list()
        readings = read_answers(texts, batch["question"].to_list())
        protecting = dict(zip(texts, may_protect([fold(text) for text in texts]), strict=True))
        for (row, turn, text, _), reading in zip(batch.iter_rows(), readings, strict=True):
            for found in (*_of_reading(text, reading), *(_of_privacy(text) if protecting[text] else ())):
                yield {"row": row, "turn": turn, "severity": "low", **found}


def _of_reading(text: str, reading: Reading) -> Iterator[Seen]:
    finding = FINDING.get(reading.verdict)
    if finding is None:
        return
    sure = f"{reading.verdict.replace('_', ' ')} ({reading.confidence:.2f})"
    for place in reading.places:
        yield {"finding": finding, "evidence": f"{sure}: {_quoted(text, place)}", **_placed(place)}
    if not reading.places:
        yield {"finding": finding, "evidence": f"{sure}: {reading.explanation}"}


def _of_privacy(text: str) -> Iterator[Seen]:
    for place in privacy_places(fold(text)):
        yield {"finding": PRIVACY, "evidence": f"protects personal data: {_quoted(text, place)}", **_placed(place)}


def _placed(place: Place) -> Seen:
    return {"start": place.start, "end": place.end}


def _quoted(text: str, place: Place) -> str:
    return repr(" ".join(text[place.start : place.end].split())[:_SHOWN])
