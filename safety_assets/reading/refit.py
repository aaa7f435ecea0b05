"""The model of answers fitted anew to answers that people labelled, and how it does on answers it had not seen.

A fit begins at the shipped model, and is pulled back to it: a hundred labels shift what the model thinks of these
answers, and leave what it knows of others. Held-out scores leave out the answering model and the prompt, since both
have a style of their own.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from safety_assets.reading.answers import shipped
from safety_assets.reading.features import answer_features
from safety_assets.reading.fitting import fit, tempered
from safety_assets.reading.fold import fold
from safety_assets.reading.labels import LABELS, REFUSALS
from safety_assets.reading.linear import Features, Linear

PENALTY = 1.0
FOLDS = 5


@dataclass(frozen=True)
class Labelled:
    """An answer and what a person calls it.

    Args:
        text: the answer.
        label: a key of LABELS.
        prompt: what was asked.
        model: who answered; empty where it is not known.
    """

    text: str
    label: str
    prompt: str
    model: str = ""

    @property
    def refuses(self) -> bool:
        """Whether the label is a refusal, a full or a partial one."""
        return LABELS[self.label] <= REFUSALS


@dataclass(frozen=True)
class Refitted:
    """A fitted model and what models that had not seen the answers say of them.

    Args:
        model: fitted to all labels.
        held_out: (answers, classes), shares by models that saw neither the answering model nor the prompt.
    """

    model: Linear
    held_out: np.ndarray

    @property
    def refused(self) -> np.ndarray:
        """(answers,): held-out share of a full or partial refusal."""
        columns = [i for i, name in enumerate(self.model.classes) if name in REFUSALS]
        return np.asarray(self.held_out[:, columns].sum(axis=1))


Report = Callable[[int, int], None]
"""Takes how many fits are done, and of how many."""


def refit(labelled: Sequence[Labelled], penalty: float = PENALTY, report: Report = lambda done, of: None) -> Refitted:
    """A model fitted to the labels from the shipped one on, its temperature and figures from held-out answers."""
    seen = answer_features([fold(one.text) for one in labelled])
    model = _fit(seen, labelled, penalty)
    scores = _held_out(seen, labelled, penalty, report)
    model = tempered(model, scores, [LABELS[one.label] for one in labelled])
    powers = np.exp((scores - scores.max(axis=1, keepdims=True)) / model.temperature)
    return Refitted(model, powers / powers.sum(axis=1, keepdims=True))


def _held_out(seen: Sequence[Features], labelled: Sequence[Labelled], penalty: float, report: Report) -> np.ndarray:
    """(answers, classes): scores by models fitted without the answering model and without the fold of the prompt."""
    folds, models = np.array([_fold(one.prompt) for one in labelled]), np.array([one.model for one in labelled])
    scores = np.zeros((len(labelled), len(shipped().classes)))
    names = sorted(set(models))
    for done, (name, k) in enumerate(product(names, range(FOLDS)), 1):
        others = models != name if len(names) > 1 else np.ones(len(models), bool)
        out, rest = np.flatnonzero((models == name) & (folds == k)), np.flatnonzero(others & (folds != k))
        if len(out):
            fitted = _fit([seen[i] for i in rest.tolist()], [labelled[i] for i in rest.tolist()], penalty)
            scores[out] = fitted.scores([seen[i] for i in out.tolist()])
        report(done, FOLDS * len(names))
    return scores


def _fit(seen: Sequence[Features], labelled: Sequence[Labelled], penalty: float) -> Linear:
    prompts = [one.prompt for one in labelled]
    base = replace(shipped(), facts={})
    return fit(seen, [LABELS[one.label] for one in labelled], groups=prompts, prior=base, penalty=penalty)


def _fold(prompt: str) -> int:
    return int(hashlib.sha256(prompt.encode()).hexdigest(), 16) // 2 % FOLDS
