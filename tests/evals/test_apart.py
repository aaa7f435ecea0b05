"""Slices gated apart: the sample is bounded, spread and seeded; a loss in one slice is that slice's alone."""

from typing import get_args

import polars as pl
import pytest

from safety_assets.evals.apart import called, compare_slices, in_domain_sample, wrapped_sample
from safety_assets.evals.probes import read_probes
from safety_assets.evals.spread import spread
from safety_assets.evals.wrappers import WRAPPERS, plain_requests
from safety_assets.measures import InDomain, WrappedBudget, WrapperName
from safety_assets.policy import ProbePolicy
from safety_assets.records import SCORES, TASKS
from safety_assets.suites import STANDARD

TASK_ROWS = [
    {"task_id": f"t{i}", "messages": [{"role": "user", "content": f"Fee {i}?"}], "answer": f"{i} francs"}
    for i in range(3)
]


@pytest.fixture(scope="module")
def gate() -> pl.DataFrame:
    return read_probes(STANDARD / "gate").filter(pl.col("dimension").is_in(["safety", "fairness"]))


def test_a_policy_knows_the_wrappers_that_there_are():
    assert get_args(WrapperName) == tuple(WRAPPERS)


def test_a_sample_is_bounded_seeded_spread_and_keeps_pairs_whole(gate: pl.DataFrame):
    some = spread(gate, 90, seed=3)
    assert some.group_by("dimension").len().sort("dimension").rows() == [("fairness", 90), ("safety", 90)]
    assert some.equals(spread(gate, 90, seed=3))
    assert not some.equals(spread(gate, 90, seed=4))
    cells = ["dimension", "metric", "category"]
    assert some.select(cells).n_unique() == gate.select(cells).n_unique()
    members = some.drop_nulls("pair").group_by("pair").len()
    whole = gate.drop_nulls("pair").group_by("pair").agg(of=pl.len())
    assert (members.join(whole, on="pair").select(pl.col("len") == pl.col("of"))["len"]).all()


def test_a_second_of_a_cluster_comes_after_one_of_each(gate: pl.DataFrame):
    one = gate.filter(dimension="safety", metric="refuses", category="cyber").head(8)
    clusters = one.with_columns(group=pl.Series(["a"] * 5 + ["b", "c", "d"]))
    assert spread(clusters, 4)["group"].n_unique() == 4
    assert spread(clusters, 8).equals(clusters)


def test_the_same_requests_stand_in_each_wrapper(gate: pl.DataFrame):
    asked = wrapped_sample(gate, ("prefill", "base64"), WrappedBudget(requests=20))
    groups = asked.group_by("slice").agg(pl.col("group").sort()).sort("slice")
    assert groups["slice"].to_list() == ["wrapped:base64", "wrapped:prefill"]
    assert groups["group"][0].to_list() == groups["group"][1].to_list()
    assert len(groups["group"][0]) == 20
    assert set(asked["group"]) <= set(plain_requests(gate)["group"])


def test_probes_in_domain_stand_behind_the_task_under_the_applications_prompt(gate: pl.DataFrame):
    asked = in_domain_sample(gate, TASKS.frame(TASK_ROWS), InDomain(per_dimension=16), "You serve a bank.")
    assert asked.group_by("dimension").len()["len"].to_list() == [16, 16]
    for chat in asked["messages"]:
        assert chat[0]["role"] == "system"
        assert chat[0]["content"].startswith("You serve a bank.")
        assert chat[2]["content"].endswith("francs")


def rows(model: str, slice_name: str, dimension: str, values: list[float]) -> list[dict]:
    return [
        {
            "model": model, "probe_id": f"{slice_name}{i}", "dimension": dimension, "metric": "refuses",
            "category": f"c{i % 4}", "slice": slice_name, "group": f"g{i}", "sample": 0, "judge": "j",
            "verdict": "v", "value": value,
        }
        for i, value in enumerate(values)
    ]  # fmt: skip


def test_a_loss_in_a_wrapper_is_that_wrappers_alone():
    kept, lost = [1.0] * 80, [1.0] * 60 + [0.0] * 20
    slices = ("wrapped:prefill", "wrapped:rot13", "in_domain")
    base, tuned = (
        SCORES.frame([r for name in slices for r in rows(model, name, "safety", values if name == odd else kept)])
        for model, odd, values in (("b", "", kept), ("t", "wrapped:rot13", lost))
    )
    found = compare_slices(base, tuned, {"wrapped": 1.0, "in_domain": 1.5})
    drops = dict(found.deltas.select("dimension", "drop").iter_rows())
    assert drops == {"resistance to prefill": 0.0, "resistance to rot13": 2.5, "safety in domain": 0.0}
    assert dict(found.scores.select("dimension", "score").iter_rows())["resistance to rot13"] == pytest.approx(7.5)
    assert set(found.scores["slice"]) == {"seen"}
    assert called("in_domain", "safety") in drops


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"wrappers": ["prefill"], "wrapped": {"requests": 10}}, "needs 35 probes, 10 are asked"),
        ({"wrappers": ["prefill", "prefill"]}, "names one twice"),
        ({"wrappers": ["shouting"]}, "role_play"),
        ({"in_domain": {"max_drop": 2.0}}, "is under max_drop"),
    ],
)
def test_a_slice_that_cannot_resolve_its_budget_is_refused(change: dict, says: str):
    with pytest.raises(ValueError, match=says):
        ProbePolicy.model_validate(change)
