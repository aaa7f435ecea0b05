"""Two jobs that make no asset: does what is served still hold, and what does nothing refer to any more?"""

from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from safety_assets.defs.guard import in_words, refusal
from safety_assets.defs.owners import tagged
from safety_assets.defs.resources import ProjectResource
from safety_assets.flows.clean_up import clean_up as flow
from safety_assets.flows.standing import served
from safety_assets.flows.validity import due, on_newer_probes
from safety_assets.flows.workspace import Workspace


class CleanUpConfig(dg.Config):
    """What a clean-up may do."""

    dry_run: bool = Field(default=True, description="Say what could be removed, and remove nothing.")
    min_age_days: float = Field(default=1.0, ge=0, description="Days; what is younger stays.")


@dg.op(out=dg.Out(dg.Nothing))
def look_at_what_is_served(context: dg.OpExecutionContext, project: ProjectResource) -> None:
    """Read every served byte again, recompute every verdict behind it, and ask the endpoint that serves it. Where the
    probes are newer than the release, its weights are asked the newer ones.
    """
    ws = project.quiet_workspace()
    with in_words(context.log):
        now = served(ws)
        if now is None:
            context.log.info("nothing is released")
            return
        problems = on_newer_probes(ws) if due(ws) else now.problems
        if problems:
            raise refused("what is served would not be released again today", problems)
        _ask_endpoint(context, ws)
    context.log.info(f"what is served holds: {now.record['release']['recipe']}")


def _ask_endpoint(context: dg.OpExecutionContext, ws: Workspace) -> None:
    """The same questions to the endpoint and to the released weights, where the project names an endpoint."""
    if ws.project.settings.operation.endpoint is None:
        return
    from safety_assets.flows.recheck import recheck
    from safety_assets.served.address import read_address

    found = recheck(ws, read_address(ws.project.settings.operation.endpoint))
    context.log.info(f"{found.outcome}: {found.why}")
    if found.outcome == "different":
        raise refused("the endpoint does not serve what was released", [found.why])
    if found.outcome == "cannot_say":
        raise dg.Failure(f"the endpoint could not be compared: {found.why}", allow_retries=False)


def refused(said: str, reasons: Sequence[str]) -> dg.Failure:
    """A failure that concerns the model's owner."""
    return dg.Failure(description=f"{said}: {' '.join(reasons)}", metadata=refusal(reasons), allow_retries=False)


@dg.op(out=dg.Out(dg.Nothing))
def remove_what_nothing_refers_to(
    context: dg.OpExecutionContext, config: CleanUpConfig, project: ProjectResource
) -> None:
    """Everything that a decision, a release, a current pointer or unfinished work refers to stays."""
    found = flow(project.quiet_workspace().store, dry_run=config.dry_run, min_age_days=config.min_age_days)
    context.log.info(
        f"{found.kept} artefacts are kept; {len(found.unused)} and {len(found.leftovers)} leftovers, "
        f"{found.size_bytes / 1e6:.1f} MB, {'were' if found.removed else 'could be'} removed"
    )
    context.add_output_metadata(
        {
            "removed": found.removed, "kept": found.kept, "unused": len(found.unused),
            "leftovers": len(found.leftovers), "size_bytes": found.size_bytes,
        }
    )  # fmt: skip


@dg.job(
    tags=tagged("model_owner"),
    description="Does what is served still hold? Every byte and every verdict again, and the endpoint.",
)
def recheck() -> None:
    """One step."""
    look_at_what_is_served()


@dg.job(tags=tagged("ml_engineer"), description="What nothing refers to any more; removed only where dry_run is false.")
def clean_up() -> None:
    """One step."""
    remove_what_nothing_refers_to()


JOBS = [recheck, clean_up]
