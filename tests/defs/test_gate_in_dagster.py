"""What Dagster's blocking checks leave open, and that the guard closes it: each way around is refused in words."""

from pathlib import Path

import dagster as dg
import pytest
from run_results import Materialize, failures, made

pytestmark = [
    pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`"),  # Dagster's own use
    pytest.mark.filterwarnings("ignore:Mean of empty slice"),  # a resample of few probes
]

UNREADABLE = "no JSON\n" * 20
REFUSED = "raw_corpus: rows_readable failed. 20 of"


@pytest.fixture
def dirty(project: Path) -> Path:
    """A corpus with too many unreadable lines."""
    with (project / "corpus" / "rows.jsonl").open("a") as handle:
        handle.write(UNREADABLE)
    return project


@pytest.fixture
def red(dirty: Path, run: Materialize) -> Materialize:
    """Everything before the sweep was made, each alone, with raw_corpus red."""
    for name in ("base_model", "probe_suite", "refusal_pairs", "raw_corpus", "corpus_audit"):
        run(name)
    return run


def test_a_red_check_stops_its_run_after_the_evidence_was_kept(dirty: Path, run: Materialize) -> None:
    run("probe_suite"), run("refusal_pairs")
    result = run("raw_corpus", "corpus_audit")
    assert not result.success
    assert made(result) == ["raw_corpus"]
    [check] = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.severity) == ("rows_readable", False, dg.AssetCheckSeverity.ERROR)
    assert "could not be read" in check.description


def test_a_later_run_of_the_gated_asset_alone_is_refused(red: Materialize) -> None:
    result = red("injection_ratio")
    assert not result.success
    assert made(result) == []
    assert REFUSED in failures(result)["injection_ratio"]
    assert "injection_ratio was refused" in failures(result)["injection_ratio"]


def test_a_run_that_skips_the_asset_between_is_refused(red: Materialize) -> None:
    result = red("raw_corpus", "injection_ratio")
    assert not result.success
    assert "injection_ratio" not in made(result)


def test_checks_cannot_be_left_out(red: Materialize) -> None:
    """They are computed inside their asset's step, so Dagster finds no way to run the asset alone."""
    with pytest.raises(dg.DagsterInvalidDefinitionError):
        red("raw_corpus", without_checks=True)


def test_a_wiped_history_opens_nothing(red: Materialize, instance: dg.DagsterInstance) -> None:
    instance.wipe_assets([dg.AssetKey("raw_corpus"), dg.AssetKey("corpus_audit")])
    assert REFUSED in failures(red("injection_ratio"))["injection_ratio"]


def test_a_release_alone_is_refused_with_every_reason(project: Path, run: Materialize) -> None:
    said = failures(run("released_model", recipe="plain"))["released_model"]
    assert "(1) release_decision of plain was never materialized" in said
    assert "model_card of plain was never materialized" in said


def test_a_refusal_is_never_retried(red: Materialize, instance: dg.DagsterInstance) -> None:
    result = red("injection_ratio", tags={"dagster/max_retries": "2"})
    assert not [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]
    [failure] = result.get_step_failure_events()
    assert "reasons" in failure.step_failure_data.user_failure_data.metadata


def test_a_decision_that_is_no_approval_is_materialized_and_then_red(
    project: Path, run: Materialize, instance: dg.DagsterInstance
) -> None:
    result = run("release_decision", "model_card", "released_model", recipe="plain")
    assert made(result) == ["release_decision"]
    assert set(failures(result)) == {"release_decision"}
    event = instance.get_latest_materialization_event(dg.AssetKey("release_decision"))
    metadata = event.asset_materialization.metadata
    assert metadata["status"].value == "not_certified"
    assert "never materialized" in metadata["reasons"].value


def test_checks_of_one_recipe_are_kept_apart_from_those_of_another(project: Path, run: Materialize) -> None:
    for recipe in ("plain", "protected"):
        checks = run("release_decision", recipe=recipe).get_asset_check_evaluations()
        assert {check.partition for check in checks} == {recipe}


@pytest.mark.long
def test_once_the_cause_is_mended_the_gate_opens(project: Path, dirty: Path, run: Materialize) -> None:
    for name in ("base_model", "probe_suite", "refusal_pairs", "raw_corpus", "corpus_audit"):
        run(name)
    rows = dirty / "corpus" / "rows.jsonl"
    rows.write_text(rows.read_text().replace(UNREADABLE, ""))
    assert "corpus_files changed since raw_corpus was made" in failures(run("injection_ratio"))["injection_ratio"]
    assert failures(run("raw_corpus", "corpus_audit", "injection_ratio")) == {}
