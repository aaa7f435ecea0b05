"""The pointer and its history: every hand that was laid on them is noticed; roll-backs go anywhere they were."""

import dataclasses
import json
from pathlib import Path

import pytest

from safety_assets.errors import GateRefused, StoreError
from safety_assets.release import ledger, promotion
from safety_assets.release.decision import decide
from safety_assets.store import canonical_json, digest_json, replace_text


@pytest.fixture
def served(tmp_path, evidence, policy):
    """Three releases, one after the other: of weights a, b, c."""
    for letter in "abc":
        weights = letter * 64
        decision = decide(
            dataclasses.replace(evidence, weights_now=weights, weights_scored={"scores": weights}), policy
        )
        ledger.append(tmp_path, decision)
        promotion.promote(tmp_path, "demo", {"decision": decision.as_dict(), "weights": weights, "recipe": "mixed"})
    return tmp_path


def now(root: Path) -> str:
    return promotion.released(root, "demo")["release"]["weights"][0]


def pointer(root: Path) -> Path:
    return root / "released" / "demo.json"


def test_any_former_release_is_reached_and_the_way_is_recorded(served):
    said = promotion.roll_back(served, "demo", lambda release: ["red today."], to=1, why="complaints")
    assert (now(served), said["before"], said["objections"], said["why"]) == ("a", None, ["red today."], "complaints")
    promotion.roll_back(served, "demo", to=3)
    promotion.roll_back(served, "demo")
    assert now(served) == "b"
    moves = [(r["sequence"], r["action"], r["release"]["weights"][0]) for r in promotion.history(served, "demo")]
    assert moves[3:] == [(4, "roll_back", "a"), (5, "roll_back", "c"), (6, "roll_back", "b")]


@pytest.mark.parametrize(("to", "says"), [(9, "no move 9"), (0, "no move 0"), (3, "released already")])
def test_a_roll_back_to_nowhere_is_refused(served, to, says):
    with pytest.raises(GateRefused, match=says):
        promotion.roll_back(served, "demo", to=to)
    assert now(served) == "c"


def test_releasing_what_is_released_moves_nothing(served):
    release = promotion.released(served, "demo")["release"]
    assert promotion.promote(served, "demo", release)["sequence"] == 3
    assert len(promotion.history(served, "demo")) == 3


def edited(record: dict, **changes: object) -> dict:
    """A record as somebody writes it who computes its digest again."""
    body = {**record, **changes}
    return {**body, "digest": digest_json({k: v for k, v in body.items() if k != "digest"})}


@pytest.mark.parametrize("again", [False, True])
def test_a_pointer_edited_by_hand_is_not_served(served, again):
    record = json.loads(pointer(served).read_text())
    release = {**record["release"], "folder": "elsewhere"}
    pointer(served).write_text(json.dumps(edited(record, release=release) if again else record | {"release": release}))
    with pytest.raises(StoreError, match="changed by hand"):
        promotion.released(served, "demo")
    promotion.roll_back(served, "demo", to=3)
    assert now(served) == "c"


def test_a_pointer_put_back_by_hand_is_noticed(served):
    past = promotion.history(served, "demo")
    pointer(served).write_text(json.dumps(past[0]))
    with pytest.raises(StoreError, match="stands on move 1, the history ends with move 3"):
        promotion.released(served, "demo")


def test_a_pointer_that_is_gone_is_noticed(served):
    pointer(served).unlink()
    with pytest.raises(StoreError, match="pointer is gone, 3 moves"):
        promotion.released(served, "demo")


@pytest.mark.parametrize("spoil", [
    lambda past: past[1:], lambda past: [past[0], past[2]], lambda past: [past[1], past[0], past[2]],
    lambda past: [*past[:2], {**past[2], "why": "none"}], lambda past: [*past, past[2]], lambda past: [1, 2],
    lambda past: [{k: v for k, v in past[0].items() if k != "digest"}],
    lambda past: [edited(past[0], why="x"), *past[1:]],
])  # fmt: skip
def test_a_history_that_was_changed_is_noticed_and_nothing_moves(served, spoil):
    past = spoil(promotion.history(served, "demo"))
    replace_text(served / "released" / "demo.history.jsonl", "".join(canonical_json(r) + "\n" for r in past))
    for act in (lambda: promotion.released(served, "demo"), lambda: promotion.roll_back(served, "demo", to=1)):
        with pytest.raises(StoreError, match="is not what was written"):
            act()


def test_pointer_and_history_forged_together_still_need_the_ledger(served, evidence, policy):
    """Whoever computes digests again has an approval that the ledger does not know."""
    weights = "f" * 64
    forged = decide(dataclasses.replace(evidence, weights_now=weights, weights_scored={"scores": weights}), policy)
    release = {"decision": forged.as_dict(), "weights": forged.digests["weights"], "recipe": "mixed"}
    past = promotion.history(served, "demo")
    last = edited(past[2], release=release)
    replace_text(
        served / "released" / "demo.history.jsonl", "".join(canonical_json(r) + "\n" for r in (*past[:2], last))
    )
    pointer(served).write_text(json.dumps(last))
    served_now = promotion.released(served, "demo")["release"]
    with pytest.raises(StoreError, match="not in the ledger"):
        promotion.demand_approved(served, served_now)


@pytest.mark.parametrize("moves", [1, 2])
def test_who_reads_while_the_pointer_moves_sees_one_moment(served, monkeypatch, moves):
    """Reading takes no lock: the pointer moves after the history was read, and before the pointer is."""
    read = promotion.history

    def read_slowly(root, project):
        monkeypatch.setattr("safety_assets.release.pointer.history", read)
        past = read(root, project)
        for to in (1, 2)[:moves]:
            promotion.roll_back(root, project, to=to)
        return past

    monkeypatch.setattr("safety_assets.release.pointer.history", read_slowly)
    assert promotion.released(served, "demo")["sequence"] == 3 + moves
