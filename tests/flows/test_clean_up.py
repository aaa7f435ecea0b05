"""Clean-up removes what nothing refers to, and nothing else."""

import os
import shutil
from pathlib import Path

import pytest

from safety_assets.errors import StoreError
from safety_assets.flows import clean_up as module
from safety_assets.flows import release
from safety_assets.flows.clean_up import clean_up
from safety_assets.flows.standing import served
from safety_assets.flows.workspace import Workspace
from safety_assets.release import ledger
from safety_assets.store import Artefact, Store, write_json


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def published(
    store: Store, asset: str, value: object, *, inputs: dict[str, str] | None = None, key: str | None = None
) -> Artefact:
    return store.publish(
        asset, lambda folder: write_json(folder, "value", value), inputs=inputs or {}, code_version="1", key=key
    )


def present(store: Store) -> set[str]:
    return {path.parent.name for path in (store.root / "objects").glob("*/manifest.json")}


def cleaned(store: Store) -> set[str]:
    before = present(store)
    clean_up(store, dry_run=False, min_age_days=-1)
    return before - present(store)


def test_what_was_replaced_and_led_to_nothing_goes_and_its_work_is_forgotten(store: Store) -> None:
    old, new = published(store, "raw_corpus", 1, key="one"), published(store, "raw_corpus", 2, key="two")
    told = clean_up(store, min_age_days=-1)
    assert (told.removed, [one.digest for one in told.unused], told.kept) == (False, [old.digest], 1)
    assert told.size_bytes == sum(path.stat().st_size for path in old.path.iterdir())
    assert present(store) == {old.digest, new.digest}
    assert cleaned(store) == {old.digest}
    assert store.made("one") is None
    assert store.made("two") == new
    assert [path.name for path in (store.root / "objects").iterdir()] == [new.digest]


@pytest.mark.parametrize("asset", module.DECIDED)
def test_all_that_a_decision_was_made_from_stays(store: Store, asset: str) -> None:
    source = published(store, "raw_corpus", 1)
    scores = published(store, "eval_scores", 1, inputs={"raw_corpus": source.digest})
    published(store, asset, "rejected", inputs={"eval_scores": scores.digest})
    for name in ("raw_corpus", "eval_scores", asset):
        published(store, name, "newer")
    assert cleaned(store) == set()


@pytest.mark.parametrize("place", ["work/abc/order.json", "released/small.history.txt", "notes/hold.yaml"])
def test_what_unfinished_work_or_any_other_file_names_stays(store: Store, place: str) -> None:
    old = published(store, "raw_corpus", 1)
    published(store, "raw_corpus", 2)
    path = store.root / place
    path.parent.mkdir(parents=True)
    path.write_text(f"reads {old.path}/value.json")
    assert cleaned(store) == set()
    path.unlink()
    assert cleaned(store) == {old.digest}


def test_what_is_young_stays_and_what_a_killed_process_left_goes(store: Store) -> None:
    old = published(store, "raw_corpus", 1)
    published(store, "raw_corpus", 2)
    half = store.root / "objects" / ".new-half"
    half.mkdir()
    assert clean_up(store, min_age_days=1).unused == clean_up(store, min_age_days=1).leftovers == ()
    for path in (half, old.path / "manifest.json"):
        os.utime(path, (0, 0))
    found = clean_up(store, dry_run=False, min_age_days=1)
    assert ([one.digest for one in found.unused], found.leftovers) == ([old.digest], (".new-half",))
    assert not half.exists()


def test_nothing_is_removed_while_work_is_under_way(store: Store) -> None:
    published(store, "raw_corpus", 1)
    published(store, "raw_corpus", 2)
    with store.lock("abc", "training"):
        assert len(clean_up(store, min_age_days=-1).unused) == 1
        with pytest.raises(StoreError, match="is at work"):
            clean_up(store, dry_run=False, min_age_days=-1)
    assert len(present(store)) == 2


def test_nothing_is_removed_where_it_cannot_be_known_what_counts(store: Store) -> None:
    old, new = published(store, "raw_corpus", 1), published(store, "raw_corpus", 2)
    pointer = store.root / "current" / "raw_corpus" / "all.json"
    pointer.write_text("damaged")
    with pytest.raises(StoreError, match="cannot be opened"):
        clean_up(store, dry_run=False, min_age_days=-1)
    store.point("raw_corpus", "all", new.digest)
    (store.root / "ledger").mkdir()
    (store.root / "ledger" / "000001-aaaaaaaaaaaa.json").write_text("{}")
    with pytest.raises(StoreError, match="ledger is broken"):
        clean_up(store, dry_run=False, min_age_days=-1)
    assert present(store) == {old.digest, new.digest}


def test_what_comes_to_be_needed_meanwhile_is_put_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    old = published(store, "raw_corpus", 1)
    published(store, "raw_corpus", 2)
    rename = os.rename

    def point_back(source: Path, target: Path) -> None:
        if target.name.startswith(module.GONE):
            store.point("raw_corpus", "all", old.digest)
        rename(source, target)

    monkeypatch.setattr(module.os, "rename", point_back)
    assert cleaned(store) == set()
    assert store.current("raw_corpus") == old


def test_a_damaged_artefact_is_left_to_be_told_where_it_is_used(store: Store) -> None:
    old = published(store, "raw_corpus", 1)
    published(store, "raw_corpus", 2)
    (old.path / "manifest.json").write_text("{")
    assert cleaned(store) == set()


def test_an_empty_store_is_clean(store: Store) -> None:
    shutil.rmtree(store.root, ignore_errors=True)
    assert clean_up(store, dry_run=False).kept == 0
    assert ledger.read(store.root) == ()


def test_after_a_clean_up_what_is_served_holds_and_can_be_released_again(ws: Workspace) -> None:
    served_before = served(ws)
    audit = ws.store.current("corpus_audit")
    other = published(ws.store, "corpus_audit", "of no use")
    ws.store.point("corpus_audit", "all", audit.digest)
    assert cleaned(ws.store) == {other.digest}
    assert served(ws) == served_before
    assert served_before is not None
    assert served_before.problems == ()
    assert release.release_decision(ws, "protected").artefact.json("decision")["status"] == "approved"
    assert release.released_model(ws, "protected").cached
