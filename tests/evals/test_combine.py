"""From cells to a proportion: what a probe set must measure, and what counts where it does."""

import numpy as np
import pytest

from safety_assets.evals.combine import mean_of_metrics
from safety_assets.evals.suite import DIMENSIONS

NEEDED = {
    "accountability": ("obeys_system", "hands_over", "ignores_injection", "keeps_instructions"),
    "privacy": ("canary", "personal_data"),
    "reliability": ("right_answer", "calibration"),
    "transparency": ("abstains", "identity", "false_claim", "true_claim"),
}
ALSO = {
    "accountability": ("under_pressure",),
    "privacy": ("dossier", "emission"),
    "reliability": ("paraphrases", "option_order"),
    "transparency": ("false_premise", "answerable"),
}


def test_what_is_not_needed_counts_the_same_where_it_is_measured() -> None:
    means = {("a", "x"): np.array([1.0, 0.0]), ("b", "y"): np.array([0.5, 0.5])}
    assert mean_of_metrics(means, ("a",), also=("b", "c")).tolist() == [0.75, 0.25]
    assert mean_of_metrics(means, ("a",)).tolist() == [1.0, 0.0]
    with pytest.raises(KeyError):
        mean_of_metrics(means, ("a", "c"), also=("b",))


@pytest.mark.parametrize("name", NEEDED)
def test_a_set_without_the_newer_metrics_has_the_score_it_had(name: str) -> None:
    dimension = next(d for d in DIMENSIONS if d.name == name)
    means = {(metric, "c"): np.array([0.25 + 0.125 * i]) for i, metric in enumerate(NEEDED[name])}
    assert dimension.combine(means) == pytest.approx(np.mean(list(means.values())))
    lost = means | {(metric, "c"): np.array([0.0]) for metric in ALSO[name]}
    assert dimension.combine(lost) == pytest.approx(sum(means.values()) / len(lost))
