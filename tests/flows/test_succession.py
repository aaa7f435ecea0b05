"""What time does to a release, and when a candidate may take its place without a person."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import small_project

from safety_assets.errors import GateRefused
from safety_assets.flows import gates
from safety_assets.flows.assets import materialize
from safety_assets.flows.beside_served import beside_served
from safety_assets.flows.release import promote, roll_back
from safety_assets.flows.standing import served
from safety_assets.flows.succession import against_served, proposal
from safety_assets.flows.validity import due, flags_of, on_newer_probes, rechecks_due
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy
from safety_assets.records import SCORES
from safety_assets.release import promotion
from safety_assets.store import write_frame

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
Again = Callable[..., Workspace]


def with_policy(project: Path, **changes: object) -> None:
    small_project.write_yaml(project / "policy.yaml", {**small_project.policy_settings(), **changes})


def test_newer_probes_flag_what_is_served_and_ask_for_one_recheck(again: Again, project: Path) -> None:
    assert (due(again()), served(again()).problems) == ((), ())
    path = project / "probes" / "gate" / "safety.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    [asked], [same] = due(again()), due(again())
    assert (asked.recipe, asked.run_key) == ("protected", same.run_key)
    assert "certified under older probes" in served(again()).problems[0]
    assert on_newer_probes(again()) == ()
    (project / "signed").mkdir()
    (project / "signed" / "hold-0123456789ab.json").write_text("{")
    assert any("hold" in reason for reason in on_newer_probes(again()))
    (project / "signed" / "hold-0123456789ab.json").unlink()
    with_policy(project, task={"floor": 1.0})
    assert any("floor" in reason for reason in on_newer_probes(again()))
    assert promotion.released(again().store.root, "small")["action"] == "promote"
    with pytest.raises(GateRefused, match="probe_files changed since"):
        materialize(again(), "released_model", "protected")


def test_what_is_due_follows_from_a_release_and_the_probes_alone() -> None:
    release = {"recipe": "r", "weights": "w", "digests": {"probes": "a" * 64}}
    assert rechecks_due(None, {"probes": "b"}) == rechecks_due(release, {"probes": "a" * 64}) == ()
    keys = {rechecks_due({**release, "weights": w}, {"probes": p})[0].run_key for w in "wx" for p in "bc"}
    assert len(keys) == 4


@pytest.mark.parametrize(("today", "kinds"), [(date(2026, 2, 1), []), (date(2026, 2, 2), ["waiver_ended"])])
def test_a_waiver_that_ended_flags(today: date, kinds: list[str]) -> None:
    waiver = {"check": "regression_budget_fairness", "who": "Ada", "until": "2026-02-01"}
    release = {"recipe": "r", "decision": {"waivers": [waiver]}}
    assert [flag.kind for flag in flags_of(release, {}, today)] == kinds


def test_an_upgrade_of_this_package_invalidates_nothing(again: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other sources, and a policy that knows a setting more: the gate opens, and what is served has no flag."""

    class Later(Policy):
        new_setting: str = "off"

    monkeypatch.setattr("safety_assets.project.Policy", Later)
    monkeypatch.setattr("safety_assets.flows.checks.CHECK_CODE", ("flows",))
    monkeypatch.setattr("safety_assets.flows.workspace.code_version", lambda asset: "0" * 16)
    assert again().policy.new_setting == "off"
    assert gates.admit(again(), "released_model", "protected")
    assert served(again()).problems == ()


def test_a_roll_back_asks_no_policy_and_says_what_it_has_against_it(again: Again, project: Path) -> None:
    first = promotion.released(again().store.root, "small")["release"]
    recipe = small_project.recipe_settings("protected") | {"seed": 5}
    small_project.write_yaml(project / "recipes" / "protected.yaml", recipe)
    for asset in ("finetuned_checkpoint", "candidate_responses", "eval_scores", "forgotten_behaviours",
                  "release_decision"):  # fmt: skip
        materialize(again(), asset, "protected")
    decided = again().store.current("release_decision", "protected")
    for page in ("evidence.md", "evidence.html"):
        assert "protected was served when this was decided" in (decided.path / page).read_text(encoding="utf-8")
    promote(again(), "protected")
    assert beside_served(again(), again().store.current("eval_scores", "protected")) is None
    with_policy(project, task={"floor": 0.99, "min_gain": 0.0})
    record = roll_back(again(), to=1, why="complaints")
    assert (record["release"], record["why"]) == (first, "complaints")
    assert any("task_floor failed" in reason for reason in record["objections"])


def test_a_promotion_names_the_decision_that_is_in_force(again: Again) -> None:
    for named in ("0" * 64, "1234567"):
        with pytest.raises(GateRefused, match="the promotion names"):
            promote(again(), "protected", named)


def test_a_run_that_nobody_launched_proposes_unless_the_policy_says_otherwise(again: Again, project: Path) -> None:
    proposed = proposal(again(), "protected")
    assert proposed.why == ("The policy has promotions made by hand.",)
    assert proposed.command.startswith("safety-assets promote protected --decision ")
    with pytest.raises(GateRefused, match="never materialized"):
        proposal(again(), "plain")


def test_the_served_model_is_non_inferior_to_itself(again: Again) -> None:
    ws = again()
    verdicts = against_served(ws, ws.store.current("eval_scores", "protected"))
    assert len(verdicts) == 9
    assert all(verdict.passed for verdict in verdicts), verdicts


def test_a_candidate_that_lost_against_what_is_served_only_proposes(again: Again) -> None:
    """Scores that are all 0 where those of the served model are not, under a policy with budgets."""
    ws = again()
    rules = {name: rule.model_copy(update={"max_drop": 0.1, "certify_within": 10.0}) for name, rule in
             ws.policy.dimensions.items()}  # fmt: skip
    ws.__dict__["policy"] = ws.policy.model_copy(update={"dimensions": rules, "promote": "automatic"})
    scores = ws.store.current("eval_scores", "protected")

    def write(folder: Path) -> None:
        for path in scores.path.iterdir():
            if path.name != "manifest.json":
                (folder / path.name).write_bytes(path.read_bytes())
        frame = scores.frame("scores", SCORES)
        write_frame(folder, "scores", frame.with_columns(value=frame["value"] * 0), SCORES)

    lost = ws.store.publish("eval_scores", write, partition="plain", inputs=scores.manifest.inputs, code_version="x")
    red = [verdict.check for verdict in against_served(ws, lost) if not verdict.passed]
    assert "regression_budget_privacy" in red


def test_with_automatic_promotion_what_is_not_inferior_needs_no_person(again: Again, project: Path) -> None:
    ws = again()
    ws.__dict__["policy"] = ws.policy.model_copy(update={"promote": "automatic"})
    assert proposal(ws, "protected") is None


def test_where_what_is_served_cannot_be_read_the_page_says_so(again: Again) -> None:
    ws = again()
    scores = ws.store.current("eval_scores", "protected")
    record = promotion.released(ws.store.root, "small")
    gone = {**record, "release": {**record["release"], "digests": {"scores": "0" * 64}}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promotion, "released", lambda root, project: gone)
        [said] = beside_served(ws, scores).sentences
    assert said.startswith("It cannot be compared with what is served: ")


def test_nothing_is_promoted_by_a_program_before_a_person_released_something(ws: Workspace) -> None:
    for path in (ws.store.root / "released").glob("small.*"):
        path.unlink()
    [verdict] = against_served(ws, ws.store.current("eval_scores", "protected"))
    assert (verdict.status, verdict.reasons) == (
        "not_certified", ("Nothing is served yet, so there is nothing to compare with.",),
    )  # fmt: skip
