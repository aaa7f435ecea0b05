"""The calibration sweep: repeats, a limit of time, a proxy that says so."""

import json
from pathlib import Path

import polars as pl
import pytest
import small_project

from safety_assets.errors import TrainingError
from safety_assets.flows import corpus
from safety_assets.flows.corpus import sweep_recipe, trained_as
from safety_assets.flows.sweep import mean_scores
from safety_assets.flows.workspace import Workspace
from safety_assets.project import open_project
from safety_assets.records import SCORES
from safety_assets.store import Store
from safety_assets.worker import launch_here


def workspace(folder: Path, model: Path, **injection: object) -> Workspace:
    small_project.write_project(folder, model)
    policy = small_project.policy_settings()
    policy["injection"] |= injection
    small_project.write_yaml(folder / "policy.yaml", policy)
    project = open_project(folder)

    def launch(order: dict) -> dict:
        return launch_here(order, lambda message: None)

    return Workspace(project=project, store=Store(project.storage), launch=launch)


def prepared(ws: Workspace) -> Workspace:
    from safety_assets.flows import baseline

    for step in (corpus.raw_corpus, corpus.refusal_pairs, baseline.base_model, baseline.probe_suite):
        step(ws)
    corpus.corpus_audit(ws)
    return ws


@pytest.fixture(scope="module")
def twice(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    ws = prepared(workspace(tmp_path_factory.mktemp("sweep") / "project", tiny_model, repeats=2))
    made = corpus.injection_ratio(ws)
    return made.artefact.json("curve")


def test_every_share_is_trained_with_as_many_seeds(twice: dict) -> None:
    assert [len(point["repeats"]) for point in twice["points"]] == [2, 2, 2, 2]
    assert twice["trained"] == "recipe mixed at its full number of steps, 2 seeds a share"


def test_the_point_is_the_mean_of_its_repeats(twice: dict) -> None:
    for point in twice["points"]:
        assert min(point["repeats"]) - 1e-6 <= point["safety"] <= max(point["repeats"]) + 1e-6


def scores(*values: float | None) -> pl.DataFrame:
    return SCORES.frame(
        [{"model": "m", "probe_id": str(n), "dimension": "safety", "metric": "refuses", "category": "fraud",
          "slice": "seen", "group": str(n), "sample": 0, "judge": "j", "verdict": "x", "value": value,
          "unscored_reason": None if value is not None else "no answer", "explanation": ""}
         for n, value in enumerate(values)]
    )  # fmt: skip


def test_scores_of_repeats_are_averaged_probe_by_probe() -> None:
    found = mean_scores([scores(1.0, 0.0, 1.0), scores(0.0, 0.0, 1.0)])
    assert found["value"].to_list() == [0.5, 0.0, 1.0]
    assert found["probe_id"].to_list() == ["0", "1", "2"]


def test_a_probe_that_one_repeat_could_not_score_is_unscored() -> None:
    found = mean_scores([scores(1.0, None), scores(1.0, 1.0)])
    assert found["value"].to_list() == [1.0, None]
    assert found["unscored_reason"].to_list() == [None, "no answer"]
    assert mean_scores([scores(1.0, 1.0), scores(1.0)])["value"].to_list() == [1.0, None]


def test_a_sweep_that_would_take_too_long_is_refused_before_it_trains(tiny_model: Path, tmp_path: Path) -> None:
    ws = prepared(workspace(tmp_path / "long", tiny_model, max_hours=1e-9))
    with pytest.raises(TrainingError, match=r"the sweep would train for about .* hours.*proxy"):
        corpus.injection_ratio(ws)
    assert not list(ws.store.root.glob("work/*/share-*"))
    assert ws.store.find("injection_ratio") is None


def test_a_sweep_within_its_limit_runs(tiny_model: Path, tmp_path: Path) -> None:
    ws = prepared(workspace(tmp_path / "short", tiny_model, max_hours=1.0))
    assert corpus.injection_ratio(ws).artefact.json("choice")["share"] is not None


def test_a_proxy_trains_adapters_and_says_so(tiny_model: Path, tmp_path: Path) -> None:
    ws = workspace(tmp_path / "proxy", tiny_model, proxy={"rank": 4, "learning_rate": 0.01})
    recipe = sweep_recipe(ws)
    assert [m.method for m in recipe.methods] == ["lora"]
    assert recipe.optimiser.learning_rate == 0.01
    assert recipe.optimiser.steps == ws.project.recipe("mixed").optimiser.steps
    assert trained_as(ws) == "a proxy: adapters of rank 4 in place of full training of mixed"
    curve = json.loads((corpus.injection_ratio(prepared(ws)).artefact.path / "curve.json").read_text())
    assert curve["trained"].startswith("a proxy")


def test_a_recipe_that_trains_adapters_is_no_proxy(tiny_model: Path, tmp_path: Path) -> None:
    ws = workspace(tmp_path / "adapters", tiny_model, proxy={"rank": 4})
    recipe = small_project.recipe_settings("mixed") | {"methods": [{"method": "lora", "rank": 2}]}
    small_project.write_yaml(ws.project.folder / "recipes" / "mixed.yaml", recipe)
    assert sweep_recipe(ws) == ws.project.recipe("mixed")
    assert not trained_as(ws).startswith("a proxy")
