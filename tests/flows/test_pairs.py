"""Where pairs come from, and which of them are trained on."""

from dataclasses import replace

import polars as pl
import small_project

from safety_assets.flows import models
from safety_assets.flows.assets import materialize
from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.smoke import smoke_project
from safety_assets.flows.sources import source_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.project import open_project
from safety_assets.records import AUDITED, PAIRS

MOST = 9
BEFORE = ("base_model", "probe_suite", "raw_corpus", "refusal_pairs", "corpus_audit", "injection_ratio")


def sweep(order: dict) -> dict:
    """A dose-response curve as a sweep gives it, without any training."""
    points = [{"share": share, "safety": 9.0, "over_refusal": 0.0} for share in order["shares"]]
    return {"base": {"safety": 9.0, "over_refusal": 0.0}, "points": points}


def changed(ws: Workspace, *, injection: dict | None = None, **settings: object) -> Workspace:
    """The project with other settings, as the next run opens it."""
    given, policy = small_project.project_settings(models.base(ws.project)), small_project.policy_settings()
    policy["injection"] |= injection or {}
    small_project.write_yaml(ws.project.folder / "project.yaml", {**given, **settings})
    small_project.write_yaml(ws.project.folder / "policy.yaml", policy)
    return replace(ws, project=open_project(ws.project.folder), launch=sweep)


def test_own_pairs_come_on_top_of_those_of_the_package(fresh: Workspace) -> None:
    counts, digests = {}, set()
    for setting in ("refusals", "standard", ["standard", "refusals"]):
        ws = changed(fresh, refusal_pairs=setting)
        pairs = materialize(ws, "refusal_pairs").artefact.frame("pairs", PAIRS)
        counts[str(setting)] = pairs.height
        digests.add(source_digest(ws.project, "refusal_files"))
    own, pool, both = counts.values()
    assert both == own + pool > pool > 1000
    assert len(digests) == 3


def test_a_limit_chooses_pairs_for_training_and_for_the_sweep(fresh: Workspace) -> None:
    ws = changed(fresh, injection={"max_pairs": MOST, "category_weights": {"fraud": 3.0}})
    for name in BEFORE:
        materialize(ws, name)
    made = materialize(ws, "audited_corpus")
    pairs = made.artefact.frame("rows", AUDITED).filter(pl.col("origin") != "corpus")
    assert pairs.height == MOST
    refused = pairs.filter(origin="refusal")["category"].value_counts()
    least = small_project.policy_settings()["injection"]["min_pairs_per_category"]
    assert dict(refused.iter_rows()).keys() == set(small_project.CATEGORIES)
    assert refused["count"].min() >= least
    for check in CHECKS["audited_corpus"]:
        assert verdict_of(ws, made.artefact, check).passed, check.name


def test_without_a_limit_all_pairs_are_trained_on_and_a_limit_makes_new_rows(fresh: Workspace) -> None:
    ws = changed(fresh)
    for name in (*BEFORE, "audited_corpus"):
        materialize(ws, name)
    everything = ws.store.current("audited_corpus").frame("rows", AUDITED)
    given = ws.store.current("refusal_pairs").frame("pairs", PAIRS)
    assert everything.filter(pl.col("origin") != "corpus")["row_id"].to_list() == given["row_id"].to_list()
    limited = changed(fresh, injection={"max_pairs": MOST})
    for name in ("corpus_audit", "injection_ratio"):
        materialize(limited, name)
    assert not materialize(limited, "audited_corpus").cached


def test_a_smoke_run_takes_the_few_pairs_that_it_has(fresh: Workspace) -> None:
    ws = changed(fresh, refusal_pairs="standard", injection={"max_pairs": MOST, "max_opening_share": 0.01})
    rule = smoke_project(ws.project).policy().injection
    assert (rule.max_pairs, rule.max_opening_share) == (None, 1.0)
