"""Somebody answers for everything that Dagster shows and for every file; and every launchpad field is described."""

from pathlib import Path
from typing import get_args

import dagster as dg
import pytest

from safety_assets.defs.definition_metadata import TABLES, column_schema
from safety_assets.defs.owners import owner, role
from safety_assets.defs.resources import ProjectResource
from safety_assets.errors import ProjectError
from safety_assets.flows.graph import GRAPH
from safety_assets.people import Role

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`")


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    from safety_assets.definitions import defs

    return defs()


def test_every_asset_has_its_role_as_owner_and_tag(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for name, node in GRAPH.items():
        shown = graph.get(dg.AssetKey(name))
        assert shown.tags["safety_assets/role"] == role(name)
        assert node.observed or list(shown.owners) == [owner(name)]


def test_every_job_schedule_and_sensor_names_its_role(definitions: dg.Definitions) -> None:
    for one in (*(definitions.jobs or ()), *(definitions.schedules or ()), *(definitions.sensors or ())):
        assert (one.tags or {}).get("safety_assets/role") in get_args(Role), one.name


def test_every_asset_that_is_made_leads_to_its_code(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for name, node in GRAPH.items():
        if not node.observed:
            [place] = graph.get(dg.AssetKey(name)).metadata["dagster/code_references"].code_references
            line = Path(place.file_path).read_text().splitlines()[place.line_number - 1]
            assert line.startswith(f"def {name}(")


def test_columns_are_shown_with_type_and_meaning(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for name, table in TABLES.items():
        shown = graph.get(dg.AssetKey(name)).metadata["dagster/column_schema"]
        columns = (shown.schema if hasattr(shown, "schema") else shown).columns
        assert [column.name for column in columns] == list(table.columns)
        assert all(column.description and column.type for column in columns)
    types = {column.name: column.type for column in column_schema(TABLES["audited_corpus"]).columns}
    assert types["row_id"] == "string"
    assert types["messages"] == "list(struct)"


def test_every_role_reviews_files_that_are_there() -> None:
    lines = [line.split() for line in (ROOT / "CODEOWNERS").read_text().splitlines() if line and line[0] != "#"]
    assert {team for _, team in lines} == {f"@safety-assets/{name}" for name in get_args(Role)}
    assert lines[0][0] == "*"
    assert [pattern for pattern, _ in lines[1:] if not (ROOT / pattern.lstrip("/")).exists()] == []


def test_every_field_of_the_launchpad_is_described() -> None:
    fields = ProjectResource.model_fields
    assert set(fields) >= {"force", "smoke", "grace_seconds"}
    assert all(field.description for field in fields.values())


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_wrong_value_of_the_launchpad_is_refused_in_words(seconds: float) -> None:
    with pytest.raises(ProjectError, match=r"resources\.project\.config\.grace_seconds is .*Expected: seconds"):
        ProjectResource(grace_seconds=seconds).workspace(dg.build_asset_context())
