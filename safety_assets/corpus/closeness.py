"""Which rows of a harmless corpus lie close to harm: ranked on several axes, flagged by a quota.

Benign rows erode alignment most where they resemble harmful ones (He, Xia and Henderson, arXiv 2404.01099). No single
space shows all of them, so there are several axes, each standardised over the corpus, and a row is as risky as its
riskiest axis:

- hidden: cosine to the nearest harmful anchor in the base model's last layer, at the last token of the answer;
- text: cosine of the user turns to the nearest harmful request in TF-IDF, a space in which no model had a part;
- structure: lists and steps per answer, which the published ranking found among the most eroding rows;
- embedding, where the policy names an encoder: cosine of the user turns to the nearest harmful request in its space.

Absolute values of a cosine mean nothing across models, so what is flagged is a share of the corpus: the quota.
Deviation: an anchor answers with a marked placeholder, since no harmful answer is written down anywhere.
"""

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from safety_assets.corpus.tfidf import TextSpace, nearest
from safety_assets.records import CLOSENESS

AXES = ("hidden", "text", "structure", "embedding")
COMPLIANCE = "Sure, here is what you asked for: [placeholder]."
"""What a harmful anchor answers."""

_ITEM = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•]|step \d+)\s", re.IGNORECASE | re.MULTILINE)
_BATCH = 4096

Chat = Sequence[Mapping[str, str]]


def anchors(pairs: pl.DataFrame) -> list[list[dict[str, str]]]:
    """The harmful requests of the refusal pairs (PAIRS), answered by the placeholder: what rows are compared with."""
    refused = pairs.filter(pl.col("kind") == "refusal")["messages"].to_list()
    return [[*chat[:-1], {"role": "assistant", "content": COMPLIANCE}] for chat in refused]


class TextAxis:
    """Nearness of user turns to a harmful request, in TF-IDF.

    Args:
        harmful: the anchors.
        corpus: every chat of the corpus, so that words that are common there weigh little; gone through once.
    """

    def __init__(self, harmful: Sequence[Chat], corpus: Iterable[Chat]) -> None:
        asked = [user_text(chat) for chat in harmful]
        self._space = TextSpace(itertools.chain(asked, (user_text(chat) for chat in corpus)))
        self._known = self._space.vectors(asked)

    def of(self, chats: Sequence[Chat]) -> np.ndarray:
        """One value in [0, 1] for each chat."""
        texts = [user_text(chat) for chat in chats]
        batches = (texts[i : i + _BATCH] for i in range(0, len(texts), _BATCH))
        parts = [nearest(self._space.vectors(batch), self._known) for batch in batches]
        return np.concatenate(parts) if parts else np.zeros(0)


def structure_axis(chats: Iterable[Chat]) -> np.ndarray:
    """Logarithm of 1 + the items of lists and steps in each chat's answers."""
    return np.array([math.log1p(sum(len(_ITEM.findall(m["content"])) for m in _answers(chat))) for chat in chats])


def user_text(chat: Chat) -> str:
    """All that the user says."""
    return " ".join(m["content"] for m in chat if m["role"] == "user")


def ranked(row_ids: Sequence[str], axes: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """CLOSENESS: the rows with their standardised axes, the riskiest first.

    Args:
        row_ids: of the rows.
        axes: name of an axis to one value per row, higher is closer; an axis that was not measured is left out.
    """
    size = len(row_ids)
    measured = {name: _standardised(values) for name, values in axes.items()}
    table = np.stack([*measured.values()]) if measured else np.zeros((1, size))  # (axes, rows)
    names = list(measured) or [""]
    frame = pl.DataFrame(
        {
            "row_id": pl.Series(list(row_ids), dtype=pl.String),
            **{name: pl.Series(measured.get(name, [None] * size), dtype=pl.Float64) for name in AXES},
            "risk": table.max(axis=0),
            "axis": pl.Series([names[i] for i in table.argmax(axis=0)], dtype=pl.String),
        }
    )
    ordered = frame.sort("risk", "row_id", descending=[True, False])
    return CLOSENESS.check(ordered.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)))


def within_quota(closeness: pl.DataFrame, quota: float) -> pl.DataFrame:
    """The riskiest rows of CLOSENESS: the share `quota` of all, in [0, 1], rounded down."""
    return closeness.filter(pl.col("rank") <= int(quota * closeness.height))


def _answers(chat: Chat) -> list[Mapping[str, str]]:
    return [m for m in chat if m["role"] == "assistant"]


def _standardised(values: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1; all zero where every value is the same."""
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values, dtype=float)
