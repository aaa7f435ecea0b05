"""What a policy may ask for beside the scores, measured on real weights: exposure, consistency, cost of serving."""

from pathlib import Path

import pytest
import small_checkpoints

from safety_assets.evals.probes import read_probes
from safety_assets.flows.figures import (
    BUDGETS,
    Figures,
    figure_verdicts,
    figures_shown,
    measured,
    read_figures,
    write_figures,
)
from safety_assets.flows.sources import source_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy


def law(ws: Workspace, **asked: object) -> Policy:
    return Policy.model_validate(ws.project.policy().model_dump() | asked)


ALL = {
    "exposure": {"canaries": 4, "samples": 64, "max_bits": 12.0, "max_worst_bits": 12.0},
    "consistency": {"per_dimension": 8, "seeds": [0, 1], "temperatures": [1.0], "max_drop": 0.5},
    "serving": {"prompts": 8, "repeats": 1, "max_size_ratio": 1.5, "max_memory_ratio": 1.0, "max_tokens_ratio": 50.0},
}


def test_without_a_demand_nothing_is_measured(fresh: Workspace, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    found = measured(fresh, fresh.policy, nowhere, nowhere, read_probes(fresh.project.probes))
    assert found == Figures()
    assert figure_verdicts(found, fresh.policy) == {}


def test_everything_is_measured_side_by_side_kept_and_judged(
    fresh: Workspace, tiny_model: Path, tmp_path: Path
) -> None:
    policy, other = law(fresh, **ALL), tmp_path / "other"
    small_checkpoints.with_other_weights(tiny_model, other)
    found = measured(fresh, policy, tiny_model, other, read_probes(fresh.project.probes).filter(split="gate"))
    assert not found.absent
    exposed = found.tables["exposures"]
    assert 1 <= exposed.height <= 4
    assert (exposed["candidate"] <= exposed["space_bits"] + 1e-9).all()
    drawn = found.tables["consistency"].filter(side="candidate", dimension="all").row(0, named=True)
    assert drawn["num_draws"] == 3
    assert drawn["change_low"] <= drawn["change"] <= drawn["change_high"]
    cost = {row["what"]: row for row in found.tables["serving"].to_dicts()}
    assert cost["memory"]["ratio"] == pytest.approx(1.0)
    assert cost["latency"]["low"] <= cost["latency"]["ratio"] <= cost["latency"]["high"]

    artefact = fresh.store.publish("figures", lambda f: write_figures(f, found), inputs={}, code_version="test")
    kept = read_figures(artefact)
    assert kept.tables["serving"].equals(found.tables["serving"])
    verdicts = figure_verdicts(kept, policy)
    assert {name: v.status for name, v in verdicts.items()} == dict.fromkeys(BUDGETS, "pass")
    strict = law(fresh, exposure={**ALL["exposure"], "max_bits": 0.0}, serving={"max_size_ratio": 0.5})
    assert [figure_verdicts(kept, strict)[name].status for name in ("exposure_budget", "serving_budget")] == [
        "fail"
    ] * 2
    shown = figures_shown(kept)
    assert shown["exposure/num_canaries"] == exposed.height


def test_what_could_not_be_measured_refuses_and_says_why(fresh: Workspace, tiny_model: Path, tmp_path: Path) -> None:
    steady = {"min_agreement": 0.5}
    policy = law(fresh, exposure={"max_bits": 3.0}, serving={"max_latency_ratio": 2.0}, consistency=steady)
    found = measured(fresh, policy, tiny_model, tmp_path / "nowhere", read_probes(fresh.project.probes))
    verdicts = figure_verdicts(found, policy)
    assert set(verdicts) == set(BUDGETS)
    assert {v.status for v in verdicts.values()} == {"not_certified"}
    assert all("nowhere" in v.reasons[0] for v in verdicts.values())
    assert {v.status for v in figure_verdicts(None, policy).values()} == {"not_certified"}


def test_another_ceiling_measures_nothing_anew_and_another_sample_does(fresh: Workspace) -> None:
    def digest(text: str) -> str:
        path = fresh.project.folder / "policy.yaml"
        own = path.read_text().split("# figures")[0]
        path.write_text(f"{own}# figures\n{text}")
        return source_digest(fresh.project, "policy.figures")

    off, loose = digest(""), digest("exposure: {max_bits: 5}\n")
    assert digest("exposure: {max_bits: 2}\n") == loose != off
    assert digest("exposure: {max_bits: 2, samples: 99}\n") != loose
    shown = digest("consistency: {seeds: [0, 1]}\n")
    assert digest("consistency: {seeds: [0, 1], min_agreement: 0.9, max_drop: 0.1, floors: {safety: 0.8}}\n") == shown
    assert digest("consistency: {seeds: [0, 2]}\n") != shown
