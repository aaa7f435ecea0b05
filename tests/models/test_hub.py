"""A hub model at a pinned revision, as a local folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants
from small_hub import NAME, TOKEN, UNWANTED, Hub, serving

from safety_assets.errors import ModelError
from safety_assets.models.hub import fetch, is_denied, parse_hub_id
from safety_assets.models.identity import identify
from safety_assets.models.source import ModelSource, model_folder


@pytest.fixture
def hub(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(tiny_model, tmp_path / "cache", monkeypatch) as server:
        yield server


def folder(where: Path) -> Path:
    return model_folder(ModelSource(base=NAME), root=where, composed=where / "composed")


@pytest.mark.parametrize(
    "text", ["org/name", "org/name@main", NAME.removeprefix("org/"), NAME.replace("org/", "../x/"), f"{NAME}0"]
)
def test_only_a_full_commit_hash_pins(text: str):
    assert parse_hub_id(text) is None


def test_a_pinned_model_is_a_folder_like_any_other(hub: Hub, tmp_path: Path, tiny_model: Path):
    assert identify(folder(tmp_path)) == identify(tiny_model)


def test_neither_pickles_nor_code_are_downloaded(hub: Hub, tmp_path: Path):
    fetched = folder(tmp_path)
    assert not [name for name in UNWANTED if (fetched / name).exists()]
    assert not [path for path in hub.asked for name in UNWANTED if path.endswith(name)]


def test_what_is_cached_needs_no_network(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = folder(tmp_path)
    count = len(hub.asked)
    assert folder(tmp_path) == before
    assert len(hub.asked) == count
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert folder(tmp_path) == before


def test_half_a_snapshot_is_no_model(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    hub.refuse = "generation_config.json"
    with pytest.raises(ModelError, match="not wholly in the cache"):
        folder(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="not wholly in the cache"):
        folder(tmp_path)


def test_without_network_and_cache_the_remedy_is_named(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="connect to the network once"):
        folder(tmp_path)
    assert hub.asked == []


def test_the_token_is_that_of_the_environment_and_is_never_said(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    hub.private = True
    with pytest.raises(ModelError, match="environment variable HF_TOKEN"):
        folder(tmp_path)
    assert hub.tokens == {None}
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with caplog.at_level("DEBUG"):
        assert identify(folder(tmp_path)).files
    hub.private, hub.refuse = False, "config.json"
    wanted = parse_hub_id(NAME.replace("org/name", "org/other"))
    with pytest.raises(ModelError) as caught:
        fetch(wanted)
    assert TOKEN not in caplog.text + str(caught.value)


def test_a_revision_that_does_not_exist_is_named(hub: Hub, tmp_path: Path):
    with pytest.raises(ModelError, match=f"no revision {'f' * 40}") as caught:
        model_folder(ModelSource(base=f"org/name@{'f' * 40}"), root=tmp_path, composed=tmp_path)
    assert is_denied(caught.value)


def test_a_hub_that_cannot_be_asked_denies_nothing(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError) as caught:
        folder(tmp_path)
    assert not is_denied(caught.value)
