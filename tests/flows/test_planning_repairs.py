import pytest

from safety_assets.flows.planning_repairs import models_asked, seconds_of, steps_taken
from safety_assets.recipes import Recipe
from safety_assets.repair_specs import LinearMerge, LowRankExtrapolation, OneShotPatch

MERGE = LinearMerge(repair="merge", shares=(0.2, 0.2, 0.6))
PATCH = OneShotPatch(repair="one_shot", candidates=3, steps=10, refusals=4)


def test_a_sweep_asks_every_share_and_the_base_and_a_given_share_nothing():
    assert models_asked(MERGE) == 3
    assert models_asked(LinearMerge(repair="merge", share=0.5)) == 0
    assert models_asked(PATCH) == 4
    assert models_asked(LowRankExtrapolation(repair="lox")) == 0


def test_steps_are_counted_in_rows_of_the_recipe():
    assert steps_taken(PATCH, 8) == pytest.approx(3 * 10 * 4 / 8)
    held = PATCH.model_copy(update={"lookalikes": 4, "kept": 100, "batch_rows": 4})
    assert steps_taken(held, 8) == pytest.approx(3 * 10 * (4 + 4) / 8)
    assert steps_taken(MERGE, 8) == 0


def test_seconds_are_models_asked_and_steps_taken():
    settings = {"learning_rate": 1e-3, "steps": 5, "batch_rows": 8}
    recipe = Recipe.model_validate({"description": "x", "optimiser": settings, "injection": "none"})
    assert seconds_of((MERGE, PATCH), recipe, step=2.0, asking=10.0) == pytest.approx(7 * 10 + 15 * 2)
    assert seconds_of((), recipe, step=2.0, asking=10.0) == 0
