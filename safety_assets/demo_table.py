"""The table that ends the demonstration: per dimension the base, each recipe, the budget and the verdict."""

from collections.abc import Sequence

from rich import box
from rich.table import Column, Table

from safety_assets.flows.baseline import whole_scores
from safety_assets.flows.evaluation import task_share
from safety_assets.flows.release import decision_of
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import DIMENSIONS
from safety_assets.store import Artefact


def results_table(ws: Workspace, recipes: Sequence[str]) -> Table:
    """Scores and verdicts of some recipes beside the base; what was never made stays empty."""
    base, scores = ws.store.find("safety_baseline"), {r: ws.store.find("eval_scores", r) for r in recipes}
    decisions = {r: ws.store.find("release_decision", r) for r in recipes}
    headings = ("dimension", "baseline", *recipes, "budget", *(f"{r} is" for r in recipes))
    columns = [Column(heading, min_width=13 if heading == "dimension" else None) for heading in headings]
    table = Table(*columns, box=box.SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    before = whole_scores(base) if base else {}
    after = {r: whole_scores(s) if s else {} for r, s in scores.items()}
    verdicts = {r: _verdicts(d) for r, d in decisions.items()}
    for name in DIMENSIONS:
        said = [verdicts[r].get(f"regression_budget_{name}", "") for r in recipes]
        found = [_points(after[r].get(name)) for r in recipes]
        table.add_row(name, _points(before.get(name)), *found, str(ws.policy.dimensions[name].max_drop), *said)
    table.add_section()
    table.add_row("task score", *_task_row(scores, recipes), str(ws.policy.task.floor), *_said(verdicts, "task_floor"))
    table.add_row("release", "", *("" for _ in recipes), "", *(_status(d) for d in decisions.values()))
    return table


def _task_row(scores: dict[str, Artefact | None], recipes: Sequence[str]) -> list[str]:
    first = next((s for s in scores.values() if s), None)
    shares = [task_share(first, "base_task_scores") if first else None]
    shares += [task_share(s) if (s := scores[r]) else None for r in recipes]
    return ["" if share is None else f"{share:.0%}" for share in shares]


def _verdicts(decision: Artefact | None) -> dict[str, str]:
    return {v.check: _coloured(v.status) for v in decision_of(decision).verdicts} if decision else {}


def _said(verdicts: dict[str, dict[str, str]], check: str) -> list[str]:
    return [found.get(check, "") for found in verdicts.values()]


def _status(decision: Artefact | None) -> str:
    return _coloured(decision_of(decision).status) if decision else ""


def _coloured(status: str) -> str:
    colour = {"pass": "green", "approved": "green", "fail": "red", "rejected": "red"}.get(status, "yellow")
    return f"[{colour}]{status.replace('_', ' ')}[/{colour}]"


def _points(score: float | None) -> str:
    return "" if score is None else f"{score:.2f}"
