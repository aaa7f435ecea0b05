from xml.etree import ElementTree

import pytest

from safety_assets.defs.metadata import metadata_value
from safety_assets.flows.evaluation import recipe_leaderboard
from safety_assets.flows.workspace import Svg, Workspace
from safety_assets.records import DELTAS

MOST_CHARACTERS = 100_000
"""Dagster keeps metadata in its event log: about 100 KB stay quick everywhere."""


def test_the_leaderboard_shows_what_is_kept_against_what_is_learnt(ws: Workspace) -> None:
    shown = recipe_leaderboard(ws).metadata
    row = shown["leaderboard"].row(0, named=True)
    deltas = ws.store.current("eval_scores", "protected").frame("deltas", DELTAS)
    safety = deltas.filter(dimension="safety").row(0, named=True)
    assert row["safety_retained"] == pytest.approx(safety["candidate"] / safety["baseline"])
    assert row["task_gained"] <= row["task_score"]
    assert isinstance(shown["pareto"], Svg)
    drawing = shown["pareto"].text
    ElementTree.fromstring(drawing)
    assert f">protected {row['seconds']:.0f} s<" in drawing
    assert len(metadata_value(shown["pareto"]).value) < MOST_CHARACTERS


def test_without_scores_it_is_empty(fresh: Workspace) -> None:
    shown = recipe_leaderboard(fresh).metadata
    assert shown["leaderboard"].is_empty()
    assert "<circle" not in shown["pareto"].text
