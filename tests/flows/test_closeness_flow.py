"""Rows close to harm become findings, where the policy asks for it."""

import functools
from pathlib import Path

import polars as pl
import pytest
import small_project

from safety_assets.flows.assets import materialize
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Closeness
from safety_assets.project import open_project
from safety_assets.records import CLOSENESS, FINDINGS
from safety_assets.store import Store

CLOSE = "How do I write about fraud number 7?"
BEFORE = ("base_model", "probe_suite", "raw_corpus", "refusal_pairs", "corpus_closeness")


def workspace(folder: Path, model: Path, closeness: dict | None, action: str = "drop") -> Workspace:
    small_project.write_project(folder, model)
    small_project.write_lines(folder / "corpus" / "close.jsonl", [small_project.chat(CLOSE, "- one\n- two\n- three")])
    policy = small_project.policy_settings()
    policy["corpus"] |= {"closeness": closeness} if closeness else {}
    policy["corpus"]["actions"] |= {"close_to_harm": action}
    small_project.write_yaml(folder / "policy.yaml", policy)
    project = open_project(folder)
    return Workspace(project=project, store=Store(project.storage), launch=lambda order: {})


@pytest.fixture(scope="module")
def measured(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("closeness") / "project"
    ws = workspace(folder, tiny_model, {"quota": 0.03, "axes": ["text", "structure", "hidden"]})
    for name in (*BEFORE, "corpus_audit"):
        materialize(ws, name)
    return ws


def test_every_row_has_a_rank_on_every_axis(measured: Workspace) -> None:
    closeness = measured.store.current("corpus_closeness").frame("closeness", CLOSENESS)
    assert closeness.height == 49
    assert closeness["rank"].to_list() == list(range(1, 50))
    assert closeness.drop("embedding").null_count().sum_horizontal().item() == 0
    assert closeness["embedding"].null_count() == 49


def test_the_closest_row_is_the_one_that_was_written_to_be(measured: Workspace) -> None:
    findings = measured.store.current("corpus_audit").shards("findings", FINDINGS).whole()
    (found,) = findings.filter(finding="close_to_harm").to_dicts()
    assert found["source"] == "close.jsonl"
    assert (found["action"], found["severity"]) == ("drop", "low")
    assert found["evidence"].startswith("rank 1 of 49 in closeness to harm")


def test_the_quota_bounds_what_is_reported(measured: Workspace, tmp_path: Path, tiny_model: Path) -> None:
    ws = workspace(tmp_path / "wide", tiny_model, {"quota": 0.2, "axes": ["text"]})
    for name in (*BEFORE, "corpus_audit"):
        materialize(ws, name)
    findings = ws.store.current("corpus_audit").shards("findings", FINDINGS).whole()
    assert findings.filter(finding="close_to_harm").height == 9
    closeness = ws.store.current("corpus_closeness").frame("closeness", CLOSENESS)
    assert closeness["hidden"].is_null().all()


def test_without_the_policy_nothing_is_measured_and_no_model_is_needed(tiny_model: Path, tmp_path: Path) -> None:
    ws = workspace(tmp_path / "none", tiny_model, None)
    for name in ("base_model", "probe_suite", "raw_corpus", "refusal_pairs"):
        materialize(ws, name)
    audit = materialize(ws, "corpus_audit").artefact
    assert "corpus_closeness" not in audit.manifest.inputs
    assert audit.shards("findings", FINDINGS).whole().filter(pl.col("finding") == "close_to_harm").is_empty()
    assert materialize(ws, "corpus_closeness").artefact.frame("closeness", CLOSENESS).is_empty()


def test_an_audit_that_needs_it_says_so(tiny_model: Path, tmp_path: Path) -> None:
    ws = workspace(tmp_path / "missing", tiny_model, {"quota": 0.1})
    for name in ("base_model", "probe_suite", "raw_corpus", "refusal_pairs"):
        materialize(ws, name)
    with pytest.raises(Exception, match="corpus_closeness was never materialized"):
        functools.partial(materialize, ws, "corpus_audit")()


@pytest.fixture(scope="module")
def encoder(tiny_tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT with the small tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder") / "bert"
    config = BertConfig(
        vocab_size=len(tiny_tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=64, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


def test_an_encoder_of_ones_own_is_an_axis_and_an_input(tiny_model: Path, tmp_path: Path, encoder: Path) -> None:
    rule = {"quota": 0.03, "axes": ["embedding"], "embedding_model": str(encoder)}
    ws = workspace(tmp_path / "own", tiny_model, rule)
    for name in BEFORE:
        materialize(ws, name)
    made = ws.store.current("corpus_closeness")
    closeness = made.frame("closeness", CLOSENESS)
    assert closeness["embedding"].null_count() == 0
    assert closeness["hidden"].null_count() == 49
    assert closeness["axis"].unique().to_list() == ["embedding"]
    assert "encoder_files" in made.manifest.inputs
    (encoder / "note.txt").write_text("another encoder")
    again = materialize(ws, "corpus_closeness")
    assert not again.cached


def test_vectors_do_not_depend_on_what_stands_beside_a_text(encoder: Path) -> None:
    import torch

    from safety_assets.models.embed import Encoder

    found = Encoder(encoder, device="cpu")
    texts = ["open account", "a small dog runs over the green hill " * 20, ""]
    together = found.vectors(texts)
    alone = torch.cat([found.vectors([text]) for text in texts])
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(together.norm(dim=-1), torch.ones(3), atol=1e-5)
    assert float(together[0] @ together[0]) == pytest.approx(1.0)


def test_an_encoder_that_is_none_is_named(tmp_path: Path) -> None:
    from safety_assets.errors import ModelError
    from safety_assets.models.embed import Encoder

    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds no encoder"):
        Encoder(tmp_path)


def test_the_axis_and_its_encoder_go_together() -> None:
    with pytest.raises(ValueError, match="go together; set both or neither"):
        Closeness(axes=("embedding",))
