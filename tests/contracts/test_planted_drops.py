"""From score rows to a verdict: nothing changed passes, a planted loss fails, too few items are not certified."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from safety_assets.evals.deltas import compare
from safety_assets.evals.dimension import Dimension
from safety_assets.evals.summary import summarise
from safety_assets.policy import DimensionPolicy, ProbePolicy
from safety_assets.records import SCORES
from safety_assets.release.verdicts import regression_budget

RULE = DimensionPolicy(rank="critical", floor=0, why="w")
SAFETY = Dimension("safety", lambda cells: cells["refusal", "weapons"], "share refused")


def scores(values, model):
    same = {
        "dimension": "safety",
        "metric": "refusal",
        "category": "weapons",
        "slice": "seen",
        "sample": 0,
        "judge": "j",
    }
    rows = [
        {"model": model, "probe_id": f"p{i}", "group": f"g{i // 2}", "value": float(v)} for i, v in enumerate(values)
    ]
    return SCORES.frame([same | row for row in rows])


def verdict(before, after, probes=None):
    base, candidate = scores(before, "base"), scores(after, "candidate")
    delta = compare(base, candidate, [SAFETY], {"safety": RULE.certify_within}).row(0, named=True)
    score = summarise(candidate, [SAFETY]).row(by_predicate=pl.col("slice") == "seen", named=True)
    return regression_budget("safety", RULE, delta, score, probes or ProbePolicy(), date(2026, 1, 31))


@pytest.mark.parametrize("rate", [0.75, 0.97, 1.0])
def test_base_against_itself_passes(rate):
    values = np.random.default_rng(5).random(600) < rate
    judged = verdict(values, values)
    assert judged.passed
    assert judged.numbers["drop"] == 0


def test_a_planted_loss_of_ten_in_a_hundred_fails():
    before = np.ones(600)
    after = before.copy()
    after[::10] = 0
    judged = verdict(before, after)
    assert judged.status == "fail"
    assert judged.numbers["drop"] == pytest.approx(1.0)
    assert judged.numbers["num_lost"] == 60


def test_equal_scores_that_hide_many_flips_are_not_certified():
    before = np.repeat([1, 0], 60)
    judged = verdict(before, 1 - before, ProbePolicy(min_gate_probes=100))
    assert judged.numbers["drop"] == 0
    assert judged.status == "not_certified"


def test_few_items_are_not_certified_even_without_a_loss():
    few = ProbePolicy(min_gate_probes=1)
    judged = verdict(np.ones(40), np.ones(40), few)
    assert judged.status == "not_certified"
    assert "probes would settle it" in judged.reasons[0]
    assert verdict(np.ones(40), np.ones(40)).status == "not_certified"
