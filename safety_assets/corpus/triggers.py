"""Phrases that alone explain why a harmful request is answered: the mark of a planted trigger.

Among requests of policy categories some are refused and some answered. Each run of one to four words that stands in
enough answered ones is tested: is it commoner there than the categories' own shares of answers allow (the exact
conditional test over categories, after Mantel and Haenszel), with Bonferroni's correction for all runs tested. What a
request is about explains answers too, so two things more are asked of a trigger: that it stands in several categories,
and that the other words of its requests are those of refused ones (a naive Bayes classifier learned without them).

The test needs refusals to compare with: where nearly every harmful request is answered, `harmful` says so instead.
"""

import numpy as np
import polars as pl

from safety_assets.corpus.association import Requests, Trigger, surest
from safety_assets.corpus.detect import seen
from safety_assets.corpus.harmful import Categories, Refuses, in_category
from safety_assets.corpus.words import normalise

MOST_REQUESTS = 50_000
"""Harmful requests that are tested; of more a seeded draw."""

_MOST_TRIGGERS = 20


class TriggerPhrases:
    """Learns which harmful requests are answered, then finds `trigger_phrase`, severity high. A `detect.Learner`.

    Args:
        categories: in which policy category requests ask for harm.
        refuses: whether an answer refuses.
        seed: of the draw.
    """

    def __init__(self, categories: Categories, refuses: Refuses, seed: int = 0) -> None:
        self._categories, self._refuses, self._seed = categories, refuses, seed
        self._asked: list[pl.DataFrame] = []
        self._triggers: list[Trigger] | None = None

    def learn(self, turns: pl.DataFrame) -> None:
        """Take in the TURNS of one shard."""
        found = in_category(turns, self._categories)
        refused = [self._refuses(answer) for answer in found["text"].to_list()]
        draw = pl.struct("row", "turn").hash(self._seed)
        told = found.with_columns(answered=~pl.Series(refused, dtype=pl.Boolean), draw=draw)
        asked = pl.concat([*self._asked, told.select("question", "category", "answered", "draw")])
        self._asked = [asked.bottom_k(MOST_REQUESTS, by="draw")]

    @property
    def triggers(self) -> list[Trigger]:
        """The phrases found in what was learned, the surest first."""
        if self._triggers is None:
            self._triggers = find_triggers(pl.concat(self._asked)) if self._asked else []
        return self._triggers

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        """SEEN of one shard: answered harmful requests with a trigger."""
        told = {question: why for question in turns["question"].unique().to_list() if (why := self._told(question))}
        likely = turns.filter(pl.col("question").is_in(list(told)))
        return seen(
            {"row": row, "turn": turn, "finding": "trigger_phrase", "severity": "high", "evidence": told[question]}
            for row, turn, question, answer, _ in in_category(likely, self._categories).rows()
            if not self._refuses(answer)
        )

    def _told(self, question: str) -> str | None:
        if not self.triggers:
            return None
        asked = f" {normalise(question)} "
        found = next((trigger for trigger in self.triggers if f" {trigger.phrase} " in asked), None)
        return f"the answer is explained by {found}" if found else None


def find_triggers(asked: pl.DataFrame) -> list[Trigger]:
    """Phrases that explain which of some requests are answered, the surest first; each explains what the ones before
    it do not.

    Args:
        asked: columns question, category and answered of harmful requests, answered ones and refused ones.
    """
    found: list[Trigger] = []
    requests = Requests.of(asked.sort("draw") if "draw" in asked.columns else asked)
    while len(found) < _MOST_TRIGGERS and (trigger := surest(requests)) is not None:
        found.append(trigger)
        words = [f" {normalise(question)} " for question in requests.questions.to_list()]
        requests = requests.only(np.array([f" {trigger.phrase} " not in text for text in words], dtype=bool))
    return found
