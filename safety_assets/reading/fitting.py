"""Fits a linear model to labelled texts, from nothing or from a model that is already there."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from safety_assets.reading.linear import Features, Linear, cells

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Label = Collection[str]
"""The classes of which a text has one: a label may leave open which."""


def fit(
    seen: Sequence[Features],
    labels: Sequence[Label],
    *,
    groups: Sequence[str],
    classes: Sequence[str] = (),
    prior: Linear | None = None,
    min_groups: int = 3,
    penalty: float = 1.0,
) -> Linear:
    """The model that the labels give, by penalised maximum likelihood (L-BFGS).

    Args:
        seen: features of each text.
        labels: of each text.
        groups: what a word must not be particular to (a domain, a prompt), one name a text.
        classes: of the model; those of the prior where there is one, else those of the labels, by default.
        prior: its weights are where the fit begins, and what the penalty pulls back to; zero without it.
        min_groups: a word that the prior does not know is used when it stands in so many groups.
        penalty: of half the squared distance from the prior, against the summed loss.
    """
    names = tuple(prior.classes if prior else classes or sorted({c for label in labels for c in label}))
    index = _index(seen, groups, min_groups, prior.index if prior else {})
    start = _start(index, names, prior)
    table = _sparse(seen, index)
    allowed = np.array([[name in label for name in names] for label in labels], float)
    best = _minimum(_loss(table, allowed, start, penalty), start)
    return Linear(names, index, best[:-1], best[-1])


def tempered(model: Linear, scores: np.ndarray, labels: Sequence[Label]) -> Linear:
    """The model with the temperature that makes held-out scores most likely.

    Args:
        model: whose temperature is set.
        scores: (texts, classes), of models that had not seen the text; classes as in the model.
        labels: of each text.
    """
    from scipy.optimize import minimize_scalar

    allowed = np.array([[name in label for name in model.classes] for label in labels], float)

    def loss(log_temperature: float) -> float:
        return -float(_logs(scores / np.exp(log_temperature), allowed).sum())

    found = minimize_scalar(loss, bounds=(-1.5, 2.5), method="bounded")
    return replace(model, temperature=float(np.exp(found.x)))


def _logs(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """(texts,): log of the probability that falls on what the label allows."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(np.log(np.maximum((powers * allowed).sum(axis=1), 1e-300) / powers.sum(axis=1)))


def _loss(
    table: "csr_matrix", allowed: np.ndarray, start: np.ndarray, penalty: float
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(start.shape)
        scores = table @ weights[:-1] + weights[-1]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        right = powers * allowed
        wrong = powers / powers.sum(axis=1, keepdims=True) - right / np.maximum(
            right.sum(axis=1, keepdims=True), 1e-300
        )
        away = penalty * (weights[:-1] - start[:-1])
        slope = np.vstack([table.T @ wrong + away, wrong.sum(axis=0)])
        far = float(((weights[:-1] - start[:-1]) ** 2).sum())
        return penalty / 2 * far - float(_logs(scores, allowed).sum()), slope.ravel()

    return loss


def _minimum(loss: Callable[[np.ndarray], tuple[float, np.ndarray]], start: np.ndarray) -> np.ndarray:
    from scipy.optimize import minimize

    best = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 200, "gtol": 1e-3})
    return np.asarray(best.x).reshape(start.shape)


def _start(index: Mapping[str, int], names: Sequence[str], prior: Linear | None) -> np.ndarray:
    """(features + 1, classes): weights of the prior, the bias last."""
    start = np.zeros((len(index) + 1, len(names)))
    if prior:
        start[: len(prior.index)], start[-1] = prior.weights / prior.temperature, prior.bias / prior.temperature
    return start


def _index(
    seen: Sequence[Features], groups: Sequence[str], min_groups: int, known: Mapping[str, int]
) -> dict[str, int]:
    homes: dict[str, set[str]] = {}
    for text, group in zip(seen, groups, strict=True):
        for word in set(text.words):
            homes.setdefault(word, set()).add(group)
    signs = sorted({sign for text in seen for sign in text.signs})
    words = sorted(word for word, found in homes.items() if len(found) >= min_groups)
    return {feature: i for i, feature in enumerate(dict.fromkeys([*known, *signs, *words]))}


def _sparse(seen: Sequence[Features], index: Mapping[str, int]) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    rows, columns, values = cells(seen, index)
    return csr_matrix((values, (rows, columns)), shape=(len(seen), len(index)))
