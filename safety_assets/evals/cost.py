"""What serving a candidate costs against its base: ratios of latency, tokens, memory and size, with bounds."""

import numpy as np
import polars as pl

from safety_assets.evals.statistics import DRAWS, SEED
from safety_assets.records import Table

ONE_SIDED = 0.9
"""Level of a two-sided interval whose ends are one-sided 95% bounds."""

ANSWERED = Table("answered", {
    "prompt": (pl.Int64, "place of the prompt"),
    "side": (pl.String, "base or candidate"),
    "seconds": (pl.Float64, "of the quickest of its answers; on a CPU of processor time"),
    "tokens": (pl.Int64, "of its answer"),
})  # fmt: skip

SERVING = Table("serving", {
    "what": (pl.String, "latency (seconds of an answer), tokens (of an answer), memory (bytes), size (bytes on disk)"),
    "base": (pl.Float64, "mean over the prompts, or the number of bytes"),
    "candidate": (pl.Float64, "the same of the candidate"),
    "ratio": (pl.Float64, "candidate / base"),
    "low": (pl.Float64, "one-sided 95% lower bound of the ratio, paired bootstrap over prompts"),
    "high": (pl.Float64, "one-sided 95% upper bound; bytes are counted, and have no width"),
})  # fmt: skip


def serving(answered: pl.DataFrame, memory: tuple[int, int], size: tuple[int, int]) -> pl.DataFrame:
    """All four ratios.

    Args:
        answered: ANSWERED, every prompt by both sides.
        memory, size: bytes of base and candidate, above 0.

    Returns:
        SERVING.
    """
    wide = ANSWERED.check(answered).pivot("side", index="prompt", values=["seconds", "tokens"]).sort("prompt")
    timed = {"latency": "seconds", "tokens": "tokens"}
    rows = [
        {"what": what, **_paired(*(wide[f"{column}_{side}"].to_numpy() for side in ("base", "candidate")))}
        for what, column in timed.items()
    ]
    for what, (base, candidate) in (("memory", memory), ("size", size)):
        ratio = candidate / base
        both = {"base": float(base), "candidate": float(candidate)}
        rows.append({"what": what, **both, "ratio": ratio, "low": ratio, "high": ratio})
    return SERVING.frame(rows)


def _paired(base: np.ndarray, candidate: np.ndarray) -> dict[str, float]:
    """Ratio of the means, with bounds."""
    ratio = float(_ratio(candidate, base))
    ends = {"low": ratio, "high": ratio}
    if len(base) > 1 and np.ptp(candidate / np.maximum(base, 1e-12)) > 0:
        from scipy import stats  # half a second to import, for every command that reads a release

        found = stats.bootstrap(
            (candidate, base), _ratio, paired=True, n_resamples=DRAWS, confidence_level=ONE_SIDED,
            method="percentile", vectorized=True, rng=SEED,
        ).confidence_interval  # fmt: skip
        ends = {"low": float(found.low), "high": float(found.high)}
    return {"base": float(base.mean()), "candidate": float(candidate.mean()), "ratio": ratio, **ends}


def _ratio(candidate: np.ndarray, base: np.ndarray, axis: int = -1) -> np.ndarray:
    """Ratio of the means; a base that says nothing counts as one token in a thousand answers."""
    return np.mean(candidate, axis=axis) / np.maximum(
        np.mean(base, axis=axis), 1e-3 if base.dtype.kind == "i" else 1e-9
    )
