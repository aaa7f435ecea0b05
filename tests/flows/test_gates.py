"""What a gate refuses, and in which words."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import small_project

from safety_assets.errors import GateRefused
from safety_assets.flows import checks
from safety_assets.flows.assets import materialize
from safety_assets.flows.gates import admit, inspect
from safety_assets.flows.workspace import Workspace
from safety_assets.store import WHOLE

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
Again = Callable[..., Workspace]


def refusals(ws: Workspace, step: str, partition: str = "protected") -> str:
    with pytest.raises(GateRefused) as caught:
        admit(ws, step, partition)
    return "\n".join(caught.value.reasons)


def test_a_finished_project_is_admitted_everywhere(ws: Workspace) -> None:
    for step in ("injection_ratio", "audited_corpus"):
        assert admit(ws, step, WHOLE)
    for step in ("finetuned_checkpoint", "model_card", "released_model"):
        assert admit(ws, step, "protected")


def test_what_was_never_made_is_named(fresh: Workspace) -> None:
    said = refusals(fresh, "finetuned_checkpoint")
    assert "audited_corpus was never materialized. Do: materialize audited_corpus first." in said
    assert "base_model was never materialized" in said


def test_a_recipe_that_was_not_scored_is_refused_alone(ws: Workspace) -> None:
    assert "release_decision of plain was never materialized" in refusals(ws, "model_card", "plain")
    assert admit(ws, "model_card", "protected")


def test_an_edited_corpus_file_is_noticed_without_any_materialization(ws: Workspace, project: Path) -> None:
    rows = [*small_project.corpus_rows(), small_project.chat("Anything new?", "Nothing at all.")]
    small_project.write_lines(project / "corpus" / "rows.jsonl", rows)
    said = refusals(ws, "finetuned_checkpoint")
    assert "corpus_files changed since raw_corpus was made from it. Materialize raw_corpus again." in said


def test_a_newer_ancestor_makes_what_was_made_from_the_older_one_stale(again: Again, project: Path) -> None:
    rows = [*small_project.corpus_rows(), small_project.chat("Anything new?", "Nothing at all.")]
    small_project.write_lines(project / "corpus" / "rows.jsonl", rows)
    materialize(again(), "raw_corpus")
    said = refusals(again(), "released_model")
    assert "audited_corpus is stale: it was made from raw_corpus" in said
    assert "Materialize audited_corpus again." in said


def test_a_red_check_upstream_refuses_although_a_green_one_was_consumed(again: Again, project: Path) -> None:
    with (project / "corpus" / "rows.jsonl").open("a") as handle:
        handle.write("no JSON\n" * 20)
    made = materialize(again(), "raw_corpus")
    assert [v.status for v in made.verdicts] == ["fail"]
    for step in ("finetuned_checkpoint", "released_model"):
        assert "raw_corpus: rows_readable failed. 20 of" in refusals(again(), step)


def test_a_changed_object_is_refused(ws: Workspace) -> None:
    weights = ws.store.current("finetuned_checkpoint", "protected").path / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    assert "finetuned_checkpoint" in refusals(ws, "released_model")
    assert "was changed on disk: model/model.safetensors" in refusals(ws, "released_model")


def test_a_deleted_object_is_refused(ws: Workspace) -> None:
    used = ws.store.current("corpus_audit")
    used.path.rename(used.path.with_name("elsewhere"))
    assert "no readable artefact" in refusals(ws, "released_model")


def test_a_stricter_policy_makes_checks_red_and_sections_stale(again: Again, project: Path) -> None:
    settings = small_project.policy_settings()
    settings["injection"]["min_pairs_per_category"] = 50
    small_project.write_yaml(project / "policy.yaml", settings)
    said = refusals(again(), "injection_ratio", WHOLE)
    assert "refusal_pairs: every_category_covered failed. Category weapons has 3 refusal pairs" in said
    assert "policy.injection changed since corpus_audit was made from it." in said


def test_an_edited_recipe_refuses_its_own_release_only(again: Again, project: Path) -> None:
    small_project.write_yaml(project / "recipes" / "plain.yaml", small_project.recipe_settings("protected"))
    assert admit(again(), "released_model", "protected")
    settings = small_project.recipe_settings("protected")
    settings["optimiser"]["steps"] += 1
    small_project.write_yaml(project / "recipes" / "protected.yaml", settings)
    assert "finetuned_checkpoint [protected] is stale: it was made from recipe" in refusals(again(), "released_model")


def test_a_check_that_cannot_be_computed_refuses(again: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(artefact: object, ws: object) -> None:
        raise ZeroDivisionError("no judge")

    monkeypatch.setitem(checks.CHECKS, "raw_corpus", (checks.Check("rows_readable", broken, "", True),))
    monkeypatch.setattr(checks, "CHECK_CODE", ("flows",))
    said = refusals(again(), "released_model")
    assert "raw_corpus: rows_readable could not be certified." in said
    assert "ZeroDivisionError: no judge" in said


def test_a_promotion_believes_no_earlier_verdict(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def judge(artefact: object, ws: object) -> object:
        asked.append(artefact)
        return checks.Verdict(check="rows_readable", status="pass")

    monkeypatch.setitem(checks.CHECKS, "raw_corpus", (checks.Check("rows_readable", judge, "", True),))
    for _ in range(2):
        admit(ws, "released_model", "protected")
    assert len(asked) == 2


def test_two_versions_of_one_ancestor_are_not_joined(ws: Workspace) -> None:
    """A manifest written by hand, as another program could: an audit of another corpus."""
    audit = ws.store.current("corpus_audit")
    other = ws.store.publish("raw_corpus", lambda folder: (folder / "rows").write_text("x") and {}, inputs={},
                             code_version="x")  # fmt: skip
    ws.store.publish("corpus_audit", lambda folder: _copy(audit.path, folder), code_version="x",
                     inputs={**audit.manifest.inputs, "raw_corpus": other.digest})  # fmt: skip
    ws.store.point("raw_corpus", WHOLE, audit.manifest.inputs["raw_corpus"])
    said = refusals(ws, "audited_corpus", WHOLE)
    assert "audited_corpus would join two versions of raw_corpus" in said


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("manifest.json"), dirs_exist_ok=True)


def test_an_input_that_names_another_asset_is_refused(ws: Workspace) -> None:
    audit = ws.store.current("corpus_audit")
    wrong = {**audit.manifest.inputs, "raw_corpus": audit.manifest.inputs["refusal_pairs"]}
    ws.store.publish("corpus_audit", lambda folder: _copy(audit.path, folder), inputs=wrong, code_version="x")
    assert "its raw_corpus, but it is refusal_pairs" in refusals(ws, "audited_corpus", WHOLE)


def test_inspection_of_a_fresh_project_gives_reasons_and_raises_nothing(fresh: Workspace) -> None:
    found = inspect(fresh, "release_decision", "protected")
    assert set(found.inputs) == {"policy"}
    assert len(found.reasons) >= 4


def test_pointers_are_small_and_replaced_whole(ws: Workspace) -> None:
    pointer = ws.store.root / "current" / "raw_corpus" / "all.json"
    assert set(json.loads(pointer.read_text())) == {"digest"}
