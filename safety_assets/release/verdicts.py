"""Every verdict of a release, under one name: pure functions of evidence and policy, all of which fail closed."""

from safety_assets.release.apart import in_domain_budget, not_asked, wrapped_budget
from safety_assets.release.bindings import evidence_is_current, weights_are_the_ones_scored
from safety_assets.release.budget import regression_budget
from safety_assets.release.consent import losses_disposed, not_held, policy_binds, signed_off
from safety_assets.release.consistency import consistency_budget
from safety_assets.release.figures import exposure_budget, serving_budget
from safety_assets.release.further import further_budget, not_measured
from safety_assets.release.measured import (
    baseline_is_aligned,
    every_dimension_scored,
    over_refusal_ceiling,
    task_floor,
    verdicts_repeat,
)
from safety_assets.release.reviewed import answers_reviewed
from safety_assets.release.trained import curve_covers_the_choice, share_as_the_recipe_says, weights_sound

__all__ = [
    "answers_reviewed",
    "baseline_is_aligned",
    "consistency_budget",
    "curve_covers_the_choice",
    "every_dimension_scored",
    "evidence_is_current",
    "exposure_budget",
    "further_budget",
    "in_domain_budget",
    "losses_disposed",
    "not_asked",
    "not_held",
    "not_measured",
    "over_refusal_ceiling",
    "policy_binds",
    "regression_budget",
    "serving_budget",
    "share_as_the_recipe_says",
    "signed_off",
    "task_floor",
    "verdicts_repeat",
    "weights_are_the_ones_scored",
    "weights_sound",
    "wrapped_budget",
]
