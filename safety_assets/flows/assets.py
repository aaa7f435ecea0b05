"""Every asset by name: the one function that makes it."""

from collections.abc import Callable

from safety_assets.flows import baseline, closeness, corpus, evaluation, external, release, training
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.inputs import observe
from safety_assets.flows.workspace import Made, Workspace

FLOWS: dict[str, Callable[..., Made]] = {
    flow.__name__: flow
    for flow in (
        corpus.raw_corpus, corpus.refusal_pairs, closeness.corpus_closeness, corpus.corpus_audit,
        corpus.injection_ratio, corpus.audited_corpus,
        baseline.base_model, baseline.probe_suite, baseline.baseline_responses, baseline.safety_baseline,
        baseline.safety_anatomy, training.finetuned_checkpoint, evaluation.candidate_responses,
        evaluation.eval_scores, evaluation.forgotten_behaviours, evaluation.recipe_leaderboard,
        release.release_decision, release.model_card, release.released_model, external.external_verdict,
    )
}  # fmt: skip


def materialize(ws: Workspace, asset: str, recipe: str | None = None) -> Made:
    """Make one asset, or look at one observed input; `recipe` names the partition where there are partitions."""
    partition = (recipe,) if GRAPH[asset].partitioned else ()
    return observe(ws, asset, *partition) if GRAPH[asset].observed else FLOWS[asset](ws, *partition)
