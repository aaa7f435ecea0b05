"""The base model as a user names it: read as it will be served, or what is assumed of it until it can be."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_checkpoints
from huggingface_hub import constants
from small_hub import NAME, TOKEN, Hub, serving

from safety_assets.errors import ModelError, ProjectError
from safety_assets.models.weights import inspect_weights
from safety_assets.starter.base import ASSUMED_PARAMETERS, ModelFacts, NamedModel, base_under, look_at


@pytest.fixture
def hub(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(tiny_model, tmp_path / "cache", monkeypatch) as server:
        yield server


def parameters(folder: Path) -> int:
    return inspect_weights(folder).parameters


def test_a_folder_is_read(tiny_model: Path) -> None:
    assert look_at(NamedModel(base=str(tiny_model))) == ModelFacts(parameters=parameters(tiny_model), context=256)


def test_a_path_is_relative_to_where_the_user_stands(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_model.parent)
    assert look_at(NamedModel(base=tiny_model.name)).context == 256


def test_a_folder_without_weights_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no weights"):
        look_at(NamedModel(base=str(tmp_path)))


def test_a_model_without_template_needs_one_to_be_named(tiny_model: Path, tmp_path: Path) -> None:
    bare = Path(shutil.copytree(tiny_model, tmp_path / "bare"))
    template = (bare / "chat_template.jinja").rename(tmp_path / "mine.jinja")
    with pytest.raises(ModelError, match="no chat template.*--chat-template"):
        look_at(NamedModel(base=str(bare)))
    assert look_at(NamedModel(base=str(bare), chat_template=str(template))).parameters == parameters(tiny_model)
    with pytest.raises(ProjectError, match=r"nowhere\.jinja cannot be read"):
        look_at(NamedModel(base=str(bare), chat_template=str(tmp_path / "nowhere.jinja")))


@pytest.mark.parametrize("said", [{"n_positions": 99}, {"text_config": {"max_position_embeddings": 99}}])
def test_the_context_stands_where_the_architecture_writes_it(tiny_model: Path, tmp_path: Path, said: dict) -> None:
    other = Path(shutil.copytree(tiny_model, tmp_path / "other"))
    config = json.loads((other / "config.json").read_text())
    del config["max_position_embeddings"]
    (other / "config.json").write_text(json.dumps(config | said))
    assert look_at(NamedModel(base=str(other))).context == 99


def test_an_adapter_counts_and_names_its_base(tiny_model: Path, tmp_path: Path) -> None:
    adapter = small_checkpoints.adapter(tiny_model, tmp_path / "adapter")
    assert base_under(str(adapter)) == str(tiny_model)
    found = look_at(NamedModel(base=str(tiny_model), adapter=str(adapter)))
    assert found.parameters > parameters(tiny_model)
    with pytest.raises(ModelError, match="holds adapter_config.json: it is an adapter"):
        look_at(NamedModel(base=str(adapter)))
    settings = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(settings | {"base_model_name_or_path": "org/name"}))
    with pytest.raises(ModelError, match="trained on 'org/name', which is no folder here"):
        base_under(str(adapter))


def test_a_hub_model_is_fetched_and_read(hub: Hub, tiny_model: Path) -> None:
    assert look_at(NamedModel(base=NAME)) == look_at(NamedModel(base=str(tiny_model)))


def test_a_cached_hub_model_is_read_without_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    look_at(NamedModel(base=NAME))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert look_at(NamedModel(base=NAME)).later == ""


def test_what_cannot_be_read_now_is_assumed_and_checked_later(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    found = look_at(NamedModel(base=NAME))
    assert found.parameters == ASSUMED_PARAMETERS
    for words in ("cannot be fetched", "`safety-assets doctor` checks weights", "7,000,000,000 parameters"):
        assert words in found.later


def test_a_hub_that_says_no_is_believed(hub: Hub) -> None:
    with pytest.raises(ModelError, match="no revision"):
        look_at(NamedModel(base=f"org/name@{'f' * 40}"))
    hub.private = True
    with pytest.raises(ModelError, match="environment variable HF_TOKEN") as caught:
        look_at(NamedModel(base=NAME))
    assert TOKEN not in str(caught.value)
