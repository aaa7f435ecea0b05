"""Promotions and roll-backs in several processes at once: one after the other, and never half a pointer."""

import contextlib
import dataclasses
import multiprocessing
import time

import pytest

from safety_assets.errors import GateRefused
from safety_assets.release import ledger, promotion
from safety_assets.release.decision import decide

pytestmark = pytest.mark.long
MOVES = 12


def promoting(root, releases):
    for number in range(MOVES):
        promotion.promote(root, "demo", releases[number % len(releases)])


def rolling_back(root):
    for number in range(MOVES):
        with contextlib.suppress(GateRefused):  # it is released already
            promotion.roll_back(root, "demo", to=1 + number % 2)


def test_every_move_is_whole_and_recorded(tmp_path, evidence, policy):
    releases = []
    for letter in "abc":
        own = dataclasses.replace(evidence, weights_now=letter * 64, weights_scored={"scores": letter * 64})
        decision = decide(own, policy)
        ledger.append(tmp_path, decision)
        releases.append({"decision": decision.as_dict(), "weights": letter * 64, "recipe": "mixed"})
    for release in releases[:2]:
        promotion.promote(tmp_path, "demo", release)
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=promoting, args=(tmp_path, releases)) for _ in range(2)]
    workers.append(spawn.Process(target=rolling_back, args=(tmp_path,)))
    for worker in workers:
        worker.start()
    seen = []
    while any(worker.is_alive() for worker in workers):  # as serving reads it: without the lock
        seen.append(promotion.released(tmp_path, "demo")["sequence"])
        time.sleep(0.001)
    seen.append(promotion.released(tmp_path, "demo")["sequence"])
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    past, now = promotion.history(tmp_path, "demo"), promotion.released(tmp_path, "demo")
    assert now == past[-1]
    assert [record["over"] for record in past] == [None, *range(1, len(past))]
    assert {"promote", "roll_back"} == {record["action"] for record in past}
    assert seen == sorted(seen)
