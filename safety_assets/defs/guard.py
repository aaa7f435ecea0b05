"""Runs a flow inside a step: a refusal becomes a failure in words, a result becomes evidence and checks."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import dagster as dg

from safety_assets.defs.lost import asked_again
from safety_assets.defs.metadata import shown
from safety_assets.defs.resources import ProjectResource
from safety_assets.errors import GateRefused, SafetyAssetsError
from safety_assets.exhaustion import exhaustion
from safety_assets.flows.checks import CHECKS
from safety_assets.flows.workspace import Made
from safety_assets.records import Verdict

KIND, GATE = "kind", "GateRefused"
"""Metadata of a failure: the class of the error. A refusal concerns the model's owner, all else who is on call."""


def materialize(
    context: dg.AssetExecutionContext, project: ProjectResource, flow: Callable[..., Made]
) -> Iterator[dg.MaterializeResult]:
    """Run a flow and report its artefact first and its checks with it.

    Dagster records the materialization and then fails the step if a blocking check is red: what was
    rejected can be looked at.
    """
    arguments = (context.partition_key,) if context.has_partition_key else ()
    with in_words(context.log):
        workspace = project.workspace(context)
        made = flow(workspace, *arguments)
    yield dg.MaterializeResult(
        metadata=shown(made) | ({"smoke": True} if workspace.project.settings.smoke else {}),
        data_version=dg.DataVersion(made.artefact.digest),
        check_results=[check_result(made.artefact.asset, verdict) for verdict in made.verdicts],
    )


@contextlib.contextmanager
def in_words(log: dg.DagsterLogManager) -> Iterator[None]:
    """An error on purpose, or the end of disk or memory, becomes a failure of the step in words; what was lost is
    tried again.
    """
    try:
        yield
    except Exception as error:
        if (again := asked_again(error)) is not None:
            log.warning(f"tried again, since something was lost that is no fault of the work: {error}")
            raise again from error
        said = error if isinstance(error, SafetyAssetsError) else exhaustion(error)
        if said is None:
            raise
        raise failure(said) from error


def failure(error: SafetyAssetsError) -> dg.Failure:
    """A step failure that says found, expected and do; a gate's refusal lists its reasons. Never retried."""
    metadata: dict[str, dg.MetadataValue] = {KIND: dg.MetadataValue.text(type(error).__name__)}
    if isinstance(error, GateRefused):
        metadata |= refusal(error.reasons)
    return dg.Failure(description=str(error), metadata=metadata, allow_retries=False)


def refusal(reasons: Sequence[str]) -> dict[str, dg.MetadataValue]:
    """Metadata of a refusal, which concerns the model's owner: its reasons as a list."""
    lines = "\n".join(f"{number}. {reason}" for number, reason in enumerate(reasons, 1))
    return {KIND: dg.MetadataValue.text(GATE), "reasons": dg.MetadataValue.md(lines)}


def check_result(asset: str, verdict: Verdict) -> dg.AssetCheckResult:
    """A verdict as Dagster shows it. A check that blocks is an error, one that does not is a warning."""
    blocking = {check.name: check.blocking for check in CHECKS[asset]}[verdict.check]
    return dg.AssetCheckResult(
        check_name=verdict.check,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        description=" ".join(verdict.reasons) or None,
        metadata={"status": verdict.status} | dict(verdict.numbers),
    )
