"""Further dimensions: metrics of another harness under the same law as the eight."""

from collections.abc import Mapping
from datetime import date

from safety_assets.policy import DimensionPolicy, ProbePolicy
from safety_assets.records import Verdict
from safety_assets.release.acts import Act
from safety_assets.release.budget import regression_budget
from safety_assets.release.closed import not_certified


def further_budget(
    name: str,
    rule: DimensionPolicy,
    delta: Mapping[str, object] | None,
    score: Mapping[str, object] | None,
    probes: ProbePolicy,
    today: date,
    waiver: Act | None = None,
) -> Verdict:
    """The verdict of `regression_budget` under the name of a further dimension; the arguments are the same."""
    found = regression_budget(name, rule, delta, score, probes, today, waiver=waiver)
    return Verdict(check=f"further_{name}", status=found.status, reasons=found.reasons, numbers=found.numbers)


def not_measured(name: str, why: str) -> Verdict:
    """Nothing to judge: whatever its rank, that is no pass."""
    return not_certified(f"further_{name}", f"{name} was not measured: {why}")
