"""The stored verdict on a checkpoint from elsewhere: what it is bound to, and which folders count."""

import dataclasses
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
import small_checkpoints
import yaml

from safety_assets.errors import ProjectError
from safety_assets.flows import external_check
from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.external import external_verdict
from safety_assets.flows.external_folder import checkpoint_folder, complete_folders, content_digest
from safety_assets.flows.replay import replay
from safety_assets.flows.workspace import Made, Workspace
from safety_assets.policy import Policy
from safety_assets.project import open_project
from safety_assets.records import Verdict

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes


def opened_anew(ws: Workspace) -> Workspace:
    """The project read again, as the next run reads it."""
    return dataclasses.replace(ws, project=open_project(ws.project.folder))


@pytest.fixture
def watching(fresh: Workspace, tiny_model: Path) -> Workspace:
    """A project that watches a folder with one checkpoint in it."""
    folder = fresh.project.folder
    settings = yaml.safe_load((folder / "project.yaml").read_text())
    (folder / "project.yaml").write_text(yaml.safe_dump({**settings, "external_checkpoints": "arrivals"}))
    shutil.copytree(tiny_model, folder / "arrivals" / "mine")
    return opened_anew(fresh)


def judged(ws: Workspace, made: Made) -> Verdict:
    [check] = CHECKS["external_verdict"]
    return verdict_of(ws, made.artefact, check)


def test_it_holds_as_long_as_the_policy_does(watching: Workspace) -> None:
    made = external_verdict(watching, "mine")
    assert [verdict.status for verdict in made.verdicts] == ["pass"]
    small_checkpoints.policy_file(watching.project.policy_file, max_drop=9.0)
    later = opened_anew(watching)
    assert judged(later, made).status == "not_certified"
    assert "policy changed" in judged(later, made).reasons[0]
    assert external_verdict(later, "mine").verdicts[0].passed


def test_it_ends_with_the_acceptance_that_it_may_rest_on(watching: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    until = date.today() + timedelta(days=2)
    waiver = {"who": "Ada", "why": "a test", "until": until.isoformat()}
    law = yaml.safe_load(watching.project.policy_file.read_text())
    law["dimensions"]["fairness"]["accepted_base"] = waiver
    watching.project.policy_file.write_text(yaml.safe_dump(law))
    ws = opened_anew(watching)
    made = external_verdict(ws, "mine")
    for day, status in ((until, "pass"), (until + timedelta(days=1), "not_certified")):
        monkeypatch.setattr(external_check, "today", lambda day=day: day)
        assert external_check.checkpoint_keeps_alignment(made.artefact, ws).status == status


def test_a_decision_that_was_edited_is_not_certified(watching: Workspace) -> None:
    made = external_verdict(watching, "mine")
    path = made.artefact.path / "decision.json"
    path.write_text(path.read_text().replace('"status": "pass"', '"status": "fail"', 1))
    [check] = CHECKS["external_verdict"]
    assert verdict_of(watching, made.artefact, check, fresh=True).status == "not_certified"


def test_what_went_in_stands_in_the_manifest(watching: Workspace) -> None:
    made = external_verdict(watching, "mine")
    assert set(made.artefact.manifest.inputs) == {
        "checkpoint", "anchor_files", "probe_files", "policy_file", "answering", "signed",
        "policy.judges", "reviewed",
    }  # fmt: skip
    assert made.artefact.partition == "mine"


def test_a_readme_is_no_new_content_and_other_weights_are(watching: Workspace, tiny_model: Path) -> None:
    folder = checkpoint_folder(watching.project, "mine")
    before = content_digest(folder)
    (folder / "README.md").write_text("hello")
    assert content_digest(folder) == before
    small_checkpoints.with_other_weights(tiny_model, folder.parent / "other")
    assert content_digest(folder.parent / "other") != before


def test_an_adapter_is_complete_without_a_configuration_of_its_own(watching: Workspace, tiny_model: Path) -> None:
    root = checkpoint_folder(watching.project, "mine").parent
    small_checkpoints.adapter(tiny_model, root / "adapter")
    assert [folder.name for folder in complete_folders(root)] == ["adapter", "mine"]


@pytest.mark.parametrize("name", ["../arrivals", "..", "", ".hidden", "absent", "a/b"])
def test_only_names_in_the_folder_are_checkpoints(watching: Workspace, name: str) -> None:
    with pytest.raises(ProjectError):
        checkpoint_folder(watching.project, name)


def test_a_draft_policy_is_tried_on_checkpoints_from_elsewhere_too(watching: Workspace) -> None:
    external_verdict(watching, "mine")
    settings = watching.policy.model_dump(mode="json")
    settings["dimensions"]["safety"]["floor"] = 10.0
    (same,), gone = replay(watching, watching.policy)
    assert (same.recipe, same.was.status, same.would.status, same.changed, gone) == (
        "mine",
        "approved",
        "approved",
        [],
        [],
    )
    (found,), _ = replay(watching, Policy.model_validate(settings))
    assert found.would.status == "rejected"
    assert [after.check for _, after in found.changed if after] == ["regression_budget_safety"]
    shutil.rmtree(watching.store.current("external_verdict", "mine").path)
    assert replay(watching, watching.policy)[0] == []
