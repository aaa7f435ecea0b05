"""Ways around the checks that need other code in the location: WARN, checks that raise or say nothing, automation."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import small_project
from bypass_stage import Stage, prepare_home, refusal, run_here

from safety_assets.defs import guard
from safety_assets.defs.launched import BY_A_PROGRAM
from safety_assets.defs.resources import ProjectResource
from safety_assets.flows import checks
from safety_assets.project import PROJECT_VARIABLE
from safety_assets.records import Verdict

pytestmark = pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`")  # Dagster's own use
UPSTREAM = ("raw_corpus", "refusal_pairs", "probe_suite", "base_model", "corpus_audit")
Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def red_stage(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A project whose corpus is red once it is read, and a real instance."""
    folder = small_project.write_project(tmp_path / "project", tiny_model)
    with (folder / "corpus" / "rows.jsonl").open("a") as handle:
        handle.write("no JSON\n" * 20)
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    return Stage(folder, prepare_home(tmp_path / "home"))


@pytest.fixture
def instance(red_stage: Stage) -> Iterator[dg.DagsterInstance]:
    with red_stage.instance() as opened:
        yield opened


@pytest.fixture
def run(instance: dg.DagsterInstance) -> Run:
    return functools.partial(run_here, instance)


def test_bypass_every_red_check_is_a_warning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With severity WARN a blocking check blocks nothing, and the run goes on to the gated asset."""
    honest = guard.check_result
    monkeypatch.setattr(
        guard, "check_result", lambda asset, v: honest(asset, v)._replace(severity=dg.AssetCheckSeverity.WARN)
    )
    result = run(*UPSTREAM, "injection_ratio")
    assert "raw_corpus: rows_readable failed" in refusal(result, "injection_ratio")
    assert len(result.get_asset_materialization_events()) == len(UPSTREAM)


@pytest.mark.long
def test_bypass_every_check_says_that_it_passed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run reports is what people look at; the gate judges again."""
    honest = guard.check_result
    monkeypatch.setattr(guard, "check_result", lambda asset, v: honest(asset, v)._replace(passed=True))
    assert "raw_corpus: rows_readable failed" in refusal(run(*UPSTREAM, "injection_ratio"), "injection_ratio")


@pytest.mark.long
def test_bypass_a_check_that_raises(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(artefact: object, ws: object) -> Verdict:
        raise ConnectionError("the judge is down")

    monkeypatch.setitem(checks.CHECKS, "raw_corpus", (checks.Check("rows_readable", broken, ""),))
    for name in UPSTREAM:
        run(name)
    told = refusal(run("injection_ratio"), "injection_ratio")
    assert "raw_corpus: rows_readable could not be certified" in told
    assert "the judge is down" in told


def test_bypass_results_that_are_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that reports fewer results than it promised fails, and later runs are refused all the same."""
    honest = guard.materialize

    def silent(*arguments: object) -> Iterator[dg.MaterializeResult]:
        for result in honest(*arguments):
            yield result._replace(check_results=[])

    with monkeypatch.context() as patch:
        patch.setattr("safety_assets.defs.corpus.materialize", silent)
        assert not run("raw_corpus").success
    assert "raw_corpus: rows_readable failed" in refusal(run("injection_ratio"), "injection_ratio")


def test_bypass_automation_that_ignores_checks(run: Run, instance: dg.DagsterInstance) -> None:
    """`eager` asks for the gated asset although what is upstream is red; the run that it asks for is refused."""
    from safety_assets.definitions import defs

    key = dg.AssetKey("injection_ratio")
    eager = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())
    assets = [
        asset.map_asset_specs(lambda spec: spec.replace_attributes(automation_condition=eager))
        if isinstance(asset, dg.AssetsDefinition) and asset.key == key
        else asset
        for asset in defs().assets
    ]
    tick = functools.partial(
        dg.evaluate_automation_conditions,
        defs=dg.Definitions(assets=assets, resources={"project": ProjectResource()}),
        instance=instance,
        asset_selection=dg.AssetSelection.assets(key),
    )
    before = tick()
    assert not before.total_requested
    for name in UPSTREAM:
        run(name)
    assert tick(cursor=before.cursor).total_requested == 1
    result = run("injection_ratio", **{"dagster/from_automation_condition": "true"})
    assert "raw_corpus: rows_readable failed" in refusal(result, "injection_ratio")


def test_the_tags_of_programs_are_those_that_dagster_writes() -> None:
    from dagster._core.storage import tags

    names = (
        tags.SCHEDULE_NAME_TAG, tags.SENSOR_NAME_TAG, tags.AUTO_MATERIALIZE_TAG, tags.AUTOMATION_CONDITION_TAG,
        tags.BACKFILL_ID_TAG,
    )  # fmt: skip
    assert set(names) == set(BY_A_PROGRAM)
