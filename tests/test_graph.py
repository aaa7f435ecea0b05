"""The asset graph as Dagster sees it: any change of it shows here, and must be meant."""

from pathlib import Path

import dagster as dg
import pytest

from safety_assets.defs.spec import RECIPES
from safety_assets.flows.assets import FLOWS
from safety_assets.flows.checks import CHECKS
from safety_assets.flows.graph import GRAPH, ancestors

pytestmark = pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`")  # Dagster's own use
SNAPSHOT = Path(__file__).parent / "graph.txt"


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    from safety_assets.definitions import defs

    return defs()


def test_graph_is_the_one_that_was_reviewed(definitions: dg.Definitions) -> None:
    """On a meant change: read the difference, then write `described(...)` into tests/graph.txt."""
    assert described(definitions) == SNAPSHOT.read_text()


def described(definitions: dg.Definitions) -> str:
    """One line per asset: group, key, what partitions it, upstream; then its checks, blocking ones marked."""
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys(), key=lambda k: list(GRAPH).index(k.to_user_string())):
        node = graph.get(key)
        partition = " [recipe]" if node.partitions_def == RECIPES else " [checkpoint]" if node.partitions_def else ""
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        lines.append(f"{node.group_name}/{key.to_user_string()}{partition} <- {parents}")
        for check in sorted(node.check_keys, key=lambda c: c.name):
            blocking = "blocks" if graph.get_check_spec(check).blocking else "shows"
            lines.append(f"    {blocking} {check.name}")
    return "\n".join(lines) + "\n"


def test_every_asset_has_owner_kind_description_and_code_version(definitions: dg.Definitions) -> None:
    for asset in definitions.assets or ():
        if isinstance(asset, dg.AssetsDefinition):
            spec = next(iter(asset.specs))
            assert spec.owners, spec.key
            assert spec.kinds, spec.key
            assert spec.description, spec.key
            assert spec.code_version, spec.key


def test_graph_flows_and_checks_speak_of_the_same_assets() -> None:
    assert set(FLOWS) == {name for name, node in GRAPH.items() if not node.observed}
    assert set(CHECKS) <= set(GRAPH)


def test_jobs_hold_what_they_say(definitions: dg.Definitions) -> None:
    def assets(job: str) -> set[str]:
        layer = definitions.resolve_job_def(job).asset_layer
        return {key.to_user_string() for key in layer.executable_asset_keys}

    made = {name for name, node in GRAPH.items() if not node.observed}
    partitioned = {name for name in made if GRAPH[name].partitioned}
    assert assets("fine_tune") == partitioned
    assert assets("retrain") == partitioned - {"released_model"}
    assert assets("release") == {"release_decision", "model_card", "released_model"}
    assert assets("compare_recipes") == {"recipe_leaderboard"}
    assert assets("gate_external") == {"external_verdict"}
    assert assets("measure") == made - partitioned - {"recipe_leaderboard", "external_verdict"}


def test_everything_before_a_release_is_its_ancestor() -> None:
    assert set(ancestors("released_model")) == set(GRAPH) - {"released_model", "recipe_leaderboard", "external_verdict"}
