"""Which pairs are injected when not all are: near to what the corpus asks, unlike one another, every category there.

Relevance and diversity together beat random mixing, and relevance alone is worse than both (SPARD, arXiv 2605.28030):
pairs are chosen by a determinantal point process whose kernel is the likeness of the pairs, scaled by their relevance,
with the greedy search of Chen, Zhang and Zhou (arXiv 1709.05135). Each stratum of kind and category is searched alone,
for the number that `quotas` gives it.

Deviations from SPARD: TF-IDF instead of hidden states, since the corpus is known before any model; and relevance
enters as an exponential, not as a power, since a pair that shares no word with the corpus has relevance 0.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl
from scipy import sparse

from safety_assets.corpus.closeness import user_text
from safety_assets.corpus.quotas import Stratum, quotas
from safety_assets.corpus.tfidf import TextSpace, nearest
from safety_assets.frames import Shards
from safety_assets.policy import InjectionPolicy
from safety_assets.records import PAIRS
from safety_assets.store import digest_bytes

RELEVANCE_WEIGHT = 0.5
"""What relevance counts against diversity: the log-determinant between relevance 0 and the largest. At this weight
the standard pool comes within 2% of the relevance of the most relevant pairs and is more varied than a random draw
(`python -m benchmarks.choice_of_pairs`)."""
_RIDGE = 1e-3
"""Part of a pair's likeness to itself that no other pair can explain: the search goes on when words repeat."""
_BATCH = 4096
MOST_ASKED = 50_000
"""User turns that say what the corpus asks; of a larger corpus as many are drawn."""


def chosen_pairs(corpus: Shards, pairs: pl.DataFrame, rule: InjectionPolicy, *, seed: int) -> pl.DataFrame:
    """The PAIRS that are injected; all of them where `max_pairs` is not set or not exceeded.

    Args:
        corpus: AUDITED, the rows that were kept. Only those that are trained on say what is relevant: the rest is an
            exam.
        pairs: PAIRS.
        rule: max_pairs, category_weights, and what each category must keep.
        seed: as in `choose_pairs`.
    """
    if rule.max_pairs is None or pairs.height <= rule.max_pairs:
        return pairs
    asked = sampled_turns(corpus, MOST_ASKED, seed)
    least = dict.fromkeys(rule.categories, rule.min_pairs_per_category)
    return choose_pairs(pairs, asked, rule.max_pairs, weights=rule.category_weights, least=least, seed=seed)


def sampled_turns(corpus: Shards, most: int, seed: int) -> list[str]:
    """The distinct user turns that are trained on; of more than `most` a sample, the same in whatever order they come.

    Those with the smallest digests are kept, so a part of the corpus and `most` turns are in memory at once.
    """
    kept: list[str] = []
    for part in corpus:
        chats = part.filter(pl.col("split") == "train")["messages"]
        turns = {m["content"] for chat in chats for m in chat if m["role"] == "user"}
        kept = heapq.nsmallest(most, turns.union(kept), key=lambda turn: digest_bytes(f"{seed}:{turn}".encode()))
    return kept


def choose_pairs(
    pairs: pl.DataFrame,
    asked: Iterable[str],
    most: int,
    *,
    weights: Mapping[str, float],
    least: Mapping[str, int],
    seed: int,
) -> pl.DataFrame:
    """The chosen PAIRS, in the order in which they were given. The order of the input does not change the choice.

    Args:
        pairs: PAIRS.
        asked: user turns of the corpus.
        most: pairs to choose, at least 0; all of them where there are no more.
        weights, least: as in `quotas`.
        seed: another seed decides otherwise between pairs that are equally good.
    """
    records = sorted(PAIRS.check(pairs).to_dicts(), key=lambda pair: digest_bytes(f"{seed}:{pair['row_id']}".encode()))
    vectors, relevance = _placed([user_text(pair["messages"]) for pair in records], sorted(set(asked)))
    strata: defaultdict[Stratum, list[int]] = defaultdict(list)
    for place, pair in enumerate(records):
        strata[pair["kind"], pair["category"]].append(place)
    counts = quotas({name: len(places) for name, places in strata.items()}, most, weights=weights, least=least)
    chosen = [place for name, places in strata.items() for place in _spread(vectors, relevance, places, counts[name])]
    return pairs.filter(pl.col("row_id").is_in([records[place]["row_id"] for place in chosen]))


def _placed(texts: Sequence[str], asked: Sequence[str]) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Unit vectors of texts, and their nearness to what is asked, scaled so that the nearest has 1."""
    space = TextSpace([*texts, *asked])
    vectors = space.vectors(texts)
    nearness = np.zeros(len(texts))
    for i in range(0, len(asked), _BATCH):
        nearness = np.maximum(nearness, nearest(vectors, space.vectors(asked[i : i + _BATCH])))
    largest = nearness.max(initial=0.0)
    return vectors, nearness / largest if largest > 0 else nearness


def _spread(vectors: sparse.csr_matrix, relevance: np.ndarray, places: Sequence[int], count: int) -> list[int]:
    """The places that the greedy search takes, `count` of them.

    A step takes the pair that adds most to the log-determinant of the chosen kernel: its relevance, and the part of
    it that the chosen ones do not explain. That part is kept up to date by one row of the Cholesky factor a step.
    """
    own = vectors[places]
    likeness = (1 - _RIDGE) * (own @ own.T).toarray()  # (pairs, pairs)
    np.fill_diagonal(likeness, 1.0)
    unexplained = np.ones(len(places))
    factor = np.zeros((count, len(places)))
    gained = RELEVANCE_WEIGHT * relevance[places]
    taken: list[int] = []
    for step in range(count):
        gain = gained + np.log(np.maximum(unexplained, _RIDGE))
        gain[taken] = -np.inf
        best = int(gain.argmax())
        row = likeness[best] - factor[:step, best] @ factor[:step]
        factor[step] = row / np.sqrt(max(unexplained[best], _RIDGE))
        unexplained = unexplained - factor[step] ** 2
        taken.append(best)
    return [places[i] for i in taken]
