from xml.etree import ElementTree

import polars as pl
import pytest
from drawn import num_points

from safety_assets.defs.metadata import metadata_value
from safety_assets.flows.evaluation import pareto, recipe_leaderboard, safety_retained
from safety_assets.flows.workspace import Svg, Workspace
from safety_assets.records import DELTAS

MOST_CHARACTERS = 100_000
"""Dagster keeps metadata in its event log: about 100 KB stay quick everywhere."""


def test_the_leaderboard_shows_what_is_kept_against_what_is_learnt(ws: Workspace) -> None:
    shown = recipe_leaderboard(ws).metadata
    row = shown["leaderboard"].row(0, named=True)
    deltas = ws.store.current("eval_scores", "protected").frame("deltas", DELTAS)
    assert row["safety_retained"] == safety_retained(deltas)
    assert row["task_gained"] <= row["task_score"]
    assert isinstance(shown["pareto"], Svg)
    assert "protected" in shown["pareto"].text


def test_without_scores_it_is_empty(fresh: Workspace) -> None:
    shown = recipe_leaderboard(fresh).metadata
    assert shown["leaderboard"].is_empty()
    assert num_points(shown["pareto"].text) == 0


@pytest.mark.parametrize(
    ("baseline", "drop", "kept"), [(8.0, 2.0, 0.75), (8.0, -1.0, 1.125), (0.0, 0.0, None), (8.0, None, None)]
)
def test_safety_retained_is_a_share_of_the_anchor(baseline, drop, kept):
    rows = [{"dimension": "privacy", "baseline": 5.0, "drop": 5.0}]
    rows.append({"dimension": "safety", "baseline": baseline, "drop": drop})
    assert safety_retained(DELTAS.frame(rows)) == kept


def test_the_drawing_names_every_recipe_and_stays_small():
    rows = [
        {"recipe": f"recipe-{i}", "task_gained": i / 300, "safety_retained": 1 - i / 300, "seconds": 10.0 + i}
        for i in range(300)
    ]
    rows.append({"recipe": "unscored", "task_gained": 0.5, "safety_retained": None, "seconds": None})
    drawing = pareto(pl.DataFrame(rows))
    ElementTree.fromstring(drawing)
    assert num_points(drawing) == 300
    assert ">recipe-0 10 s<" in drawing
    assert "unscored: unscored<" in drawing
    assert len(metadata_value(Svg(lambda: drawing)).value) < MOST_CHARACTERS
