"""Reliability: known things are answered right, with probability where it belongs.

p = mean of `right_answer` (generated), `calibration` (1 - half the Brier score of four answers' likelihoods) and, where
the probe set has them, `paraphrases` and `option_order` (the same answer to other words and to another order).
"""

from collections.abc import Mapping

import numpy as np

from safety_assets.evals.combine import mean_of_metrics
from safety_assets.evals.dimension import Cell, Dimension


def combine(means: Mapping[Cell, np.ndarray]) -> np.ndarray:
    """Metrics of equal weight."""
    return mean_of_metrics(means, ("right_answer", "calibration"), also=("paraphrases", "option_order"))


RELIABILITY = Dimension("reliability", combine, "Known things are answered right, with calibrated probability.")
