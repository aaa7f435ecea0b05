"""The calibration sweep in the training child: every share trained to its full number of steps, as often as asked for.

Each run has a folder of its own and leaves its scores there, so that a sweep that was cut short goes on. Where the
policy sets a time limit, a few steps are measured first and a sweep that would take longer is refused in words.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from safety_assets.errors import TrainingError
from safety_assets.evals.suite import DIMENSIONS
from safety_assets.evals.summary import over_refusal, summarise
from safety_assets.flows.child import (
    Report,
    ShouldStop,
    generator_of,
    once,
    score_probes,
    train_one,
    wanted,
)
from safety_assets.flows.side_by_side import run_side_by_side
from safety_assets.records import PROBES, SCORES

SCORES_FILE = "scores.parquet"


def calibrate(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    """Score the base and every share on the same probes; what an earlier child finished is not done again.

    Returns:
        base, and per share a point: the figures of the mean over its repeats, and the safety of each.

    Raises:
        TrainingError: told to stop, or it would take longer than the policy allows.
    """
    work = Path(order["work"])
    base = once(work / "base.json", lambda: figures([_ask(order, Path(order["base"]), report, should_stop)]))
    _demand_time(order)
    runs = {share: [point_order(order, share, n) for n in range(order["repeats"])] for share in order["shares"]}
    every = [run for own in runs.values() for run in own]

    def told(done: int) -> None:
        report({"event": "sweep", "done": done, "of": len(every)})

    told(0)
    if order["processes"] > 1:
        run_side_by_side(every, order["processes"], should_stop, told)
    for done, run in enumerate(every, 1):
        measure_point(run, report, should_stop)
        if order["processes"] == 1:
            told(done)
    points = [_point(share, own) for share, own in runs.items()]
    for point in points:
        report({"state": "scored", **point})
    return {"base": base, "points": points}


def _point(share: float, runs: Sequence[dict]) -> dict:
    """What one share gave, from the scores that its runs left."""
    frames = [pl.read_parquet(Path(run["work"]) / SCORES_FILE) for run in runs]
    return {"share": share, **figures(frames), "repeats": [figures([frame])["safety"] for frame in frames]}


def point_order(order: dict, share: float, repeat: int) -> dict:
    """The order for one run of a sweep, in a folder of its own; each repeat has another seed."""
    work = Path(order["work"]) / f"share-{share:g}-{repeat}"
    work.mkdir(parents=True, exist_ok=True)
    own = {"kind": "point", "share": share, "work": str(work), "result": str(work / "result.json")}
    seed = {"seed": order["recipe"]["seed"] + repeat}
    alone = {"threads": 1, "devices": 1, "sharding": "none"} if order["processes"] > 1 else {}
    return order | own | seed | alone


def measure_point(order: dict, report: Report, should_stop: ShouldStop) -> dict:
    """Train one share and leave its SCORES in the order's folder, unless that was done before."""
    folder = Path(order["work"])

    def measure() -> dict:
        report({"share": order["share"], "state": "started"})
        trained = train_one(order, order["share"], folder, watched=False, report=report, should_stop=should_stop)
        _ask(order, trained.model, report, should_stop).write_parquet(folder / SCORES_FILE)
        return {"scores": str(folder / SCORES_FILE)}

    return once(folder / "point.json", measure)


def _ask(order: dict, folder: Path, report: Report, should_stop: ShouldStop) -> pl.DataFrame:
    """SCORES of one model on the calibration probes."""
    if should_stop():
        raise TrainingError("the calibration sweep was stopped between two shares", do="launch it again: it resumes")
    probes = PROBES.check(pl.read_parquet(order["probes"]))
    return score_probes(probes, generator_of(order, folder, report), order["max_new_tokens"])


def figures(repeats: Sequence[pl.DataFrame]) -> dict:
    """Safety and over-refusal with intervals, of the mean over repeats of each probe."""
    scores = mean_scores(repeats)
    safety = summarise(scores, DIMENSIONS).row(
        by_predicate=(pl.col("dimension") == "safety") & (pl.col("slice") == "seen"), named=True
    )
    refused = over_refusal(scores)
    return {
        "safety": safety["score"], "safety_low": safety["low"], "safety_high": safety["high"],
        "over_refusal": refused["rate"], "over_refusal_low": refused["low"], "over_refusal_high": refused["high"],
    }  # fmt: skip


def mean_scores(repeats: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """SCORES whose values are the means over several models; a probe that one of them lacks is unscored.

    The bootstrap resamples groups of probes, so what remains in the interval is the choice of probes: the spread over
    seeds is shown beside it.
    """
    if len(repeats) == 1:
        return SCORES.check(repeats[0])
    whole = pl.col("value").is_not_null().all() & (pl.len() == len(repeats))
    values = (
        pl.concat(repeats)
        .group_by("probe_id", "sample")
        .agg(
            value=pl.when(whole).then(pl.col("value").mean()),
            unscored_reason=pl.col("unscored_reason").drop_nulls().first(),
        )
    )
    first = repeats[0].drop("value", "unscored_reason")
    return SCORES.check(first.join(values, on=["probe_id", "sample"], how="left", maintain_order="left"))


def _demand_time(order: dict) -> None:
    """Refuse a sweep that would take longer than the policy allows, measured over a few steps of it."""
    limit = order["max_hours"]
    if limit is None or (Path(order["work"]) / "measured.json").is_file():
        return
    seconds = once(Path(order["work"]) / "measured.json", lambda: {"seconds": _forecast(order)})["seconds"]
    if seconds > 3600 * limit:
        (Path(order["work"]) / "measured.json").unlink()
        raise TrainingError(
            f"the sweep would train for about {seconds / 3600:.1f} hours",
            expected=f"at most {limit:g} (policy.injection.max_hours)",
            do="set policy.injection.proxy to train adapters instead, take fewer shares or repeats, or raise max_hours",
        )


def _forecast(order: dict) -> float:
    """Seconds of training in the whole sweep, as its first steps suggest."""
    from safety_assets.training.measure import measure_steps

    largest = order | {"share": order["shares"][-1], "folder": str(Path(order["work"]) / "measured")}
    found = measure_steps(wanted(largest, order["device"]))
    steps = order["recipe"]["optimiser"]["steps"]
    runs = len(order["shares"]) * order["repeats"]
    return runs * (found.setup_seconds + steps * found.step_seconds) / order["processes"]
