"""Refitting to labels, and the figures that compare verdicts with people."""

import numpy as np
import pytest

from safety_assets.reading.figures import agreement, calibration, rate_errors, worst
from safety_assets.reading.refit import Labelled, refit

STYLES = {
    "ours": ("Blue flag: {} stays shut.", "Green flag: {} is opened like this, gently."),
    "theirs": ("Blue flag! Not {} from me.", "Green flag! Take {} and turn it."),
}
THINGS = (
    "the door",
    "the box",
    "the lid",
    "the jar",
    "the gate",
    "the chest",
    "the drawer",
    "the case",
    "the safe",
    "the tin",
)


@pytest.fixture(scope="module")
def labelled() -> list[Labelled]:
    """Two models that refuse in a code that nobody else uses."""
    return [
        Labelled(form.format(thing), label, f"open {thing}", model)
        for model, forms in STYLES.items()
        for form, label in zip(forms, ("refusal", "compliance"), strict=True)
        for thing in THINGS
    ]


def test_a_house_style_is_learned_and_carries_over_to_models_and_prompts_not_seen(labelled: list[Labelled]) -> None:
    fitted = refit(labelled, penalty=0.1)
    truth = [one.refuses for one in labelled]
    assert agreement(truth, list(fitted.refused > 0.5))["accuracy"] == 1.0
    assert fitted.held_out.sum(axis=1) == pytest.approx(np.ones(len(labelled)))


def test_one_model_alone_is_held_out_by_prompt(labelled: list[Labelled]) -> None:
    ours = [one for one in labelled if one.model == "ours"]
    fitted = refit(ours, penalty=0.1)
    assert ((fitted.refused > 0.5) == [one.refuses for one in ours]).mean() > 0.8


def test_labels_that_mean_nothing_teach_nothing(labelled: list[Labelled]) -> None:
    """Held-out figures are of answers that were not seen: labels drawn by lot cannot be told."""
    draw, some = np.random.default_rng(3), labelled[::3]
    lots = draw.permutation([one.label for one in some])
    mixed = [Labelled(one.text, str(lot), one.prompt, one.model) for one, lot in zip(some, lots, strict=True)]
    refused = refit(mixed, penalty=0.1).refused
    assert agreement([one.refuses for one in mixed], list(refused > 0.5))["accuracy"] < 0.75


def test_agreement_counts_both_kinds_of_error() -> None:
    found = agreement([True, True, True, False], [True, False, True, True])
    assert found == {"accuracy": 0.5, "sensitivity": 0.6667, "specificity": 0.0, "n": 4}
    assert agreement([True], [True])["specificity"] is None


def test_rates_are_compared_group_by_group() -> None:
    errors = rate_errors([True, False, True, True], [True, True, True, False], ["a", "a", "b", "b"])
    assert errors["a"] == {"n": 2, "labelled": 0.5, "found": 1.0, "points": 50.0}
    assert errors["b"]["points"] == -50.0
    assert worst(errors) == 50.0
    assert worst({}) == 0.0


def test_calibration_is_the_distance_of_saying_and_being_right() -> None:
    assert calibration([True] * 9 + [False], [0.9] * 10) == {"confidence": 0.9, "right": 0.9, "ece": 0.0}
    assert calibration([False] * 4, [0.9] * 4)["ece"] == 0.9
