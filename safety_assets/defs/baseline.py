"""Baseline: the weights one starts from and what they can be relied on for."""

from collections.abc import Iterator

import dagster as dg

from safety_assets.defs.guard import materialize
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.spec import asset_arguments
from safety_assets.flows import baseline as flows

Materialized = Iterator[dg.MaterializeResult]


@dg.asset(**asset_arguments("base_model"), kinds={"huggingface", "json"})
def base_model(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """The weights that training starts from, and the originally aligned model that losses are measured against."""
    yield from materialize(context, project, flows.base_model)


@dg.asset(**asset_arguments("probe_suite"), kinds={"parquet", "polars"})
def probe_suite(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """The frozen probes in three disjoint splits: calibrate, watch, gate."""
    yield from materialize(context, project, flows.probe_suite)


@dg.asset(**asset_arguments("baseline_responses"), kinds={"parquet", "pytorch"})
def baseline_responses(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """What the aligned model says to the gate probes and the task set."""
    yield from materialize(context, project, flows.baseline_responses)


@dg.asset(**asset_arguments("safety_baseline"), kinds={"parquet", "polars"})
def safety_baseline(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """The aligned model's score per dimension with 95% intervals."""
    yield from materialize(context, project, flows.safety_baseline)


@dg.asset(**asset_arguments("safety_anatomy"), kinds={"pytorch", "safetensors"})
def safety_anatomy(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """Where safety lives in this model: refusal direction, safety layers, safety tokens."""
    yield from materialize(context, project, flows.safety_anatomy)


ASSETS = [base_model, probe_suite, baseline_responses, safety_baseline, safety_anatomy]
