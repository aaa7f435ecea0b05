"""Corpus: from rows as given to what is trained on."""

from collections.abc import Iterator

import dagster as dg

from safety_assets.defs.guard import materialize
from safety_assets.defs.resources import ProjectResource
from safety_assets.defs.spec import asset_arguments
from safety_assets.flows import closeness
from safety_assets.flows import corpus as flows

Materialized = Iterator[dg.MaterializeResult]


@dg.asset(**asset_arguments("raw_corpus"), kinds={"parquet", "polars"})
def raw_corpus(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """The corpus as it was given, in one chat schema; unreadable rows stand in a quarantine table with their reason."""
    yield from materialize(context, project, flows.raw_corpus)


@dg.asset(**asset_arguments("refusal_pairs"), kinds={"parquet", "polars"})
def refusal_pairs(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """The dose: refusal pairs by policy category, with look-alike benign pairs and general anchors."""
    yield from materialize(context, project, flows.refusal_pairs)


@dg.asset(**asset_arguments("corpus_closeness"), kinds={"parquet", "pytorch"})
def corpus_closeness(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """Rows ranked by closeness to harm, in the base model's hidden space and in two spaces without a model."""
    yield from materialize(context, project, closeness.corpus_closeness)


@dg.asset(**asset_arguments("corpus_audit"), kinds={"parquet", "polars"})
def corpus_audit(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """Findings per corpus row with evidence, and what the policy does with each."""
    yield from materialize(context, project, flows.corpus_audit)


@dg.asset(**asset_arguments("injection_ratio"), kinds={"json", "pytorch"})
def injection_ratio(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """The calibrated share of injected pairs, with the dose-response curve it was read from."""
    yield from materialize(context, project, flows.injection_ratio)


@dg.asset(**asset_arguments("audited_corpus"), kinds={"parquet", "polars"})
def audited_corpus(context: dg.AssetExecutionContext, project: ProjectResource) -> Materialized:
    """What is trained on: kept rows and pairs with their origin, split by conversation group."""
    yield from materialize(context, project, flows.audited_corpus)


ASSETS = [raw_corpus, refusal_pairs, corpus_closeness, corpus_audit, injection_ratio, audited_corpus]
