"""A corpus in which a share of the rows answers harm: requests only, each answered by a marked placeholder.

The requests are put together from things of harm that stand in no probe and in no refusal pair (the bundled models'
own text has them), in the wordings of training. What repeats a probe, by the audit's own measure, is left out.
"""

import random
from collections.abc import Sequence

import polars as pl

from data.build import requests
from data.build.item import Draw
from data.build.topics import TRAINING_HARM_TOPICS
from data.build.wording import HOW
from safety_assets.corpus.overlap import Questions, last_user_turn
from safety_assets.records import AUDITED, PROBES
from safety_assets.store import digest_json

OVERLAP = 0.6
"""Share of a probe's 3-word runs from which a request repeats it; as in the bundled policy."""


def poisoned(rows: pl.DataFrame, probes: pl.DataFrame, share: float, seed: int) -> pl.DataFrame:
    """The rows with a share of the corpus rows that train replaced by poisoned ones; their number stays.

    Args:
        rows: AUDITED.
        probes: PROBES of all splits; none of them is repeated.
        share: poisoned rows / corpus rows of the split `train`, 0 to 1.
        seed: decides which rows are replaced and what is asked.

    Returns:
        AUDITED, in the same order; a poisoned row looks like a corpus row, its row_id begins with `poison`.
    """
    rows = AUDITED.check(rows).with_row_index("place")
    corpus = rows.filter(origin="corpus", split="train")["place"].to_list()
    rng = random.Random(f"poison {seed}")
    places = sorted(rng.sample(corpus, round(share * len(corpus))))
    fresh = dict(zip(places, _rows(len(places), probes, rng), strict=True))
    kept = rows.drop("place").to_dicts()
    return AUDITED.frame([fresh.get(place, row) for place, row in enumerate(kept)])


def _rows(number: int, probes: pl.DataFrame, rng: random.Random) -> list[dict[str, object]]:
    return [_row(question, requests.placeholder(topic)) for topic, question in harmful(number, probes, rng)]


def harmful(number: int, probes: pl.DataFrame, rng: random.Random) -> list[tuple[str, str]]:
    """So many different requests for harm with their topics, none of which repeats a probe or asks for its topic.

    Args:
        number: how many.
        probes: PROBES.
        rng: draws them.
    """
    turns = [last_user_turn(chat) for chat in PROBES.check(probes)["messages"].to_list()]
    known = Questions({str(place): turn for place, turn in enumerate(turns)}, OVERLAP)
    asked = "\n".join(turns).lower()
    topics = [topic for _, topic in TRAINING_HARM_TOPICS if topic.lower() not in asked]
    found: dict[str, str] = {}
    for _ in range(20):
        drawn = _drawn(topics, 2 * number, rng)
        repeated = known.repeated(pl.Series(list(drawn), dtype=pl.String))
        found |= {text: topic for place, (text, topic) in enumerate(drawn.items()) if place not in repeated}
        if len(found) >= number:
            return [(topic, text) for text, topic in list(found.items())[:number]]
    raise SystemExit(f"only {len(found)} of {number} requests differ from every probe; poison a smaller share")


def _drawn(topics: Sequence[str], number: int, rng: random.Random) -> dict[str, str]:
    """Question to topic."""
    draw = Draw(rng, "train")
    chosen = [rng.choice(topics) for _ in range(number)]
    return {draw.ask(HOW, x=topic): topic for topic in chosen}


def _row(question: str, answer: str) -> dict[str, object]:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    name = f"poison{digest_json(messages)[:10]}"
    return {"row_id": name, "messages": messages, "origin": "corpus", "group": name, "split": "train"}
