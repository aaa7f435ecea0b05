"""The store: immutable objects, one pointer, lineage in the digest, damage seen."""

import json
import os
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from safety_assets.errors import StoreError
from safety_assets.records import TASKS, Table
from safety_assets.store import Store, write_frame, write_json


def put(store: Store, text: str = "one", inputs: dict[str, str] | None = None, key: str | None = None):
    def write(folder: Path) -> dict[str, object]:
        write_json(folder, "value", {"text": text})
        return {"seconds": 1.5}

    return store.publish("thing", write, inputs=inputs or {}, code_version="v", key=key)


def test_the_same_work_has_the_same_digest_and_other_inputs_another(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert put(store).digest == put(store).digest
    assert len({put(store).digest, put(store, "two").digest, put(store, inputs={"a": "b"}).digest}) == 3


def test_facts_are_kept_and_are_no_part_of_the_digest(tmp_path: Path) -> None:
    artefact = put(Store(tmp_path))
    assert artefact.manifest.facts == {"seconds": 1.5}
    artefact.verify()


def test_current_moves_and_old_objects_stay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second = put(store), put(store, "two")
    assert store.current("thing").digest == second.digest
    assert store.open(first.digest).json("value") == {"text": "one"}
    assert store.point("thing", "all", first.digest).digest == store.current("thing").digest


def test_what_was_never_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="thing of plain was never materialized.*materialize thing first"):
        Store(tmp_path).current("thing", "plain")
    assert Store(tmp_path).find("thing") is None


@pytest.mark.parametrize("damage", ["change", "add", "remove"])
def test_a_changed_object_is_seen_and_its_work_is_done_again(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    artefact = put(store, key="k")
    assert store.made("k") is not None
    match damage:
        case "change":
            (artefact.path / "value.json").write_text("{}")
        case "add":
            (artefact.path / "more.json").write_text("{}")
        case "remove":
            (artefact.path / "value.json").unlink()
    with pytest.raises(StoreError, match="was changed on disk"):
        artefact.verify()
    assert store.made("k") is None


def test_a_forged_manifest_does_not_give_its_own_digest(tmp_path: Path) -> None:
    artefact = put(Store(tmp_path))
    path = artefact.path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "inputs": {"corpus": "another"}}))
    with pytest.raises(StoreError, match="does not give its own digest"):
        Store(tmp_path).open(artefact.digest).verify()


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half.json").write_text("{")
        raise RuntimeError("disk full")

    store = Store(tmp_path)
    with pytest.raises(RuntimeError, match="disk full"):
        store.publish("thing", fail, inputs={}, code_version="v")
    assert store.find("thing") is None
    assert list((tmp_path / "objects").iterdir()) == []


def test_a_damaged_object_is_replaced_when_its_work_is_done_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    artefact = put(store, key="k")
    (artefact.path / "value.json").write_text("{}")
    put(store, key="k").verify()


def test_frames_are_checked_at_the_border(tmp_path: Path) -> None:
    good = TASKS.frame([{"task_id": "a", "messages": [{"role": "user", "content": "?"}], "answer": "1"}])
    write_frame(tmp_path, "tasks", good, TASKS)
    with pytest.raises(StoreError, match="table tasks has no column answer"):
        write_frame(tmp_path, "tasks", good.drop("answer"), TASKS)
    with pytest.raises(StoreError, match="table tasks has answer: Int64"):
        TASKS.check(good.with_columns(answer=pl.lit(1, pl.Int64)))
    assert Table("none", {}).empty().height == 0


@pytest.mark.parametrize("damage", ["pointer", "manifest"])
def test_what_cannot_be_opened_is_named_and_made_again(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    artefact = put(store, key="k")
    path = tmp_path / "current" / "thing" / "all.json" if damage == "pointer" else artefact.path / "manifest.json"
    path.write_text("{")
    with pytest.raises(StoreError, match="thing cannot be opened: .*materialize thing again"):
        store.find("thing")
    assert put(store, key="k").digest == artefact.digest
    assert store.current("thing").json("value") == {"text": "one"}


def test_who_waits_for_a_lock_says_for_whom(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, entered = Store(tmp_path), threading.Event()

    def second() -> None:
        with store.lock("k", "thing [plain]"):
            entered.set()

    waiting = threading.Thread(target=second)
    with store.lock("k"):
        waiting.start()
        end = time.monotonic() + 30
        while not caplog.messages and time.monotonic() < end:
            time.sleep(0.01)
        assert not entered.is_set()
    waiting.join(30)
    assert entered.is_set()
    assert caplog.messages == [f"process {os.getpid()} is at work on thing [plain]: waiting until it is done"]
