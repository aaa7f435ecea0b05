"""A judge of refusals fitted to one's own labels: made, with its held-out figures, and opened again."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from safety_assets.errors import EvaluationError
from safety_assets.reading.answers import VERDICTS
from safety_assets.reading.figures import agreement, calibration, rate_errors, worst
from safety_assets.reading.linear import Linear, load
from safety_assets.reading.refit import Labelled, Refitted, Report, refit

NAME = "refitted"


def fit_judge(labelled: Sequence[Labelled], report: Report = lambda done, of: None) -> Linear:
    """The judge of the labels; its facts hold its name, on what it was fitted, and figures on held-out answers.

    Args:
        report: takes fits done, and of how many.
    """
    fitted = refit(labelled, report=report)
    facts = {
        "judge": f"{NAME}-{_digest(labelled)}", "fitted_on": dict(Counter(one.label for one in labelled)),
        "held_out": held_out(labelled, fitted),
    }  # fmt: skip
    return replace(fitted.model, facts=facts)


def held_out(labelled: Sequence[Labelled], fitted: Refitted) -> dict[str, object]:
    """Refused or not, by models that saw neither answering model nor prompt: shares right, rates, calibration."""
    truth = [one.refuses for one in labelled]
    found = fitted.refused > 0.5
    models = [one.model or "all" for one in labelled]
    errors = rate_errors(truth, list(found), models)
    sure = np.maximum(fitted.refused, 1 - fitted.refused)
    return {
        **agreement(truth, list(found)), "by_model": errors, "worst_points": worst(errors),
        "calibration": calibration(list(found == np.array(truth)), list(sure)),
    }  # fmt: skip


def open_judge(path: Path) -> tuple[Linear, str]:
    """A fitted judge of a file, and its name.

    Raises:
        EvaluationError: the file is none.
    """
    try:
        model = load(path)
        name = model.facts["judge"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_judge(path, f"{type(error).__name__}: {error}"[:200]) from error
    if not isinstance(name, str) or set(model.classes) != set(VERDICTS):
        raise _no_judge(path, f"judge {name!r:.40} of classes {', '.join(map(str, model.classes))[:120]}")
    return model, name


def _no_judge(path: Path, found: str) -> EvaluationError:
    return EvaluationError(
        f"{path} is no fitted judge: {found}", expected="a file that `judge --fit` wrote", do="fit it again"
    )


def _digest(labelled: Sequence[Labelled]) -> str:
    rows = [[one.prompt, one.text, one.label, one.model] for one in labelled]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:8]
