"""Trained without the serving system prompt, served with it (PTST): in the rows, in the template, on record."""

from dataclasses import replace
from pathlib import Path

import pytest

from safety_assets.models.chat import encode_prompt, without_serving_prompt
from safety_assets.models.load import LoadedModel, load_model
from safety_assets.models.ranks import ALONE
from safety_assets.models.source import ModelSource, model_folder
from safety_assets.store import digest_file
from safety_assets.training.opened import open_run
from safety_assets.training.run import train

PROMPT = "Be brief and safe."
CHAT = [{"role": "user", "content": "open account"}]


@pytest.fixture
def served(tiny_model: Path, tmp_path: Path) -> Path:
    source = ModelSource(base=str(tiny_model), system_prompt=PROMPT)
    return model_folder(source, root=tmp_path, composed=tmp_path / "composed")


def system_segments(loaded: LoadedModel, ids) -> int:
    return loaded.tokenizer.decode(list(ids)).count("<|system|>")


@pytest.mark.parametrize("under", [False, True])
def test_rows_hold_a_system_segment_only_where_the_recipe_asks_for_it(order, served: Path, under: bool) -> None:
    run, _ = open_run(replace(order(share=0.2, under_system_prompt=under), base=served), ALONE)
    assert {system_segments(run.loaded, row.ids) for row in run.rows} == {int(under)}
    assert {PROMPT in run.loaded.tokenizer.decode(list(row.ids)) for row in run.rows} == {under}


def test_a_row_keeps_the_system_message_it_came_with(order, audited, served: Path) -> None:
    import polars as pl

    own = [{"role": "system", "content": "green hill"}, *CHAT, {"role": "assistant", "content": "dog"}]
    rows = audited()
    rows = rows.with_columns(messages=pl.Series([own, *rows["messages"].to_list()[1:]], dtype=rows["messages"].dtype))
    run, _ = open_run(replace(order(rows=rows), base=served), ALONE)
    assert [system_segments(run.loaded, row.ids) for row in run.rows[:2]] == [1, 0]
    assert "green hill" in run.loaded.tokenizer.decode(list(run.rows[0].ids))


def test_what_is_served_has_exactly_one_and_both_templates_are_on_record(order, served: Path, tiny_model: Path) -> None:
    trained = train(replace(order(), base=served))
    loaded = load_model(trained.model)
    assert system_segments(loaded, encode_prompt(loaded.tokenizer, CHAT)) == 1
    own = [{"role": "system", "content": "green hill"}, *CHAT]
    assert system_segments(loaded, encode_prompt(loaded.tokenizer, own)) == 1
    assert system_segments(loaded, encode_prompt(without_serving_prompt(loaded.tokenizer), CHAT)) == 0
    facts = trained.facts
    assert facts["serving_template"] == digest_file(trained.model / "chat_template.jinja")
    assert facts["training_template"] == digest_file(tiny_model / "chat_template.jinja")
    assert facts["under_system_prompt"] is False


def test_trained_under_the_prompt_both_templates_are_one(order, served: Path) -> None:
    facts = train(replace(order(under_system_prompt=True), base=served)).facts
    assert facts["serving_template"] == facts["training_template"]
    assert facts["under_system_prompt"] is True
