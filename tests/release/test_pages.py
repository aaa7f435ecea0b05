import dataclasses
import itertools
from xml.etree import ElementTree

import pytest
from release_rows import delta_row

from safety_assets.policy import DIMENSIONS
from safety_assets.records import DELTAS, DIMENSION_SCORES
from safety_assets.release import plots
from safety_assets.release.card import model_card
from safety_assets.release.decision import decide
from safety_assets.release.evidence import page
from safety_assets.release.markdown import tier


def test_evidence_page_says_the_verdict_first(evidence, policy):
    text = page(decide(evidence, policy), evidence.deltas, policy, served=evidence.deltas)
    assert text.splitlines()[2].startswith("**Approved.**")
    assert all(f"| {name} |" in text for name in DIMENSIONS)
    refused = dataclasses.replace(evidence, problems=["<script> | is stale."], deltas=DELTAS.empty())
    text = page(decide(refused, policy), DELTAS.empty(), policy)
    assert text.splitlines()[2].startswith("**Not certified.**")
    assert "<script>" not in text
    assert "unscored" in text


def test_card_is_about_these_weights(evidence, policy):
    text = model_card(
        decide(evidence, policy), project="demo", recipe={"seed": 0, "description": "```"}, counts={"corpus": 1200},
        training={"seconds": 20.5}, scores=evidence.scores, deltas=evidence.deltas, policy=policy,
        limits=["Small model."],
    )  # fmt: skip
    assert "a" * 64 in text
    assert text.count("```") == 2
    assert "Excellent" in text
    assert "1,200" in text
    assert "80.0%" in text
    empty = model_card(
        decide(evidence, policy), project="demo", recipe={}, counts={}, training={}, scores=DIMENSION_SCORES.empty(),
        deltas=DELTAS.empty(), policy=policy,
    )  # fmt: skip
    assert "unscored" in empty


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
    assert drawing.count("<circle") == plots.MOST_NAMED + 1
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


@pytest.mark.parametrize("values", [[0, 250], [0.9, 0.98], [-3.0, 4.0], [5.0], [], [0.0, 1e-12], [1e6, 1e6 + 1]])
def test_ticks_are_round_and_enclose(values):
    ticks = plots._ticks(values)
    assert 2 <= len(ticks) <= 9
    assert ticks == sorted(set(ticks))
    assert not values or ticks[0] <= min(values) <= max(values) <= ticks[-1]
