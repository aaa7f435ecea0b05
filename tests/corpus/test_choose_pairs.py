"""Which pairs are chosen: nearer to the corpus than a random draw, more varied than the nearest ones, in any order."""

import random
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from safety_assets.corpus.choose_pairs import choose_pairs, chosen_pairs, sampled_turns
from safety_assets.corpus.clean import corpus_rows
from safety_assets.corpus.closeness import user_text
from safety_assets.corpus.quotas import quotas
from safety_assets.corpus.tfidf import TextSpace, nearest
from safety_assets.frames import Shards
from safety_assets.policy import InjectionPolicy
from safety_assets.records import AUDITED, PAIRS, ROWS

BANK = [
    "How do I block a stolen bank card?", "Which fee does a transfer to a foreign account cost?",
    "My invoice was paid twice, how do I get the money back?", "What does a mortgage broker need?",
    "Is this letter about my insurance claim real?", "How do I change the password of my account?",
]  # fmt: skip
MEDICINE = ["How much ibuprofen may a child take?", "Which dose did the doctor prescribe for the pain?"]
FREE: dict = {"weights": {}, "least": {}, "seed": 0}
DRAWS = 20


def pair(kind: str, category: str, text: str) -> dict:
    chat = [{"role": "user", "content": text}, {"role": "assistant", "content": "An answer."}]
    return {"row_id": f"{kind}-{category}-{text}", "messages": chat, "kind": kind, "category": category}


@pytest.fixture(scope="module")
def pairs() -> pl.DataFrame:
    """Four strata; in each some requests about banks, most of them alike, and many about other things."""
    rng = random.Random(1)
    things = ("bank account", "money transfer", "stolen card", "insurance claim", "invoice", "mortgage", "password")
    other = ("garden", "lamp", "kettle", "novel", "train", "jacket", "tent", "violin", "bread", "island", "oven")
    rows = []
    for kind, category in (("refusal", "fraud"), ("refusal", "hate"), ("lookalike", "fraud"), ("anchor", "everyday")):
        rows += [pair(kind, category, f"{category} {thing} of the bank card number {i}") for thing in things[:2]
                 for i in range(12)]  # fmt: skip
        rows += [pair(kind, category, f"{category} question on the {thing} at noon") for thing in things]
        rows += [pair(kind, category, f"{' '.join(rng.sample(other, 4))} {category}") for _ in range(40)]
    return PAIRS.frame(list({row["row_id"]: row for row in rows}.values()))


def relevance(chosen: pl.DataFrame, everything: pl.DataFrame) -> float:
    texts = [user_text(chat) for chat in everything["messages"].to_list()]
    space = TextSpace([*texts, *BANK])
    own = space.vectors([user_text(chat) for chat in chosen["messages"].to_list()])
    return float(nearest(own, space.vectors(BANK)).mean())


def likeness(chosen: pl.DataFrame, everything: pl.DataFrame) -> float:
    """Mean cosine of two different pairs of one stratum."""
    space = TextSpace([user_text(chat) for chat in everything["messages"].to_list()])
    found = []
    for _, part in chosen.group_by("kind", "category"):
        own = space.vectors([user_text(chat) for chat in part["messages"].to_list()])
        table = (own @ own.T).toarray()
        found += table[np.triu_indices(len(table), 1)].tolist()
    return float(np.mean(found))


def drawn(pairs: pl.DataFrame, like: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """As many pairs of each stratum, at random."""
    counts = Counter(like.select("kind", "category").iter_rows())
    ids = [
        row
        for key, count in counts.items()
        for row in rng.choice(pairs.filter(kind=key[0], category=key[1])["row_id"].to_list(), count, replace=False)
    ]
    return pairs.filter(pl.col("row_id").is_in(ids))


def nearest_ones(pairs: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """As many pairs of each stratum, the nearest to the corpus."""
    texts = [user_text(chat) for chat in pairs["messages"].to_list()]
    space = TextSpace([*texts, *BANK])
    ranked = pairs.with_columns(r=pl.Series(nearest(space.vectors(texts), space.vectors(BANK))))
    counts = Counter(like.select("kind", "category").iter_rows())
    parts = [ranked.filter(kind=k, category=c).sort("r", descending=True).head(n) for (k, c), n in counts.items()]
    return pl.concat(parts).drop("r")


def test_chosen_pairs_are_nearer_to_the_corpus_than_random_ones(pairs: pl.DataFrame) -> None:
    chosen = choose_pairs(pairs, BANK, 60, **FREE)
    rng = np.random.default_rng(0)
    by_chance = [relevance(drawn(pairs, chosen, rng), pairs) for _ in range(DRAWS)]
    assert relevance(chosen, pairs) > max(by_chance)


def test_chosen_pairs_are_more_varied_than_the_nearest_ones(pairs: pl.DataFrame) -> None:
    chosen = choose_pairs(pairs, BANK, 60, **FREE)
    top = nearest_ones(pairs, chosen)
    assert likeness(chosen, pairs) < 0.7 * likeness(top, pairs)
    assert relevance(chosen, pairs) > 0.7 * relevance(top, pairs)


def test_another_corpus_chooses_other_pairs(pairs: pl.DataFrame) -> None:
    bank, medicine = (set(choose_pairs(pairs, asked, 60, **FREE)["row_id"]) for asked in (BANK, MEDICINE))
    assert bank != medicine


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 300))
def test_every_stratum_has_its_quota(pairs: pl.DataFrame, seed: int, most: int) -> None:
    weights, least = {"fraud": 3.0}, {"fraud": 4, "hate": 4}
    chosen = choose_pairs(pairs, BANK, most, weights=weights, least=least, seed=seed)
    sizes = Counter(pairs.select("kind", "category").iter_rows())
    wanted = {name: count for name, count in quotas(sizes, most, weights=weights, least=least).items() if count}
    assert Counter(chosen.select("kind", "category").iter_rows()) == wanted


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_pairs_and_corpus_changes_nothing(pairs: pl.DataFrame, rng: random.Random) -> None:
    rows, asked = pairs.to_dicts(), [*BANK, *MEDICINE, *BANK]
    rng.shuffle(rows)
    rng.shuffle(asked)
    again = choose_pairs(PAIRS.frame(rows), asked, 50, **FREE)
    assert set(again["row_id"]) == set(choose_pairs(pairs, [*BANK, *MEDICINE], 50, **FREE)["row_id"])
    kept = set(again["row_id"])
    assert again["row_id"].to_list() == [row["row_id"] for row in rows if row["row_id"] in kept]


def test_seeds_decide_between_equals_and_only_there(pairs: pl.DataFrame) -> None:
    free = {"weights": {}, "least": {}}
    by_seed = [set(choose_pairs(pairs, [], 20, **free, seed=seed)["row_id"]) for seed in (0, 0, 1)]
    assert by_seed[0] == by_seed[1] != by_seed[2]
    one = PAIRS.frame([pair("refusal", "fraud", "bank card"), pair("refusal", "fraud", "kettle")])
    assert {choose_pairs(one, ["my bank card"], 1, **free, seed=seed)["row_id"][0] for seed in range(5)} == {
        "refusal-fraud-bank card"
    }


def test_odd_texts_and_copies_can_be_chosen_too() -> None:
    twice = [pair("refusal", "fraud", "the same again") | {"row_id": f"r{i}"} for i in range(3)]
    odd = [pair("refusal", "fraud", text) | {"row_id": f"o{i}"} for i, text in enumerate(("?!", "how do I", "kettle"))]
    everything = PAIRS.frame(twice + odd)
    assert choose_pairs(everything, BANK, 6, **FREE).equals(everything)
    assert set(choose_pairs(everything, [], 4, **FREE)["row_id"]) >= {"o0", "o1", "o2"}
    assert choose_pairs(everything, BANK, 0, **FREE).is_empty()
    assert choose_pairs(PAIRS.empty(), BANK, 5, **FREE).is_empty()


def rows() -> pl.DataFrame:
    chats = [pair("corpus", "x", text)["messages"] for text in BANK]
    return ROWS.frame(
        [{"row_id": f"c{i}", "messages": c, "source": "a", "line": i, "group": str(i)} for i, c in enumerate(chats)]
    )


def rule(**changes: object) -> InjectionPolicy:
    given = {"categories": ("fraud", "hate"), "min_pairs_per_category": 5, **changes}
    return InjectionPolicy.model_validate(given)


def kept_rows(split: str = "train") -> Shards:
    return Shards(AUDITED, (corpus_rows(rows(), ()).with_columns(split=pl.lit(split)),))


def test_without_a_limit_all_pairs_stay(pairs: pl.DataFrame) -> None:
    assert chosen_pairs(kept_rows(), pairs, rule(), seed=0).equals(pairs)
    assert chosen_pairs(kept_rows(), pairs, rule(max_pairs=pairs.height), seed=0).equals(pairs)


def test_with_a_limit_every_category_keeps_its_refusals(pairs: pl.DataFrame) -> None:
    left = chosen_pairs(kept_rows(), pairs, rule(max_pairs=40, category_weights={"fraud": 50.0}), seed=0)
    assert left.height == 40
    assert left.filter(kind="refusal", category="hate").height >= 5
    assert set(left["kind"]) == {"refusal", "lookalike", "anchor"}


def test_held_out_rows_have_no_say_in_what_is_relevant(pairs: pl.DataFrame) -> None:
    seen, blind = (chosen_pairs(kept_rows(split), pairs, rule(max_pairs=40), seed=0) for split in ("train", "held_out"))
    unasked = choose_pairs(pairs, [], 40, weights={}, least={"fraud": 5, "hate": 5}, seed=0)
    assert set(blind["row_id"]) == set(unasked["row_id"])
    assert set(seen["row_id"]) != set(blind["row_id"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"max_pairs": 19}, r"max_pairs 19 is under 20.*2 categories need 5 refusals"),
        ({"max_pairs": 0}, "greater than or equal to 1"),
        ({"category_weights": {"fraude": 2.0}}, "category_weights names fraude"),
        ({"category_weights": {"fraud": 0.0}}, "greater than 0"),
        ({"max_opening_share": 0.0}, "greater than 0"),
    ],
)
def test_a_policy_that_cannot_hold_is_refused(changes: dict, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        rule(**changes)
    assert rule(max_pairs=20).max_pairs == 20


def test_the_turns_that_say_what_is_asked_are_bounded_and_do_not_depend_on_their_order() -> None:
    chats = [
        [{"role": "user", "content": f"turn {i % 30}"}, {"role": "assistant", "content": "yes"}] for i in range(60)
    ]
    common = {"origin": "corpus", "group": "g", "split": "train"}
    lines = [{"row_id": str(i), "messages": c, **common} for i, c in enumerate(chats)]
    rows = AUDITED.frame(lines)
    one, parts = Shards(AUDITED, (rows[list(range(59, -1, -1))],)), Shards(AUDITED, (rows.head(25), rows.tail(35)))
    assert sorted(sampled_turns(one, 100, 0)) == sorted({f"turn {i}" for i in range(30)})
    few = sampled_turns(one, 7, 0)
    assert few == sampled_turns(parts, 7, 0)
    assert len(set(few)) == 7
    assert few != sampled_turns(one, 7, 1)
