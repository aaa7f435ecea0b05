"""A project with a model of its own: what is asked, recorded and refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import small_project

from safety_assets.errors import GateRefused, ModelError, ProjectError
from safety_assets.flows import models
from safety_assets.flows.asking import open_generator
from safety_assets.flows.assets import materialize
from safety_assets.flows.workspace import Workspace
from safety_assets.models.identity import identify

Again = Callable[..., Workspace]


def settings(project: Path, **changes: object) -> None:
    model = json.loads(json.dumps(small_project.project_settings(Path("model")) | changes))
    small_project.write_yaml(project / "project.yaml", model)


@pytest.fixture
def mine(untouched: Path, tiny_model: Path, tmp_path: Path) -> Path:
    """A project whose model is a folder inside it."""
    project = Path(shutil.copytree(untouched, tmp_path / "project"))
    shutil.copytree(tiny_model, project / "model")
    settings(project)
    return project


@pytest.fixture
def reopen(mine: Path) -> Callable[[], Workspace]:
    from safety_assets.flows.workspace import Workspace
    from safety_assets.project import open_project
    from safety_assets.store import Store

    def again() -> Workspace:
        project = open_project(mine)
        return Workspace(project=project, store=Store(project.storage), launch=lambda order: {})

    return again


def test_probes_of_another_world_are_refused_with_the_remedy(mine: Path, reopen: Again) -> None:
    (mine / "probes" / "suite.yaml").write_text("written_for: python -m data.build\n")
    (verdict,) = [v for v in materialize(reopen(), "probe_suite").verdicts if v.check == "written_for_these_models"]
    assert verdict.status == "fail"
    for name in ("base_model", "refusal_pairs", "raw_corpus", "corpus_audit"):
        materialize(reopen(), name)
    with pytest.raises(GateRefused, match=r"written_for_these_models failed.*Bring your own probes, or point `probes`"):
        materialize(reopen(), "injection_ratio")


def test_a_model_made_by_whom_the_probes_were_written_for_passes(mine: Path, reopen: Again) -> None:
    (mine / "probes" / "suite.yaml").write_text("written_for: us\n")
    (mine / "model" / "made.json").write_text('{"made_by": "us"}')
    assert all(v.passed for v in materialize(reopen(), "probe_suite").verdicts)
    (mine / "model" / "made.json").write_text('{"made_by": "them"}')
    again = materialize(reopen(), "probe_suite")
    assert not again.cached
    assert not all(v.passed for v in again.verdicts)


def test_the_serving_system_prompt_is_recorded_and_said(mine: Path, reopen: Again) -> None:
    before = materialize(reopen(), "base_model").artefact.json("model")
    settings(mine, system_prompt="Be brief.")
    ws = reopen()
    after = materialize(ws, "base_model").artefact.json("model")
    assert (before["system_prompt"], after["system_prompt"]) == (None, "Be brief.")
    assert before["identity"] != after["identity"]
    assert {part for part in after["parts"] if before["parts"][part] != after["parts"][part]} == {"template"}
    chat = [{"role": "user", "content": "hello"}]
    told = [{"role": "system", "content": "Be brief."}, *chat]
    served = open_generator(ws, models.base(ws.project))
    assert served.generate([chat], 8) == served.generate([told], 8)
    assert served.model == after["identity"]


def test_a_changed_system_prompt_makes_what_was_said_stale(mine: Path, reopen: Again) -> None:
    for name in ("base_model", "probe_suite", "refusal_pairs", "raw_corpus", "corpus_audit"):
        materialize(reopen(), name)
    settings(mine, system_prompt="Be brief.")
    with pytest.raises(GateRefused, match="model_files changed since base_model"):
        materialize(reopen(), "injection_ratio")


def test_a_template_file_is_the_projects(mine: Path, reopen: Again) -> None:
    template = mine / "model" / "chat_template.jinja"
    template.rename(mine / "mine.jinja")
    with pytest.raises(ModelError, match=r"no chat template.*as chat_template in project\.yaml"):
        materialize(reopen(), "base_model")
    settings(mine, chat_template="mine.jinja")
    materialize(reopen(), "base_model")
    assert "template" in identify(models.base(reopen().project)).parts
    settings(mine, chat_template="nowhere.jinja")
    with pytest.raises(ProjectError, match=r"nowhere\.jinja cannot be read"):
        materialize(reopen(), "base_model")


def test_a_base_with_an_adapter_is_named_in_two_keys(mine: Path, reopen: Again) -> None:
    settings(mine, base_model={"base": "model", "adapter": "nowhere"})
    with pytest.raises(ModelError, match="nowhere is no folder"):
        materialize(reopen(), "base_model")
    settings(mine, base_model={"base": "model", "adapter": "x", "adaptor": "x"})
    with pytest.raises(ProjectError, match=r"yaml:\d+: base_model\.adaptor: unknown key"):
        reopen()


def test_quantised_answers_are_other_answers_and_need_a_gpu(mine: Path, reopen: Again) -> None:
    from safety_assets.flows.sources import source_digest

    before = source_digest(reopen().project, "answering")
    settings(mine, quantise="4bit")
    ws = reopen()
    assert source_digest(ws.project, "answering") != before
    with pytest.raises(ModelError, match="quantise: 4bit on cpu"):
        open_generator(ws, models.base(ws.project))
