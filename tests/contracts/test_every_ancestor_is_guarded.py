"""Every gated asset asks every blocking check of every ancestor, whichever way it is launched."""

from collections.abc import Iterable
from pathlib import Path

import dagster as dg
import pytest
import small_project

from safety_assets.defs.spec import asset_key
from safety_assets.flows import gates
from safety_assets.flows.graph import GRAPH
from safety_assets.flows.workspace import Workspace
from safety_assets.project import open_project
from safety_assets.records import Verdict
from safety_assets.store import WHOLE, Store

pytestmark = pytest.mark.filterwarnings("ignore:Property `OpDefinition.version`")  # Dagster's own use
GATED = [name for name, node in GRAPH.items() if node.gated]
RECIPE = "protected"


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One artefact of every asset that is made, each from the others of its inputs; what is in them does not matter."""
    project = open_project(small_project.write_project(tmp_path_factory.mktemp("all") / "project", Path("nowhere")))
    store, digests = Store(project.storage), {}
    names = [name for name, node in GRAPH.items() if not node.observed]
    while names:
        name = next(n for n in names if not set(GRAPH[n].inputs) & set(names))
        names.remove(name)
        made = store.publish(
            name, lambda folder: (folder / "x").write_text("x") and {}, code_version="x",
            partition=RECIPE if GRAPH[name].partitioned else WHOLE,
            inputs={used: digests[used] for used in GRAPH[name].inputs if used in digests},
        )  # fmt: skip
        digests[name] = made.digest
    return Workspace(project=project, store=store, launch=lambda order: {})


def blocking_upstream(step: str) -> set[tuple[str, str]]:
    """Asset and check of every blocking check of every ancestor, as Dagster's own definitions have them."""
    from safety_assets.definitions import defs

    graph = defs().resolve_asset_graph()
    found: set[tuple[str, str]] = set()
    for key in graph.get_ancestor_asset_keys(asset_key(step)):
        for check in graph.get_check_keys_for_assets([key]):
            if graph.get(check).blocking:
                found.add((key.path[-1], check.name))
    return found


@pytest.mark.parametrize("step", GATED)
def test_every_blocking_check_of_every_ancestor_refuses(
    step: str, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition = RECIPE if GRAPH[step].partitioned else WHOLE
    wanted = blocking_upstream(step)
    assert wanted
    for red in (lambda key: key in wanted, *map(only, sorted(wanted))):
        asked: set[tuple[str, str]] = set()

        def verdict(
            ws: object, artefact: object, check: object, *, fresh: bool = False, red=red, asked=asked
        ) -> Verdict:
            key = artefact.asset, check.name
            asked.add(key)
            return Verdict(check=check.name, status="fail" if red(key) else "pass", reasons=("It is red.",))

        monkeypatch.setattr(gates, "verdict_of", verdict)
        told = gates.inspect(ws, step, partition).reasons
        assert wanted <= asked
        assert {key for key in wanted if red(key)} == {key for key in wanted if any(_says(told, *key))}


def only(wanted: tuple[str, str]):
    return lambda key: key == wanted


def _says(reasons: Iterable[str], asset: str, check: str) -> list[bool]:
    places = (f"{asset}: {check} failed", f"{asset} [{RECIPE}]: {check} failed")
    return [reason.startswith(places) for reason in reasons]


def waits_for_checks(condition: dg.AutomationCondition) -> bool:
    """Whether a condition asks that the blocking checks of all dependencies passed."""
    wanted = dg.AutomationCondition.all_deps_blocking_checks_passed()
    return condition == wanted or wanted.get_label() in str(condition) or any(map(waits_for_checks, condition.children))


def test_automation_waits_for_the_checks_besides() -> None:
    from safety_assets.definitions import defs

    bare = dg.AutomationCondition.eager()
    assert not waits_for_checks(bare)
    assert waits_for_checks(bare & dg.AutomationCondition.all_deps_blocking_checks_passed())
    graph = defs().resolve_asset_graph()
    automated = [key for key in graph.get_all_asset_keys() if graph.get(key).automation_condition is not None]
    gaps = [key for key in automated if not waits_for_checks(graph.get(key).automation_condition)]
    assert gaps == []
