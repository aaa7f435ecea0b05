"""What a second judge will cost before it is asked: answers, and of RAIL Score credits and time."""

from dataclasses import dataclass

import polars as pl

from safety_assets.evals.probes import read_probes
from safety_assets.evals.two_judges import JUDGED
from safety_assets.flows.apart import asked_apart
from safety_assets.flows.rail_judge import price
from safety_assets.flows.tasks import project_tasks
from safety_assets.flows.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Judging:
    """A second judge's part of a plan.

    Args:
        seconds: at least, at the pace of RAIL's plan; 0 for other judges, whose time is not known.
        why: the counts behind it; empty where the policy demands no second judge.
        note: what else is to be known; empty where there is none.
    """

    seconds: float = 0.0
    why: str = ""
    note: str = ""


def judging(ws: Workspace) -> Judging:
    """What judging a candidate and its base twice takes, where nothing was judged before."""
    rule = ws.policy.judges
    if rule is None:
        return Judging()
    answers = 2 * _judged(ws)
    many = f"{answers} answers of base and candidate that may decline"
    if rule.rail is None:
        note = f"a second judge ({rule.second}) is asked about up to {many}, each once; its time is not counted"
        return Judging(note=f"{note}, nor people's")
    settings = ws.project.settings.rail
    if settings is None:
        return Judging(note="the policy's second judge is RAIL Score, which is off: project.yaml has no `rail`")
    cost, most = price(settings, answers), rule.rail.max_credits
    why = f"RAIL Score on up to {many}: {cost.credits:g} credits, {settings.per_minute:g} a minute"
    over = f"; the policy allows {most:g} credits, so that nothing would be sent" if cost.credits > most else ""
    note = f"RAIL Score is sent answers and prompts, they leave this machine; people's time is not counted{over}"
    return Judging(seconds=60.0 * cost.minutes, why=why, note=note)


def _judged(ws: Workspace) -> int:
    """Answers of one model that two judges are asked about: to gate probes, and to what is gated apart."""
    gate = read_probes(ws.project.probes).filter(pl.col("split") == "gate")
    law, system = ws.policy.probes, ws.project.settings.system_prompt
    apart = asked_apart(gate, lambda: project_tasks(ws.project), law, system)
    return pl.concat([gate, apart]).filter(pl.col("expect").is_in(JUDGED)).height
