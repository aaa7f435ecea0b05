"""Release: the decision, the card, the pointer that serving reads; and the job that moves it back.

A promotion is an asset, since it is made from a decision. A roll-back is made from nothing upstream, and must not be
swept along when somebody materializes everything: it is a job of one op, which reports to the same asset.
"""

import functools
from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from safety_assets.defs.guard import in_words, materialize
from safety_assets.defs.launched import launched_by_a_program
from safety_assets.defs.metadata import metadata_value
from safety_assets.defs.owners import tagged
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.spec import asset_arguments, asset_key
from safety_assets.flows import release as flows
from safety_assets.flows.succession import proposal
from safety_assets.release import promotion

Materialized = Iterator[dg.MaterializeResult]


@dg.asset(**asset_arguments("release_decision"), kinds={"json", "markdown"})
def release_decision(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """Approved, rejected or not certified, with every reason in words."""
    yield from materialize(context, project, flows.release_decision)


@dg.asset(**asset_arguments("model_card"), kinds={"markdown"})
def model_card(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """A card about these weights."""
    yield from materialize(context, project, flows.model_card)


class Promotion(dg.Config):
    """What a promotion names beside its recipe, which is the partition."""

    decision: str = Field(
        default="",
        description="The decision that is meant, by 8 or more digits of its digest; empty for the one in force.",
    )


@dg.asset(**asset_arguments("released_model"), kinds={"json"}, output_required=False)
def released_model(context: dg.AssetExecutionContext, project: ProjectResource, config: Promotion) -> Materialized:
    """One promotion: the pointer that serving reads moves to these weights.

    A run that no person launched proposes: an observation says what a person would type. It promotes where the policy
    says `promote: automatic` and the candidate is non-inferior to what is served.
    """
    who = launched_by_a_program(context.run.tags)
    if who is not None:
        with in_words(context.log):
            proposed = proposal(project.workspace(context), context.partition_key)
        if proposed is not None:
            told = {"proposed by": who, "decision": proposed.decision, "why": " ".join(proposed.why)}
            context.log.info(f"Proposed, not promoted: {told['why']} A person types: {proposed.command}")
            context.log_event(
                dg.AssetObservation(
                    context.asset_key, partition=context.partition_key, metadata=told | {"next": proposed.command}
                )
            )
            return
    yield from materialize(context, project, functools.partial(flows.released_model, decision=config.decision))


class RollBack(dg.Config):
    """Where a roll-back goes."""

    to: int | None = Field(
        default=None, description="Number of a move in the history; absent: the release before the current one."
    )
    why: str = Field(default="", description="Why, in a sentence; it stands in the history.")


@dg.op
def move_back(context: dg.OpExecutionContext, project: ProjectResource, config: RollBack) -> None:
    """Move the pointer back, and report it to the asset whose partition is served again."""
    with in_words(context.log):
        ws = project.quiet_workspace()
        record = flows.roll_back(ws, config.to, config.why)
        shown = flows.released_shown(record, promotion.history(ws.store.root, ws.project.settings.name))
    against = "\n".join(f"- {reason}" for reason in record["objections"]) or "nothing"
    told: dict[str, dg.MetadataValue] = {
        "action": dg.MetadataValue.text("roll_back"),
        "why": dg.MetadataValue.text(config.why),
        "today's gate has against it": dg.MetadataValue.md(against),
    }
    context.log_event(
        dg.AssetMaterialization(
            asset_key("released_model"),
            partition=record["release"]["recipe"],
            metadata={name: metadata_value(value) for name, value in shown.items()} | told,
        )
    )


@dg.job(
    tags=tagged("model_owner"),
    description="Serve a former release again. It asks no policy; what the gate has against it is recorded.",
)
def roll_back() -> None:
    """The release before the current one, or the one of the move that the run configuration names."""
    move_back()


ASSETS = [release_decision, model_card, released_model]
JOBS = [roll_back]
