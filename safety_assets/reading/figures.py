"""How verdicts compare with people's labels: shares right, bias of rates, calibration. Plain numbers, rounded."""

from collections.abc import Mapping, Sequence

import numpy as np

BINS = 10

Figures = dict[str, float | None]
"""Name to number; null where there is nothing to count."""


def agreement(truth: Sequence[bool], found: Sequence[bool]) -> Figures:
    """Accuracy, sensitivity and specificity (0..1; null where nothing is of that kind) and the number of answers."""
    told, seen = np.asarray(truth, bool), np.asarray(found, bool)
    return {
        "accuracy": _share(told == seen), "sensitivity": _share(seen[told]), "specificity": _share(~seen[~told]),
        "n": len(told),
    }  # fmt: skip


def rate_errors(truth: Sequence[bool], found: Sequence[bool], groups: Sequence[str]) -> dict[str, Figures]:
    """Per group: number of answers, share that refuses by label and by verdict, and the difference in points."""
    told, seen, names = np.asarray(truth, float), np.asarray(found, float), np.asarray(groups)
    return {str(name): _rates(told[names == name], seen[names == name]) for name in sorted(set(groups))}


def _rates(told: np.ndarray, seen: np.ndarray) -> Figures:
    points = round(float(100 * (seen.mean() - told.mean())), 1)
    return {"n": len(told), "labelled": _share(told), "found": _share(seen), "points": points}


def worst(errors: Mapping[str, Mapping[str, float | None]]) -> float:
    """The largest difference of a rate, in points."""
    return max((abs(each["points"] or 0.0) for each in errors.values()), default=0.0)


def calibration(right: Sequence[bool], confidence: Sequence[float]) -> Figures:
    """Mean confidence, share right, and the mean distance of the two over ten bins of confidence (ECE), all 0..1."""
    hit, sure = np.asarray(right, float), np.asarray(confidence, float)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs(hit[bins == b].sum() - sure[bins == b].sum()) for b in range(BINS)]
    return {
        "confidence": _share(sure), "right": _share(hit), "ece": round(float(sum(gaps) / max(1, len(hit))), 4),
    }  # fmt: skip


def _share(hits: np.ndarray) -> float | None:
    return round(float(np.mean(hits)), 4) if len(hits) else None
