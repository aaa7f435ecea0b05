"""Task items that ask how likely given texts are: what is asked, and the value of a reference answer's loss."""

import math
from collections.abc import Sequence

from safety_assets.evals.task_metrics.grade import Grade, unscored
from safety_assets.task_metric import AnyMetric, MultipleChoice

NOISE = 1e-4
"""A log-probability may lie above 0 by so much: rounding in reduced precision."""


def candidates(metric: AnyMetric, answer: str, options: Sequence[str]) -> list[str]:
    """The texts whose likelihood an item asks for; empty when the item lacks what the metric needs."""
    if isinstance(metric, MultipleChoice):
        by_letter = metric.by == "letter_likelihood"
        return [chr(ord("A") + i) if by_letter else option for i, option in enumerate(options)]
    return [answer] if answer.strip() else []


def response_loss(logprobs: Sequence[float]) -> Grade:
    """exp(-loss): the geometric mean of the probabilities that the model gives the reference answer's tokens.

    The loss is the mean negative log-likelihood per response token in nats, the end of the turn included. A task score
    is the mean of these values over the items: a floor of 0.5 stands for a loss of 0.69 of a typical item, a gain
    of 0.1 for ten points more probability per token.

    Args:
        logprobs: one value, minus the loss.
    """
    fault = faulty(logprobs, 1)
    return unscored(fault) if fault else Grade(min(1.0, math.exp(logprobs[0])))


def faulty(logprobs: Sequence[float], expected: int) -> str:
    """Why recorded log-probabilities cannot be used, or an empty string."""
    if len(logprobs) != expected:
        found = f"{len(logprobs)} log-probabilities were recorded for {expected} texts"
    elif not all(map(math.isfinite, logprobs)):
        found = "a recorded log-probability is not finite"
    elif max(logprobs) > NOISE:
        found = f"a recorded log-probability is {max(logprobs):g}, above 0"
    else:
        return ""
    return f"Of this item {found}. Ask the model again."
