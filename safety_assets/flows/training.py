"""Training: one recipe to one checkpoint, in a child process, resumable, with everything it saw in its manifest.

A repaired candidate is the checkpoint of the recipe that it repairs, and one repair more.
"""

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from safety_assets.errors import ProjectError
from safety_assets.flows.baseline import base_folder, pretrained_folder
from safety_assets.flows.checks import made
from safety_assets.flows.corpus import chosen_share, place_settings, sweep_probes
from safety_assets.flows.gates import admit
from safety_assets.flows.inputs import digests
from safety_assets.flows.workspace import Made, Svg, Workspace, make, work_key
from safety_assets.recipes import Recipe
from safety_assets.records import HISTORY, PROBES
from safety_assets.release import plots
from safety_assets.store import Artefact, write_frame, write_json

ASSET = "finetuned_checkpoint"


def finetuned_checkpoint(ws: Workspace, recipe: str) -> Made:
    """The trained weights of one recipe."""
    inputs = admit(ws, ASSET, recipe)
    wanted = digests(inputs)

    def write(folder: Path) -> Mapping[str, object]:
        order = order_of(ws, inputs, work_key(ASSET, recipe, wanted))
        return _collect(folder, order, ws.launch(order))

    artefact, cached = make(ws, ASSET, write, inputs=wanted, partition=recipe)
    if not cached:
        shutil.rmtree(ws.store.work(work_key(ASSET, recipe, wanted)), ignore_errors=True)
    return made(ws, artefact, cached, checkpoint_shown(artefact))


def order_of(ws: Workspace, inputs: Mapping[str, Artefact], key: str) -> dict:
    """What the child is asked to do: train, or repair the checkpoint among the inputs."""
    order = training_order(ws, inputs, key)
    return order | repair_part(inputs[ASSET], order["recipe"]["finish"][-1:]) if ASSET in inputs else order


def repair_part(trained: Artefact, repairs: Sequence[dict]) -> dict:
    """What makes a training order an order to repair a checkpoint."""
    facts = trained.json("training") | dict(trained.manifest.facts)
    own = {name: value for name, value in facts.items() if name not in ("recipe", "share")}
    return {
        "kind": "repair", "repairs": list(repairs), "tuned": str(checkpoint_model(trained)),
        "history": str(trained.path / "history.parquet"), "facts": own,
    }  # fmt: skip


def training_order(ws: Workspace, inputs: Mapping[str, Artefact], key: str) -> dict:
    """What the child is asked to do; its frames are copied into the work folder that resuming uses."""
    work = ws.store.work(key)
    recipe = Recipe.model_validate(inputs["recipe"].json("recipe"))
    watch = inputs["probe_suite"].frame("probes", PROBES).filter(pl.col("split") == "watch")
    write_frame(work, "probes", watch, PROBES)
    write_frame(work, "calibrate", sweep_probes(inputs["probe_suite"].frame("probes", PROBES)), PROBES)
    ancestor = pretrained_folder(ws, inputs.get("pretrained_model"))
    return {
        "kind": "train",
        "recipe": recipe.model_dump(mode="json"),
        "share": injected_share(recipe, inputs["injection_ratio"]),
        "base": str(base_folder(ws, inputs["base_model"])),
        "rows": str(inputs["audited_corpus"].path / "rows"),
        "probes": str(work / "probes.parquet"),
        "calibrate": str(work / "calibrate.parquet"),
        "pretrained": str(ancestor) if ancestor else None,
        "held_out_is_exam": ws.project.task_set is None,
        "anatomy": str(inputs["safety_anatomy"].path),
        "work": str(work),
        "result": str(work / "result.json"),
        "total_steps": recipe.optimiser.steps,
    } | place_settings(ws)


def injected_share(recipe: Recipe, ratio: Artefact) -> float:
    """The share of injected rows that a recipe asks for.

    Raises:
        ProjectError: it asks for the calibrated share and none was chosen.
    """
    if recipe.injection == "none":
        return 0.0
    if recipe.injection != "calibrated":
        return recipe.injection
    share = chosen_share(ratio)
    if share is None:
        raise ProjectError(
            f"recipe {recipe.name} injects the calibrated share and the sweep chose none",
            do="widen policy.injection.shares, or add pairs, and materialize injection_ratio again",
        )
    return share


def _collect(folder: Path, order: dict, result: dict) -> Mapping[str, object]:
    """Copy what training left into the artefact; timings are facts, no part of the digest."""
    shutil.copytree(result["model"], folder / "model")
    write_frame(folder, "history", pl.read_parquet(result["history"]), HISTORY)
    facts = dict(result["facts"])
    timings = {name: facts.pop(name) for name in list(facts) if name.startswith("seconds")}
    write_json(folder, "training", {"recipe": order["recipe"], "share": order["share"], **facts})
    return timings


def checkpoint_shown(artefact: Artefact) -> dict[str, object]:
    """The run in numbers and its curves."""
    training, history = artefact.json("training"), artefact.frame("history", HISTORY)
    plain = {k: v for k, v in training.items() if isinstance(v, int | float | str | bool)}
    done = {name: training[name] for name in ("started_from", "repairs") if training[name]}
    seen = sorted(n for n in history["series"].unique() if n.startswith("monitor/") and "/" in n[8:])
    watched = [name for name in history["series"].unique().sort() if name.startswith("watch/")]
    scores = {name.removeprefix("watch/"): points(history, name) for name in watched}
    drift = {name.removeprefix("monitor/"): points(history, name) for name in seen}
    return {
        **plain,
        **done,
        **{name: value for name, value in artefact.manifest.facts.items() if isinstance(value, int | float)},
        "recipe": training["recipe"],
        "loss": Svg(partial(plots.line, {"loss": points(history, "loss")}, "Loss", "step", "nats per token")),
        "watch": Svg(partial(plots.line, scores, "Watch probes", "step", "score")),
        **({"instruments": Svg(partial(plots.line, drift, "Instruments", "step", "value"))} if drift else {}),
    }


def points(history: pl.DataFrame, series: str) -> list[tuple[float, float]]:
    """At most about 200 points of one series."""
    points = history.filter(pl.col("series") == series).sort("step").select("step", "value")
    return [(step, value) for step, value in points.gather_every(max(1, points.height // 200)).iter_rows()]


def checkpoint_model(artefact: Artefact) -> Path:
    """The model folder of a checkpoint."""
    return artefact.path / "model"
