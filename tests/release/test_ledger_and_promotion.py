import dataclasses
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from safety_assets.errors import GateRefused, StoreError
from safety_assets.release import ledger, promotion
from safety_assets.release.decision import decide


@pytest.fixture
def approve(evidence, policy):
    def make(weights="a" * 64, **changes):
        own = dataclasses.replace(evidence, weights_now=weights, weights_scored={"scores": weights}, **changes)
        return decide(own, policy)

    return make


def release_of(decision):
    return {"decision": decision.as_dict(), "weights": decision.digests["weights"], "recipe": decision.recipe}


def files(root):
    return sorted((root / "ledger").glob("0*.json"))


def test_chain_is_written_and_read(tmp_path, approve):
    assert ledger.read(tmp_path) == ()
    first, second = ledger.append(tmp_path, approve()), ledger.append(tmp_path, approve("e" * 64))
    assert second.previous == first.digest
    assert [e.number for e in ledger.read(tmp_path)] == [1, 2]
    assert files(tmp_path)[0].name == f"000001-{first.digest[:12]}.json"


def test_parallel_appends_make_one_chain(tmp_path, approve):
    decision = approve()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ledger.append(tmp_path, decision), range(6)))
    assert len(ledger.read(tmp_path)) == 6


@pytest.mark.parametrize(
    ("index", "says"), [(0, "entry 1 is missing"), (1, "entry 2 is missing"), (2, "000003 is missing")]
)
def test_a_removed_entry_is_named(tmp_path, approve, index, says):
    for _ in range(3):
        ledger.append(tmp_path, approve())
    files(tmp_path)[index].unlink()
    with pytest.raises(StoreError, match=says):
        ledger.read(tmp_path)


def test_a_changed_entry_is_named_and_nothing_is_added(tmp_path, approve):
    for _ in range(2):
        ledger.append(tmp_path, approve())
    path = files(tmp_path)[0]
    value = json.loads(path.read_text())
    value["decision"]["recipe"] = "another"
    os.chmod(path, 0o644)
    path.write_text(json.dumps(value))
    with pytest.raises(StoreError, match=f"{path.name} was changed"):
        ledger.append(tmp_path, approve())


@pytest.mark.parametrize("decisions", [1, 2])
def test_who_reads_while_a_decision_is_added_sees_one_moment(tmp_path, approve, monkeypatch, decisions):
    """Reading takes no lock: the ledger grows after its entries were read, and before its head is."""
    ledger.append(tmp_path, approve())
    chain = ledger._chain

    def read_slowly(root):
        monkeypatch.setattr(ledger, "_chain", chain)
        entries = chain(root)
        for _ in range(decisions):
            ledger.append(root, approve("e" * 64))
        return entries

    monkeypatch.setattr(ledger, "_chain", read_slowly)
    assert len(ledger.read(tmp_path)) == 1 + decisions


def test_promote_and_roll_back(tmp_path, approve):
    one, two = approve(), approve("e" * 64)
    for decision in (one, two):
        ledger.append(tmp_path, decision)
        promotion.promote(tmp_path, "demo", release_of(decision))
    assert promotion.released(tmp_path, "demo")["release"]["weights"] == "e" * 64
    promotion.roll_back(tmp_path, "demo")
    assert promotion.released(tmp_path, "demo")["release"]["weights"] == "a" * 64
    with pytest.raises(GateRefused, match="no release before"):
        promotion.roll_back(tmp_path, "demo")
    assert [r["action"] for r in promotion.history(tmp_path, "demo")] == ["promote", "promote", "roll_back"]


def test_refusals(tmp_path, approve):
    good, red = approve(), approve(problems=["stale."])
    with pytest.raises(GateRefused, match="not in the ledger"):
        promotion.promote(tmp_path, "demo", release_of(good))
    ledger.append(tmp_path, good)
    with pytest.raises(GateRefused, match=r"is not_certified.*stale"):
        promotion.promote(tmp_path, "demo", release_of(red))
    with pytest.raises(GateRefused, match="Decide on these"):
        promotion.promote(tmp_path, "demo", {**release_of(good), "weights": "f" * 64})
    with pytest.raises(GateRefused, match="no sound decision"):
        promotion.promote(tmp_path, "demo", {"decision": {**red.as_dict(), "status": "approved"}, "weights": "a" * 64})
    with pytest.raises(GateRefused, match="no sound decision"):
        promotion.promote(tmp_path, "demo", {})
    ledger.append(tmp_path, red)
    with pytest.raises(GateRefused, match="latest decision on these weights is not_certified"):
        promotion.promote(tmp_path, "demo", release_of(good))
    with pytest.raises(StoreError, match="no project name"):
        promotion.promote(tmp_path, "../demo", release_of(good))
    assert promotion.released(tmp_path, "demo") is None
    with pytest.raises(GateRefused, match="no release of demo"):
        promotion.roll_back(tmp_path, "demo")


def test_a_crash_before_the_pointer_moves_keeps_the_old_release(tmp_path, approve, monkeypatch):
    one, two = approve(), approve("e" * 64)
    for decision in (one, two):
        ledger.append(tmp_path, decision)
    promotion.promote(tmp_path, "demo", release_of(one))
    with monkeypatch.context() as broken:
        replace = os.replace
        broken.setattr(os, "replace", lambda a, b: replace(a, b) if str(b).endswith("jsonl") else 1 / 0)
        with pytest.raises(ZeroDivisionError):
            promotion.promote(tmp_path, "demo", release_of(two))
    assert promotion.released(tmp_path, "demo")["release"]["weights"] == "a" * 64
    promotion.promote(tmp_path, "demo", release_of(two))
    promotion.roll_back(tmp_path, "demo")
    assert promotion.released(tmp_path, "demo")["release"]["weights"] == "a" * 64
