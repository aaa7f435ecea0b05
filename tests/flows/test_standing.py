"""What is served, and when the gate would no longer release it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import small_project

from safety_assets.flows.assets import materialize
from safety_assets.flows.inputs import partition_of, wanted_inputs
from safety_assets.flows.standing import explain, sentence, served, standing_of, standings, way_to
from safety_assets.flows.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
Again = Callable[..., Workspace]
Opened = Callable[[Path], Workspace]


def problems(ws: Workspace) -> tuple[str, ...]:
    now = served(ws)
    assert now is not None
    return now.problems


def test_a_finished_project_is_green_and_well(ws: Workspace) -> None:
    assert problems(ws) == ()
    assert [stand.artefact.asset for stand in standings(ws) if stand.blocking or stand.stale] == []
    for asset in ("released_model", "corpus_audit"):
        found = explain(ws, asset, partition_of(asset, "protected"))
        assert (found.state, found.reasons, found.command) == ("green", (), ""), asset


def test_the_sweep_comes_after_every_cheaper_check(fresh: Workspace) -> None:
    order = way_to(fresh, "release_decision")
    for name in ("safety_baseline", "corpus_audit", "safety_anatomy"):
        assert order.index(name) < order.index("injection_ratio") < order.index("audited_corpus")
    for place, name in enumerate(order):
        assert set(wanted_inputs(fresh, name)) & set(order) <= set(order[:place]), name


def test_what_the_project_does_not_use_is_not_on_the_way(fresh: Workspace, opened: Opened) -> None:
    assert "corpus_closeness" not in way_to(fresh, "release_decision")
    policy = small_project.policy_settings()
    policy["corpus"]["closeness"] = {"quota": 0.1}
    small_project.write_yaml(fresh.project.folder / "policy.yaml", policy)
    order = way_to(opened(fresh.project.folder), "release_decision")
    assert order.index("corpus_closeness") < order.index("corpus_audit")


def test_a_red_check_that_blocks_nothing_is_a_warning(ws: Workspace) -> None:
    """Whether the tiny model's monitor is red is chance; it was released all the same."""
    stand = standing_of(ws, ws.store.current("finetuned_checkpoint", "protected"))
    found = explain(ws, "finetuned_checkpoint", "protected")
    assert stand.blocking == ()
    assert (found.state, found.command) == ("warned" if stand.red else "green", "")
    assert found.reasons == tuple(sentence(verdict) for verdict in stand.red)


def test_a_source_that_changed_makes_what_is_served_stale(again: Again, project: Path) -> None:
    small_project.write_lines(project / "corpus" / "more.jsonl", small_project.corpus_rows()[:1])
    assert any("corpus_files changed since raw_corpus" in problem for problem in problems(again()))
    found = explain(again(), "released_model", "protected")
    assert found.state == "refused"
    assert found.command == "safety-assets materialize raw_corpus"


def test_served_weights_that_changed_are_told(again: Again, project: Path) -> None:
    weights = again().store.current("finetuned_checkpoint", "protected").path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert any("not those that were released" in problem for problem in problems(again()))


def test_a_check_that_turned_red_is_told(again: Again, project: Path) -> None:
    policy = small_project.policy_settings()
    policy["injection"]["min_pairs_per_category"] = 50
    small_project.write_yaml(project / "policy.yaml", policy)
    assert any("every_category_covered failed" in problem for problem in problems(again()))
    found = explain(again(), "refusal_pairs", "all")
    assert found.state == "red"
    assert found.mend.startswith("every_category_covered failed.")


def test_a_damaged_artefact_is_explained_and_is_the_first_to_be_made_again(again: Again, project: Path) -> None:
    ws = again()
    artefact = ws.store.current("audited_corpus")
    (path,) = (artefact.path / "rows").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    found = explain(ws, "audited_corpus", "all")
    assert found.state == "damaged"
    assert f"was changed on disk: rows/{path.name}" in found.reasons[0]
    for asset in ("audited_corpus", "finetuned_checkpoint", "released_model"):
        command = explain(again(), asset, partition_of(asset, "protected")).command
        assert command == "safety-assets materialize audited_corpus", asset
    materialize(again(), "audited_corpus")
    assert explain(again(), "audited_corpus", "all").state == "green"


def test_an_artefact_whose_manifest_is_broken_is_explained(again: Again, project: Path) -> None:
    (again().store.current("safety_baseline").path / "manifest.json").write_text("{")
    found = explain(again(), "safety_baseline", "all")
    assert (found.state, found.command) == ("damaged", "safety-assets materialize safety_baseline")
