"""`verify`: one bit of any file, one file more or less, and a folder is not the release any more."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from safety_assets.errors import ModelError, StoreError
from safety_assets.flows.release import released_folder
from safety_assets.flows.verifying import verify, verify_against
from safety_assets.flows.workspace import Workspace
from safety_assets.release import promotion
from safety_assets.release.approved import every_file, sealed

Again = Callable[..., Workspace]


@pytest.fixture
def copied(ws: Workspace, tmp_path: Path) -> Path:
    """The released weights as somebody received them."""
    return Path(shutil.copytree(released_folder(ws), tmp_path / "received"))


@pytest.fixture
def release_file(ws: Workspace) -> Path:
    return ws.store.current("released_model", "protected").path / "release.json"


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(content))


def test_the_released_weights_are_known_with_and_without_the_project(
    ws: Workspace, copied: Path, release_file: Path
) -> None:
    assert verify(ws, copied).outcome == "released"
    pointer = ws.store.root / "released" / "small.json"
    for file in (release_file, pointer):
        assert verify_against(copied, file).outcome == "released"


def test_one_bit_of_any_file_is_found(ws: Workspace, copied: Path, release_file: Path) -> None:
    names = every_file(copied)
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= set(names)
    for number, name in enumerate(names):
        for bit in (0, 8 * (copied / name).stat().st_size - 1, 8 * number % (8 * (copied / name).stat().st_size)):
            flip(copied / name, bit)
            for found in (verify(ws, copied), verify_against(copied, release_file)):
                assert (found.outcome, found.differs.changed) == ("other", (name,))
            flip(copied / name, bit)
    assert verify(ws, copied).outcome == "released"


def test_one_bit_of_the_file_of_the_release_is_found(copied: Path, release_file: Path, tmp_path: Path) -> None:
    changed = tmp_path / "release.json"
    shutil.copy(release_file, changed)
    changed.chmod(0o644)
    for bit in range(0, 8 * changed.stat().st_size, 997):
        flip(changed, bit)
        with pytest.raises(StoreError, match="is no release"):
            verify_against(copied, changed)
        flip(changed, bit)
    assert verify_against(copied, changed).outcome == "released"


@pytest.mark.parametrize("name", ["README.md", ".hidden", "manifest.json", "deep/er.bin"])
def test_a_file_that_was_added_is_named(ws: Workspace, copied: Path, release_file: Path, name: str) -> None:
    (copied / name).parent.mkdir(exist_ok=True)
    (copied / name).write_text("")
    for found in (verify(ws, copied), verify_against(copied, release_file)):
        assert (found.outcome, found.differs.added) == ("other", (name,))


def test_a_file_that_is_missing_is_named(ws: Workspace, copied: Path, release_file: Path) -> None:
    for name in every_file(copied):
        content = (copied / name).read_bytes()
        (copied / name).unlink()
        for found in (verify(ws, copied), verify_against(copied, release_file)):
            assert (found.outcome, found.differs.missing) == ("other", (name,))
        (copied / name).write_bytes(content)


def test_other_weights_are_like_none(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    found = verify(ws, tmp_path)
    assert (found.outcome, found.release) == ("other", None)
    with pytest.raises(ModelError, match="is no folder"):
        verify(ws, tmp_path / "nowhere")


def test_a_list_of_files_written_by_hand_vouches_for_nothing(
    ws: Workspace, copied: Path, release_file: Path, tmp_path: Path
) -> None:
    """The files of other weights, listed and sealed anew, beside the decision on the approved ones."""
    flip(copied / "model.safetensors", 8 * (copied / "model.safetensors").stat().st_size - 1)
    release = {k: v for k, v in json.loads(release_file.read_text()).items() if k != "digest"}
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(sealed({**release, "files": every_file(copied)})))
    found = verify_against(copied, forged)
    assert found.outcome == "other"
    assert "the decision is about" in found.why[0]


def test_a_release_that_is_not_the_current_one_is_told(ws: Workspace, copied: Path) -> None:
    """The same files under a later release of other ones: approved once, and not what is released now."""
    root, now = ws.store.root, promotion.released(ws.store.root, "small")
    release = {k: v for k, v in now["release"].items() if k != "digest"}
    other = sealed({**release, "files": {**release["files"], "config.json": "0" * 64}})
    promotion.promote(root, "small", other)
    found = verify(ws, copied)
    assert (found.outcome, found.sequence) == ("released_before", now["sequence"])


def test_a_release_names_every_digest(ws: Workspace) -> None:
    release = promotion.released(ws.store.root, "small")["release"]
    named = {"weights", "tokenizer", "template", "system_prompt", "corpus", "probes", "policy", "scores", "recipe"}
    assert named <= set(release["digests"])
    assert release["digests"]["scores"] == ws.store.current("eval_scores", "protected").digest
    assert release["digests"]["corpus"] == ws.store.current("audited_corpus").digest
