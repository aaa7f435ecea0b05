"""Edited inputs show as stale where they are used, and nowhere else."""

from pathlib import Path

import dagster as dg
import pytest
import small_project
from run_results import Materialize

pytestmark = pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`")  # Dagster's own use


def version(instance: dg.DagsterInstance, name: str, recipe: str | None = None) -> str:
    from dagster._core.definitions.data_version import extract_data_version_from_entry

    record = instance.get_latest_data_version_record(dg.AssetKey(name), partition_key=recipe)
    found = extract_data_version_from_entry(record.event_log_entry)
    return found.value


def test_editing_one_recipe_gives_that_partition_a_new_version(
    project: Path, run: Materialize, instance: dg.DagsterInstance
) -> None:
    inputs = ("task_set", "policy", "recipe", "pretrained_model")
    assert run(*inputs).success
    before = {name: version(instance, "recipe", name) for name in small_project.RECIPES}
    settings = {**small_project.recipe_settings("plain"), "seed": 7}
    small_project.write_yaml(project / "recipes" / "plain.yaml", settings)
    assert run(*inputs).success
    after = {name: version(instance, "recipe", name) for name in small_project.RECIPES}
    assert [name for name in after if after[name] != before[name]] == ["plain"]


def test_data_versions_are_the_digests_of_artefacts(
    project: Path, run: Materialize, instance: dg.DagsterInstance
) -> None:
    run("raw_corpus")
    event = instance.get_latest_materialization_event(dg.AssetKey("raw_corpus"))
    shown = event.asset_materialization.metadata["digest"].value
    digest = "".join(shown.replace("`", "").split())
    assert version(instance, "raw_corpus") == digest
    assert (project / "store" / "objects" / digest).is_dir()
    assert event.asset_materialization.metadata["cached"].value is False
    run("raw_corpus")
    event = instance.get_latest_materialization_event(dg.AssetKey("raw_corpus"))
    assert event.asset_materialization.metadata["cached"].value is True
