"""What is asked twice, and how many verdicts flip of it."""

import polars as pl
import pytest
from score_rows import scores_of

from safety_assets.evals.comparison import Flips, compared
from safety_assets.evals.repeats import REPEATED, null_flips, repeated
from safety_assets.evals.score_files import Facts, read_table, write_table
from safety_assets.records import PROBES, SCORES


def probes(number: int, pairs: int = 0) -> pl.DataFrame:
    row = {
        "dimension": "safety", "split": "gate", "metric": "m", "category": "c", "slice": "seen", "group": "g",
        "messages": [{"role": "user", "content": "Hi"}], "expect": "answer", "targets": ["x"], "forbidden": [],
        "choices": [],
    }  # fmt: skip
    return PROBES.frame([{**row, "probe_id": f"p{i}", "pair": "q" if i < pairs else None} for i in range(number)])


@pytest.mark.parametrize(
    ("number", "asked"), [(0, 0), (30, 30), (REPEATED, REPEATED), (191, 191), (192, 96), (1000, 100)]
)
def test_about_a_hundred_probes_are_asked_twice_all_of_fewer(number: int, asked: int) -> None:
    assert repeated(probes(number)).height == asked


def test_members_of_a_pair_are_not_asked_alone() -> None:
    assert repeated(probes(6, pairs=2))["probe_id"].to_list() == ["p2", "p3", "p4", "p5"]


def test_flips_are_counted_both_ways_of_what_was_scored_twice() -> None:
    first = scores_of([1.0] * 5 + [0.0] * 5, metrics=1, categories=1)
    second = scores_of([1.0, 0.0, 1.0, None, 1.0, 1.0], metrics=1, categories=1)
    assert null_flips(first, second) == Flips(num_items=5, num_lost=1, num_gained=1)


def test_compare_takes_the_flips_of_the_base_from_its_file(tmp_path) -> None:
    facts = Facts(null={"num_items": 96, "num_lost": 1, "num_gained": 2})
    base, tuned = scores_of([1.0] * 20, metrics=1), scores_of([1.0] * 20, metrics=1, model="tuned")
    write_table(tmp_path / "base.parquet", base, SCORES, facts)
    found = compared(read_table(tmp_path / "base.parquet", SCORES), (tuned, Facts(null={"num_items": 1})))
    assert found.null is not None
    assert (found.null.num_flips, found.null.rate) == (3, 3 / 96)
    assert 3 / 96 < found.null.high < 0.1
    whole = compared((base, facts), (tuned, Facts()), (base, Facts()))
    assert whole.null == Flips(num_items=20, num_lost=0, num_gained=0)  # --null wins
