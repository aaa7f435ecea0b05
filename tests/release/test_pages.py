import dataclasses
import itertools
from xml.etree import ElementTree

import polars as pl
import pytest
from drawn import num_points
from huggingface_hub import ModelCard
from release_rows import delta_row

from safety_assets.policy import DIMENSIONS
from safety_assets.records import DELTAS, DIMENSION_SCORES
from safety_assets.release import plots
from safety_assets.release.card import About, model_card
from safety_assets.release.decision import decide
from safety_assets.release.evidence import page
from safety_assets.release.markdown import tier


def test_evidence_page_says_the_verdict_first(evidence, policy):
    text = page(decide(evidence, policy), evidence.deltas, policy)
    assert text.splitlines()[2].startswith("**Approved.**")
    assert all(f"| {name} |" in text for name in DIMENSIONS)
    refused = dataclasses.replace(evidence, problems=["<script> | is stale."], deltas=DELTAS.empty())
    text = page(decide(refused, policy), DELTAS.empty(), policy)
    assert text.splitlines()[2].startswith("**Not certified.**")
    assert "<script>" not in text
    assert "unscored" in text


def about(evidence, policy, **changes) -> About:
    told = {
        "project": "demo", "base": f"org/name@{'0' * 40}", "recipe": {"seed": 0, "description": "```"},
        "counts": {"corpus": 1200}, "training": {"seconds": 20.5}, "scores": evidence.scores, "deltas": evidence.deltas,
        "policy": policy, "probes": "5" * 64, "limits": ["Small model."],
        "account": {"lines": 1300, "actions": {"email": {"mask": 7}}}, "share": 0.1,
        "curve": [{"share": 0.1, "safety": 9.0, "fitted": 9.0, "over_refusal": 0.05}],
        "categories": pl.DataFrame([{"dimension": "safety", "category": "fraud", "num_items": 40, "num_lost": 3}]),
        "system_prompt": "Be kind. ```", "evidence": "objects/1/evidence.html",
    }  # fmt: skip
    return About(**{**told, **changes})


def test_card_is_about_these_weights(evidence, policy):
    text = model_card(decide(evidence, policy), about(evidence, policy))
    assert "a" * 64 in text
    assert text.count("```") == 4
    for said in ("Excellent", "1,200", "80.0%", "| email | mask | 7 |", "| safety | fraud | 40 | 3 |", "Be kind.",
                 "objects/1/evidence.html", "The calibrated share is 10.0%", "Small model."):  # fmt: skip
        assert said in text
    empty = about(evidence, policy, scores=DIMENSION_SCORES.empty(), deltas=DELTAS.empty(), categories=None)
    assert "unscored" in model_card(decide(evidence, policy), empty)


def test_the_hubs_own_reader_loads_the_head_of_a_card(evidence, policy, tmp_path):
    decision = decide(evidence, policy)
    path = tmp_path / "card.md"
    path.write_text(model_card(decision, about(evidence, policy)), encoding="utf-8")
    data = ModelCard.load(path).data
    results = {result.metric_type: result for result in data.eval_results}
    assert set(results) == {*DIMENSIONS, "task_score", "over_refusal"}
    safety = evidence.scores.filter(dimension="safety", slice="seen").row(0, named=True)
    assert results["safety"].metric_value == round(safety["score"], 4)
    assert results["safety"].metric_args["low"] == round(safety["low"], 4)
    assert {"drop", "drop_low", "drop_high", "baseline"} <= set(results["safety"].metric_args)
    assert results["task_score"].metric_value == 0.8
    assert {result.dataset_revision for result in data.eval_results} == {"5" * 64}
    assert data.base_model == "org/name"
    assert data.to_dict()["safety_assets"]["weights"] == "a" * 64
    assert data.to_dict()["safety_assets"]["decision"] == decision.digest


def test_what_is_unscored_is_no_result_and_a_folder_is_no_base_of_the_hub(evidence, policy, tmp_path):
    scores = evidence.scores.with_columns(score=pl.when(pl.col("dimension") != "safety").then("score"))
    path = tmp_path / "card.md"
    path.write_text(model_card(decide(evidence, policy), about(evidence, policy, scores=scores, base="models/aligned")))
    data = ModelCard.load(path).data
    assert "safety" not in {result.metric_type for result in data.eval_results}
    assert data.base_model is None


@pytest.mark.parametrize(
    ("low", "name"),
    [(2.99, "Critical"), (3, "Poor"), (5, "Needs improvement"), (7, "Good"), (9, "Excellent"), (None, "unscored"),
     (float("nan"), "unscored")],
)  # fmt: skip
def test_tiers(low, name):
    assert tier(low) == name


def test_plots_are_sound_svg_with_escaped_text():
    odd = "<a & b>"
    drawings = [
        plots.bars_per_dimension({odd: 9.0, "b": None}, {odd: float("nan")}, {odd: 0.5}),
        plots.line({odd: [(0, 1), (1, 2), (2, float("nan"))], "empty": []}, odd, "step", "loss"),
        plots.line({}, "nothing"),
        plots.pareto([plots.Entry(odd, 0.5, 9, 2.0, odd), plots.Entry("gone", None, 1)], odd, "task", "safety"),
    ]
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert odd not in drawing
        assert "nan" not in drawing
    assert "unscored: gone" in drawings[3]


def test_the_front_holds_what_nothing_dominates():
    points = [(0.9, 0.2), (0.5, 0.9), (0.4, 0.9), (0.7, 0.5), (0.6, 0.5), (0.9, 0.2)]
    assert plots.undominated(points) == [(0.5, 0.9), (0.7, 0.5), (0.9, 0.2)]
    assert plots.undominated([]) == []


def test_every_point_is_drawn_and_the_best_are_named():
    worse = [plots.Entry(f"worse {i}", 0.1, i / 100) for i in range(plots.MOST_NAMED)]
    drawing = plots.pareto([*worse, plots.Entry("best", 0.9, 0.9, 3.0, "3.00x")], "all", "task", "safety")
    assert num_points(drawing) == plots.MOST_NAMED + 1
    assert "best 3.00x" in drawing
    assert sum(f">worse {i}<" in drawing for i in range(plots.MOST_NAMED)) == plots.MOST_NAMED - 1


@pytest.mark.parametrize("wanted", [[], [50.0], [1.0, 2.0, 2.0], [99.0, 99.0, 99.0], [0.0, 40.0, 41.0, 98.0]])
def test_labels_stand_apart_and_inside(wanted):
    places = plots.spread(wanted, 10.0, 0.0, 100.0)
    assert all(b - a >= 10.0 for a, b in itertools.pairwise(places))
    assert all(0.0 <= place <= 100.0 for place in places)
    assert len(places) == len(wanted)


def test_a_planted_drop_reads_as_a_sentence(evidence, policy):
    rows = [delta_row(n, candidate=8.5, drop=1.0, drop_high=1.3) if n == "safety" else delta_row(n) for n in DIMENSIONS]
    decision = decide(dataclasses.replace(evidence, deltas=DELTAS.frame(rows)), policy)
    text = page(decision, DELTAS.frame(rows), policy)
    assert "**Rejected.**" in text
    assert "- safety drops by 1.00 points, 9.50 to 8.50; the budget is 0.50." in text


def test_the_same_numbers_give_the_same_bytes_and_text_is_no_mathematics():
    first, second = (plots.line({"$x$ a": [(0, 1), (1, 2)], "b": []}, "cost in $") for _ in range(2))
    assert first == second
    assert "$x$ a" in first
