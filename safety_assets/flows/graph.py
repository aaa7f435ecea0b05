"""The asset graph as a table: what each asset is made from, which sources it reads, which code makes it.

The flows take their inputs from here, the gates walk it, and `defs/` shows it: there is no second list.
"""

from dataclasses import dataclass
from typing import Literal

Group = Literal["inputs", "corpus", "baseline", "training", "evaluation", "release", "external"]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One asset.

    Args:
        group: the UI group, the file in `flows/` and in `defs/`.
        inputs: assets whose artefacts it is made from, as they stand in its manifest.
        also: assets that it reads through the manifest of an input or whose files it reads itself, shown as
            dependencies too.
        sources: files, or sections of files, whose content digest stands in its manifest.
        code: packages and modules whose source decides what it makes.
        partitioned: one artefact per recipe.
        per_checkpoint: one artefact per folder of the project's external checkpoints.
        gated: refuses to run unless every required check upstream passes.
        observed: read from a user's file, never made.
        optional: an input that a project, or a recipe, may do without.
        repaired: for a repaired candidate it is made from the same asset of the recipe that is repaired.
    """

    group: Group
    inputs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    partitioned: bool = False
    per_checkpoint: bool = False
    gated: bool = False
    observed: bool = False
    optional: tuple[str, ...] = ()
    repaired: bool = False


GRAPH: dict[str, Node] = {
    "task_set": Node(group="inputs", sources=("task_file",), code=("corpus", "flows.tasks"), observed=True),
    "policy": Node(group="inputs", sources=("policy_file",), observed=True),
    "recipe": Node(group="inputs", sources=("recipe_file",), partitioned=True, observed=True),
    "pretrained_model": Node(group="inputs", sources=("pretrained_files",), observed=True),
    "raw_corpus": Node(group="corpus", sources=("corpus_files",), code=("corpus", "frames")),
    "refusal_pairs": Node(group="corpus", sources=("refusal_files",), code=("corpus",)),
    "corpus_closeness": Node(
        group="corpus",
        inputs=("raw_corpus", "refusal_pairs", "base_model"),
        also=("policy",),
        sources=("policy.corpus", "encoder_files"),
        code=("corpus", "frames", "flows.closeness", "models"),
    ),
    "corpus_audit": Node(
        group="corpus",
        inputs=("raw_corpus", "refusal_pairs", "probe_suite", "task_set", "corpus_closeness"),
        also=("policy",),
        optional=("corpus_closeness",),
        sources=("policy.corpus", "policy.injection", "decisions", "labels"),
        code=("corpus", "frames", "flows.audit", "flows.labels", "flows.tasks"),
    ),
    "injection_ratio": Node(
        group="corpus",
        inputs=("corpus_audit", "refusal_pairs", "base_model", "probe_suite"),
        also=("policy",),
        sources=("policy.corpus", "policy.injection", "recipe.calibration"),
        code=("corpus", "training", "methods", "models", "evals", "worker"),
        gated=True,
    ),
    "audited_corpus": Node(
        group="corpus",
        inputs=("raw_corpus", "corpus_audit", "refusal_pairs", "injection_ratio"),
        also=("policy",),
        sources=("policy.corpus", "policy.injection"),
        code=("corpus", "frames", "flows.audit", "flows.tasks"),
        gated=True,
    ),
    "base_model": Node(
        group="baseline", sources=("model_files", "anchor_files"), code=("models.identity", "models.weights")
    ),
    "probe_suite": Node(group="baseline", sources=("probe_files", "model_makers"), code=("evals",)),
    "baseline_responses": Node(
        group="baseline", inputs=("base_model", "probe_suite", "task_set"), code=("models", "evals", "task_metric"),
        sources=("answering",),
    ),
    "safety_baseline": Node(
        group="baseline", inputs=("baseline_responses", "probe_suite"), code=("evals", "flows.readings")
    ),
    "safety_anatomy": Node(
        group="baseline",
        inputs=("base_model", "pretrained_model", "refusal_pairs"),
        code=("methods", "models"),
        optional=("pretrained_model",),
    ),
    "finetuned_checkpoint": Node(
        group="training",
        inputs=(
            "recipe", "audited_corpus", "injection_ratio", "base_model", "safety_baseline", "safety_anatomy",
            "probe_suite", "policy", "pretrained_model",
        ),
        code=("training", "repairs", "repair_specs", "methods", "models", "evals", "worker"),
        optional=("pretrained_model",),
        partitioned=True,
        gated=True,
        repaired=True,
    ),
    "candidate_responses": Node(
        group="evaluation",
        inputs=("finetuned_checkpoint", "probe_suite", "task_set"),
        sources=("answering",),
        code=("models", "evals", "task_metric"),
        partitioned=True,
    ),
    "eval_scores": Node(
        group="evaluation",
        inputs=("candidate_responses", "baseline_responses", "safety_baseline", "base_model", "safety_anatomy"),
        also=("policy",),
        sources=("policy.budgets", "policy.figures", "policy.apart", "policy.judges", "reviewed", "task_metric"),
        code=(
            "evals", "task_metric", "methods.drift", "methods.anatomy", "models", "flows.readings", "flows.figures",
            "flows.apart", "flows.two_judges", "flows.rail_judge",
        ),
        partitioned=True,
    ),
    "forgotten_behaviours": Node(
        group="evaluation",
        inputs=("candidate_responses", "baseline_responses", "eval_scores", "safety_baseline", "audited_corpus"),
        code=("evals",),
        partitioned=True,
    ),
    "recipe_leaderboard": Node(group="evaluation", also=("eval_scores",), code=("evals",)),
    "release_decision": Node(
        group="release",
        inputs=("eval_scores", "forgotten_behaviours", "finetuned_checkpoint", "safety_baseline", "policy"),
        sources=("signed",),
        code=("release",),
        partitioned=True,
    ),
    "model_card": Node(
        group="release", inputs=("release_decision",), code=("release",), partitioned=True, gated=True
    ),
    "released_model": Node(
        group="release",
        inputs=("release_decision", "model_card", "finetuned_checkpoint"),
        code=("release", "flows.release_record"),
        partitioned=True,
        gated=True,
    ),
    "external_verdict": Node(
        group="external",
        also=("base_model", "probe_suite", "policy"),
        sources=(
            "anchor_files", "probe_files", "policy_file", "answering", "signed", "policy.judges", "reviewed",
        ),
        code=(
            "models", "served", "evals", "release", "flows.apart", "flows.two_judges", "flows.rail_judge",
            "flows.gating", "flows.answers",
            "flows.targets", "flows.candidates", "flows.gate_report", "flows.external_folder",
        ),
        per_checkpoint=True,
    ),
}  # fmt: skip


def ancestors(asset: str) -> tuple[str, ...]:
    """Every asset that this one is made from, directly or not, in the order of the graph."""
    found: set[str] = set()
    pending = list(GRAPH[asset].inputs)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(GRAPH[name].inputs + GRAPH[name].also)
    return tuple(name for name in GRAPH if name in found)
