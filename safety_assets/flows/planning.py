"""Before it costs: what one recipe will take on this machine, measured over a few steps and a few answers.

Every figure is a measurement times a count, or a sum of bytes that are certain; nothing of the store is touched. Rows
are taken as they are given, before the audit: their lengths matter here, not what becomes of them.
"""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from safety_assets.corpus.clean import assemble
from safety_assets.corpus.ingest import first_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.errors import SafetyAssetsError, TrainingError
from safety_assets.evals.probes import read_probes
from safety_assets.flows import models
from safety_assets.flows.apart import asked_apart
from safety_assets.flows.baseline import REPEATED
from safety_assets.flows.corpus import place_settings, sweep_probes, sweep_recipe, trained_as
from safety_assets.flows.planning_judges import judging
from safety_assets.flows.planning_repairs import seconds_of
from safety_assets.flows.tasks import SPLIT_SEED, project_tasks
from safety_assets.flows.training import injected_share
from safety_assets.flows.workspace import Workspace
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED, PROBES
from safety_assets.store import write_frame
from safety_assets.training.footprint import ModelShape, byte_count, disk, existing, footprint, shape_of

SAMPLED_ROWS = 2000
"""Corpus rows whose lengths stand for all."""
SWEEP = "sweep"
ASKED = 32
"""Probes answered to time an answer."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing that takes time.

    Args:
        asset: what is made.
        seconds: how long it will take here.
        why: the counts behind it.
    """

    asset: str
    seconds: float
    why: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a recipe will cost.

    Args:
        recipe: its name.
        fits: whether everything that was looked at fits; false needs a reason.
        reason: what does not fit, in words; empty when it fits.
        advice: what would make it fit, or cheaper.
        certain_bytes: weights, gradients and moments.
        peak_bytes: the most that was held in the measured steps and what the optimiser adds; 0 when not measured.
        disk_bytes: what lies on the disk while this recipe trains, one checkpoint and its state.
        free_disk_bytes: what is free there.
        parts: time by asset; empty when nothing was measured.
        measured: the measurements themselves, per recipe.
        notes: what the figures leave out.
    """

    recipe: str
    fits: bool
    reason: str = ""
    advice: str = ""
    certain_bytes: int
    peak_bytes: int = 0
    disk_bytes: int
    free_disk_bytes: int
    parts: tuple[Part, ...] = ()
    measured: Mapping[str, dict]
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """All parts together."""
        return sum(part.seconds for part in self.parts)

    def as_dict(self) -> dict:
        """The plan in JSON types."""
        return asdict(self) | {"seconds": self.seconds}


def plan(ws: Workspace, name: str) -> Plan:
    """Measure a recipe and the sweep's recipe, and add up what a project still costs from nothing.

    Raises:
        SafetyAssetsError: the project, its model, corpus or recipe cannot be read. What does not fit is no error.
    """
    recipe, base = ws.project.recipe(name), models.base(ws.project)
    shape = shape_of(base)
    bare = Plan(
        recipe=name, fits=False, measured={}, disk_bytes=disk(shape, recipe),
        free_disk_bytes=shutil.disk_usage(existing(ws.project.storage)).free,
        certain_bytes=footprint(shape, recipe, tokens=0, responses=0, half=False, parts=_parts(ws)).certain,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="safety-assets-plan-") as folder:
        try:
            result = ws.launch(_order(ws, recipe, base, Path(folder)))
        except TrainingError as error:
            return _changed(bare, reason=f"{error.found}; {error.expected}", advice=error.do)
    return _measured(ws, recipe, shape, bare, result)


def _order(ws: Workspace, recipe: Recipe, base: Path, work: Path) -> dict:
    calibration = sweep_recipe(ws).model_copy(update={"name": SWEEP})
    rows = first_rows(ws.project.corpus, SAMPLED_ROWS)
    pairs = read_pairs(ws.project.refusal_pairs).rows
    write_frame(work, "rows", assemble(rows, pairs, held_out_share=0.0, seed=SPLIT_SEED), AUDITED)
    gate = read_probes(ws.project.probes).filter(pl.col("split") == "gate")
    write_frame(work, "probes", gate.gather_every(max(1, gate.height // ASKED)).head(ASKED), PROBES)
    wanted = {r.name: {"recipe": r.model_dump(mode="json"), "share": share_of(ws, r)} for r in (recipe, calibration)}
    return {
        "kind": "measure", "recipes": wanted, "base": str(base), "rows": str(work / "rows.parquet"),
        "probes": str(work / "probes.parquet"), "baseline": {}, "work": str(work), "folder": str(work),
        "result": str(work / "result.json"),
    } | place_settings(ws)  # fmt: skip


def share_of(ws: Workspace, recipe: Recipe) -> float:
    """The share of injected rows; where it is still to be calibrated, the largest that will be tried."""
    try:
        return injected_share(recipe, ws.store.current("injection_ratio"))
    except SafetyAssetsError:
        return ws.policy.injection.shares[-1]


def _measured(ws: Workspace, recipe: Recipe, shape: ModelShape, bare: Plan, result: dict) -> Plan:
    own, asked = result["training"][recipe.name], result["seconds_per_answer"]
    rehearsal = own["rehearsal"]
    peak = rehearsal["peak_bytes"] + rehearsal["to_come_bytes"]
    short = rehearsal["to_come_bytes"] > rehearsal["free_bytes"]
    reason = f"the heaviest pass and AdamW take {byte_count(peak)}, and they do not fit" if short else ""
    if bare.disk_bytes > bare.free_disk_bytes:
        reason = f"{byte_count(bare.disk_bytes)} of disk are needed, {byte_count(bare.free_disk_bytes)} are free"
    return _changed(
        bare, fits=not reason, reason=reason, advice=rehearsal["advice"], peak_bytes=peak, measured=result["training"],
        parts=tuple(_times(ws, recipe, result["training"], asked)), notes=tuple(_notes(ws, recipe, own)),
    )  # fmt: skip


def _times(ws: Workspace, recipe: Recipe, training: Mapping[str, dict], asked: float) -> list[Part]:
    """The parts of a project from nothing to the decision on one recipe."""
    counts = _counts(ws)
    rule, sweep = ws.policy.injection, sweep_recipe(ws)
    per_run = _training(training[SWEEP], sweep, ws) + counts["calibrate"] * asked
    runs = len(rule.shares) * rule.repeats
    processes = min(ws.project.settings.sweep_processes, runs)
    looks = -(-recipe.optimiser.steps // recipe.monitor.every) + 1
    mending = {"step": training[SWEEP]["step_seconds"], "asking": counts["calibrate"] * asked}
    trained = _training(training[recipe.name], recipe, ws)
    trained += seconds_of((*recipe.start, *recipe.finish), recipe, **mending)
    exam = (counts["gate"] + counts["tasks"]) * asked
    parts = [
        Part(asset="baseline_responses", seconds=exam + min(REPEATED, counts["gate"]) * asked,
             why=f"{counts['gate']} gate probes and {counts['tasks']} tasks"),
        Part(asset="injection_ratio", seconds=runs * per_run / processes,
             why=f"{runs} runs of {sweep.optimiser.steps} steps, {counts['calibrate']} probes each, {processes} at "
                 f"once; {trained_as(ws)}"),
        Part(asset="finetuned_checkpoint", seconds=trained + looks * counts["watch"] * asked,
             why=f"{recipe.optimiser.steps} steps; {counts['watch']} watch probes asked {looks} times"),
        Part(asset="candidate_responses", seconds=exam,
             why=f"{counts['gate']} gate probes and {counts['tasks']} tasks"),
    ]  # fmt: skip
    if counts["apart"]:
        why = f"{counts['apart']} probes in wrappers and in domain, asked of base and candidate; the base's are kept"
        parts.append(Part(asset="eval_scores", seconds=2 * counts["apart"] * asked, why=why))
    second = judging(ws)
    if second.why:
        parts.append(Part(asset="eval_scores", seconds=second.seconds, why=second.why))
    if recipe.repairs:
        tried = seconds_of(recipe.repairs, recipe, **mending) + len(recipe.repairs) * exam
        why = f"{len(recipe.repairs)} repairs, each asked like a candidate; only where this one is rejected"
        parts.append(Part(asset="repaired candidates", seconds=tried, why=why))
    return parts


def _training(measured: Mapping[str, float], recipe: Recipe, ws: Workspace) -> float:
    return measured["setup_seconds"] + recipe.optimiser.steps * measured["step_seconds"] / ws.project.settings.devices


def _counts(ws: Workspace) -> dict[str, int]:
    probes = read_probes(ws.project.probes)
    splits = {split: probes.filter(pl.col("split") == split).height for split in ("watch", "gate")}
    law, system = ws.policy.probes, ws.project.settings.system_prompt
    gate = probes.filter(pl.col("split") == "gate")
    splits["apart"] = asked_apart(gate, lambda: project_tasks(ws.project), law, system).height
    return {**splits, "calibrate": sweep_probes(probes).height, "tasks": project_tasks(ws.project).height}


def _notes(ws: Workspace, recipe: Recipe, own: Mapping[str, int]) -> list[str]:
    notes = [f"{own['timed_steps']} steps were timed; the audit of the corpus, which needs no model, is not counted"]
    if recipe.start or recipe.finish or recipe.repairs:
        notes.append("of repairs the models asked and the steps taken are counted, not the products of matrices")
    if own["quarantined"]:
        notes.append(
            f"{own['quarantined']} of {own['rows'] + own['quarantined']} sampled rows are longer than max_tokens or "
            "cannot be rendered; they would not be trained on"
        )
    if second := judging(ws).note:
        notes.append(second)
    if ws.project.settings.devices > 1:
        notes.append(f"measured on one device; {ws.project.settings.devices} are assumed to share the steps evenly")
    return notes


def _parts(ws: Workspace) -> int:
    return ws.project.settings.devices if ws.project.settings.sharding == "fsdp" else 1


def _changed(plan: Plan, **changes: object) -> Plan:
    return Plan(**{**vars(plan), **changes})
