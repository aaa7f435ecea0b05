"""What choosing pairs gains: relevance to a corpus and variety, by the weight of relevance, against two plain choices.

    python -m benchmarks.choice_of_pairs [--most 400]

The standard pool against published corpora (SAFETY_ASSETS_REAL_DATA, default ../shared/data) and the bundled one, and
the bundled pairs, which are alike, against the bundled corpus. `relevance` is the mean nearness of the chosen pairs to
the corpus (1: the nearest pair of all), `likeness` the mean cosine of two chosen pairs of one kind and category,
`seconds` of one choice. `random` draws as many of each kind and category; `nearest` takes the most relevant. The last
line is JSON.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from safety_assets import pools
from safety_assets.corpus import choose_pairs as choice
from safety_assets.corpus.closeness import user_text
from safety_assets.corpus.ingest import read_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.tfidf import TextSpace, nearest
from safety_assets.datafiles import DataFiles

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", ROOT / "../shared/data"))
CORPORA = {
    "bundled": ROOT / "data" / "corpus" / "support.jsonl",
    "alpaca": DATA / "alpaca" / "alpaca_en_demo.json",
    "gsm8k": DATA / "gsm8k" / "train.jsonl",
}
WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
NEAREST = 1e6
"""A weight at which nothing but relevance counts."""


def main() -> None:
    """Measure, print a table, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=400)
    most = parser.parse_args().most
    own, pool = (read_pairs([DataFiles(path=p)]).rows for p in (ROOT / "data" / "refusals", pools.STANDARD))
    found = {f"pool/{name}": measure(pool, asked(path), most) for name, path in CORPORA.items() if path.exists()}
    found["bundled/bundled"] = measure(own, asked(CORPORA["bundled"]), most)
    for name, figures in found.items():
        for label, figure in figures.items():
            print(f"{name:16} {label:8} {'  '.join(f'{key} {value}' for key, value in figure.items())}")
    print(json.dumps({"most": most, "weight": choice.RELEVANCE_WEIGHT, **found}))


def asked(path: Path) -> list[str]:
    """The user turns of a corpus."""
    chats = read_rows([DataFiles(path=path)]).rows["messages"].to_list()
    return [m["content"] for chat in chats for m in chat if m["role"] == "user"]


def measure(pairs: pl.DataFrame, turns: Sequence[str], most: int) -> dict[str, dict[str, float]]:
    """Weight or plain choice to its figures."""
    texts = [user_text(chat) for chat in pairs["messages"].to_list()]
    space = TextSpace([*texts, *turns])
    vectors = space.vectors(texts)
    near = nearest(vectors, space.vectors(turns))
    figures = {}
    for weight in (*WEIGHTS, NEAREST):
        start = time.perf_counter()
        chosen = _chosen(pairs, turns, most, weight)
        seconds = time.perf_counter() - start
        label = "nearest" if weight == NEAREST else str(weight)
        figures[label] = _figures(pairs, chosen, vectors, near / near.max()) | {"seconds": round(seconds, 2)}
    figures["random"] = _figures(pairs, _drawn(pairs, chosen), vectors, near / near.max())
    return figures


def _chosen(pairs: pl.DataFrame, turns: Sequence[str], most: int, weight: float) -> pl.DataFrame:
    before, choice.RELEVANCE_WEIGHT = choice.RELEVANCE_WEIGHT, weight
    try:
        return choice.choose_pairs(pairs, turns, most, weights={}, least={}, seed=0)
    finally:
        choice.RELEVANCE_WEIGHT = before


def _drawn(pairs: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    rng, counts = np.random.default_rng(0), Counter(like.select("kind", "category").iter_rows())
    strata = {key: pairs.filter(kind=key[0], category=key[1])["row_id"].to_numpy() for key in counts}
    ids = [row for key, count in counts.items() for row in rng.choice(strata[key], count, replace=False)]
    return pairs.filter(pl.col("row_id").is_in(ids))


def _figures(pairs: pl.DataFrame, chosen: pl.DataFrame, vectors: object, near: np.ndarray) -> dict[str, float]:
    places = pairs.with_row_index("at").filter(pl.col("row_id").is_in(chosen["row_id"].to_list()))
    cosines = np.concatenate(list(_cosines(places, vectors)))
    relevance = float(near[places["at"].to_list()].mean())
    return {"relevance": round(relevance, 3), "likeness": round(float(cosines.mean()), 4)}


def _cosines(places: pl.DataFrame, vectors: object) -> Iterator[np.ndarray]:
    """Cosines of any two pairs of each stratum."""
    for _, part in places.group_by("kind", "category", maintain_order=True):
        own = vectors[part["at"].to_list()]
        yield (own @ own.T).toarray()[np.triu_indices(part.height, 1)]


if __name__ == "__main__":
    main()
