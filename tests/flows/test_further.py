"""Runs of another harness as further dimensions: compared item by item, and never passed unmeasured."""

from collections.abc import Callable
from pathlib import Path

import lm_eval_runs
import pytest

from safety_assets.flows.further import further_verdicts, take_in, told
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy
from safety_assets.records import Verdict

BASE, TUNED = "b" * 64, "c" * 64
RULE = {"rank": "supporting", "max_drop": 1.0, "certify_within": 2.5, "floor": 0.0, "why": "known things stay known"}


@pytest.fixture
def ws(untouched: Path, opened: Callable[..., Workspace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("SAFETY_ASSETS_STORAGE", str(tmp_path / "store"))
    return opened(untouched)


def law(ws: Workspace, **change: object) -> Policy:
    values = ws.policy.model_dump(mode="json")
    values["probes"]["min_gate_probes"] = 50
    return Policy.model_validate(values | {"further": {"mmlu": {"task": "mmlu", "rule": RULE, **change}}})


def verdict(ws: Workspace, policy: Policy) -> Verdict:
    return further_verdicts(ws, BASE, TUNED, policy)["further_mmlu"]


def test_a_policy_without_further_dimensions_has_no_further_verdict(ws: Workspace) -> None:
    assert further_verdicts(ws, BASE, TUNED) == {}


@pytest.mark.parametrize(
    ("right", "status", "says"),
    [
        (60, "pass", ""),
        (59, "pass", ""),
        (50, "fail", "mmlu drops by 1.67 points, 10.00 to 8.33"),
        (56, "not_certified", "may be as large"),
    ],
)
def test_the_drop_is_judged_as_that_of_a_dimension(
    ws: Workspace, tmp_path: Path, right: int, status: str, says: str
) -> None:
    policy = law(ws, rule=RULE | {"certify_within": 1.0} if status == "not_certified" else RULE)
    kept = take_in(ws, lm_eval_runs.write(tmp_path / "base", 60), BASE)
    assert told(kept)["tasks"] == {"mmlu_law": 30, "mmlu_logic": 30}
    assert "was not run on the tuned model" in verdict(ws, policy).reasons[0]
    take_in(ws, lm_eval_runs.write(tmp_path / "tuned", right), TUNED)
    found = verdict(ws, policy)
    assert found.status == status, found.reasons
    assert says in " ".join(found.reasons)
    assert found.numbers["base_run"] == kept.digest


def test_what_cannot_be_compared_is_not_certified(ws: Workspace, tmp_path: Path) -> None:
    take_in(ws, lm_eval_runs.write(tmp_path / "base", 60), BASE)
    take_in(ws, lm_eval_runs.write(tmp_path / "tuned", 60, shots=0), TUNED)
    found = verdict(ws, law(ws))
    assert (found.status, "judgements only in the baseline" in found.reasons[0]) == ("not_certified", True)
    assert "has no f1,none of mmlu" in verdict(ws, law(ws, metric="f1")).reasons[0]
    assert further_verdicts(ws, None, TUNED, law(ws))["further_mmlu"].status == "not_certified"


def test_an_advisory_dimension_warns_but_must_be_measured(ws: Workspace, tmp_path: Path) -> None:
    advisory = law(ws, rule=RULE | {"rank": "advisory"})
    assert verdict(ws, advisory).status == "not_certified"
    take_in(ws, lm_eval_runs.write(tmp_path / "base", 60), BASE)
    take_in(ws, lm_eval_runs.write(tmp_path / "tuned", 30), TUNED)
    assert verdict(ws, advisory).status == "pass"
    assert "advisory" in " ".join(verdict(ws, advisory).reasons)


def test_a_further_dimension_cannot_take_the_name_of_one_of_the_eight(ws: Workspace) -> None:
    values = ws.policy.model_dump(mode="json")
    with pytest.raises(ValueError, match="one of the eight"):
        Policy.model_validate(values | {"further": {"safety": {"task": "mmlu", "rule": RULE}}})
