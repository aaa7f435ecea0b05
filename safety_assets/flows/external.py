"""External: the verdict on a checkpoint that was put into a folder, kept in the store and beside the checkpoint.

It never moves the release pointer: what it approves was not trained here, and whoever put it there decides what
becomes of it.
"""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from safety_assets.errors import StoreError
from safety_assets.evals.forgotten import FORGOTTEN
from safety_assets.flows.apart import write_apart
from safety_assets.flows.checks import made
from safety_assets.flows.code_version import code_version
from safety_assets.flows.external_folder import checkpoint_folder, content_digest
from safety_assets.flows.figures import write_figures
from safety_assets.flows.gate_report import document, page
from safety_assets.flows.gating import Gated, exam_from, gate
from safety_assets.flows.models import anchor
from safety_assets.flows.two_judges import write_twice
from safety_assets.flows.workspace import Made, Markdown, Svg, Workspace, source_digests
from safety_assets.records import DELTAS, DIMENSION_SCORES, SCORES
from safety_assets.release import plots
from safety_assets.store import Artefact, replace_text, write_frame, write_json

ASSET = "external_verdict"
UNFINISHED = "The gate is at work, or its work ended early. See the run of external_verdict."


def external_verdict(ws: Workspace, name: str) -> Made:
    """The verdict on one checkpoint of the project's folder, against the project's anchor, by its policy and probes.

    It is decided anew whenever it is asked for; answers are reused. Whoever reads the verdict beside the checkpoint
    compares `tuned` in it with the identity of the weights at hand. As long as the work goes on it says not_certified,
    and so it does when the work ended early.

    Raises:
        ProjectError: there is no such checkpoint.
        StoreError: nothing can be written beside it.
    """
    folder = checkpoint_folder(ws.project, name)
    beside = verdict_file(folder)
    _put_beside(beside, {"decision": "not_certified", "checkpoint": name, "reasons": [UNFINISHED]})
    inputs = {"checkpoint": content_digest(folder)} | source_digests(ws, ASSET)
    gated = gate(ws, anchor(ws.project), folder, exam_from(ws.project.probes, ws.policy))
    artefact = ws.store.publish(
        ASSET, lambda place: _write(place, gated), partition=name, inputs=inputs, code_version=code_version(ASSET),
        run_id=ws.run_id,
    )  # fmt: skip
    _put_beside(beside, artefact.json("verdict"))
    return made(ws, artefact, False, verdict_shown(artefact) | {"verdict_file": beside})


def verdict_file(folder: Path) -> Path:
    """Where the verdict on a checkpoint stands: beside its folder, never in it."""
    return folder.with_name(f"{folder.name}.verdict.json")


def _put_beside(path: Path, verdict: Mapping[str, Any]) -> None:
    try:
        replace_text(path, json.dumps(verdict, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}", do="make its folder writable") from error


def _write(place: Path, gated: Gated) -> None:
    write_json(place, "decision", gated.decision.as_dict())
    write_json(place, "verdict", document(gated))
    (place / "page.md").write_text(page(gated), encoding="utf-8")
    found = gated.findings
    write_frame(place, "deltas", DELTAS.empty() if found.deltas is None else found.deltas, DELTAS)
    if found.tuned is not None:
        write_frame(place, "dimension_scores", found.tuned.dimension_scores, DIMENSION_SCORES)
    if found.base is not None and found.tuned is not None and found.forgotten is not None:
        write_frame(place, "scores", found.tuned.scores, SCORES)
        write_frame(place, "base_scores", found.base.scores, SCORES)
        write_frame(place, "forgotten", found.forgotten.items, FORGOTTEN)
    if found.apart is not None:
        write_apart(place, found.apart)
    if found.twice is not None:
        write_twice(place, found.twice)
    if found.figures is not None:
        write_figures(place, found.figures)


def verdict_shown(artefact: Artefact) -> dict[str, object]:
    """Decision, reasons, delta per dimension, the bars and the page."""
    verdict = artefact.json("verdict")
    reasons = "\n".join(f"{i}. {reason}" for i, reason in enumerate(verdict["reasons"], 1)) or "None."
    measured = {name: row for name, row in verdict["dimensions"].items() if row["drop"] is not None}
    numbers = {f"delta/{name}": -float(row["drop"]) for name, row in measured.items()}
    page_shown = Markdown((artefact.path / "page.md").read_text(encoding="utf-8"))
    shown = {"decision": verdict["decision"], "reasons": Markdown(reasons), **numbers, **_bars(measured)}
    return {**shown, "evidence": page_shown}


def _bars(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, Svg]:
    if not measured:
        return {}
    base, tuned = ({name: row[side] for name, row in measured.items()} for side in ("base", "tuned"))
    budgets = {name: None if row["budget"] == "any" else row["budget"] for name, row in measured.items()}
    return {"bars": Svg(partial(plots.bars_per_dimension, base, tuned, budgets))}
