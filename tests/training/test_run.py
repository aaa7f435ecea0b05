from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from safety_assets.errors import TrainingError
from safety_assets.models.batch import pad_right, response_loss
from safety_assets.models.chat import Encoded, encode_chat
from safety_assets.models.load import load_model
from safety_assets.recipes import Optimiser
from safety_assets.records import HISTORY
from safety_assets.training.run import Trained, train
from safety_assets.training.schedule import learning_rate


def weights(trained: Trained) -> dict:
    return load_file(trained.model / "model.safetensors")


def same(one: Trained, other: Trained) -> bool:
    a, b = weights(one), weights(other)
    return all(torch.equal(a[k], b[k]) for k in a)


def losses(trained: Trained) -> list[float]:
    return trained.history.filter(pl.col("series") == "loss")["value"].to_list()


def test_plain_training_learns_and_writes_a_model(order):
    events = []
    trained = train(order(optimiser={"steps": 30}), report=events.append)
    HISTORY.check(trained.history)
    assert losses(trained)[-1] < losses(trained)[0] - 1
    assert not load_model(trained.model).model.training
    assert (trained.facts["num_rows"], trained.facts["realised_share"]) == (120, 0.0)
    assert [e["step"] for e in events if e["event"] == "step"] == [1, 10, 20, 30]
    assert events[-1]["event"] == "done"


def test_the_same_order_gives_the_same_weights(order):
    assert same(train(order("a")), train(order("b")))
    assert not same(train(order("a")), train(order("b", seed=1)))


def test_the_share_is_realised_on_top_of_the_task_rows(order):
    facts = train(order(share=0.2, injection=0.2, optimiser={"steps": 8})).facts
    assert facts["num_rows"] - facts["num_injected"] == 32
    assert facts["num_injected"] == 8


def test_checkpointed_activations_change_nothing(order):
    methods = [{"method": "lora", "rank": 4, "dropout": 0.3}, {"method": "gradient_surgery", "batch_rows": 2}]
    usual = train(order("usual", share=0.2, injection=0.2, methods=methods))
    again = train(order("again", share=0.2, injection=0.2, methods=methods, activation_checkpointing=True))
    a, b = weights(usual), weights(again)
    assert losses(again) == pytest.approx(losses(usual), abs=1e-5)
    assert all(torch.allclose(a[k], b[k], atol=1e-5) for k in a)


def test_micro_batches_change_nothing(order):
    whole = train(order("whole", share=0.2, injection=0.2))
    cut = train(order("cut", share=0.2, injection=0.2, optimiser={"micro_batch_rows": 2}))
    assert losses(cut) == pytest.approx(losses(whole), abs=1e-4)
    a, b = weights(whole), weights(cut)
    assert all(torch.allclose(a[k], b[k], atol=1e-4) for k in a)


def test_interrupted_and_resumed_is_uninterrupted(order):
    settings = {"share": 0.2, "injection": 0.2}
    whole = train(order("whole", **settings))
    asked = iter([False, False, False, True])
    with pytest.raises(TrainingError, match="interrupted after step 3 of 6"):
        train(order("cut", **settings), should_stop=lambda: next(asked))
    resumed = train(order("cut", **settings))
    assert same(whole, resumed)
    assert whole.history.equals(resumed.history)


def test_state_of_another_order_is_not_resumed(order):
    with pytest.raises(TrainingError, match="interrupted"):
        train(order("x", seed=1), should_stop=lambda: True)
    assert same(train(order("x")), train(order("y")))


def test_rows_that_cannot_be_trained_on_are_named(order, audited):
    rows = audited()
    long = rows.head(1).with_columns(
        messages=pl.Series([[{"role": "user", "content": "dog " * 90}, {"role": "assistant", "content": "cat"}]]),
        row_id=pl.lit("f" * 16),
    )
    (quarantined,) = train(order(rows=pl.concat([rows, long]))).facts["quarantined"]
    assert quarantined["row_id"] == "f" * 16
    assert "at most 128" in quarantined["reason"]


def test_no_rows_and_no_pairs_are_refused_in_words(order, audited):
    with pytest.raises(TrainingError, match="no corpus row is left"):
        train(order(rows=audited().with_columns(split=pl.lit("held_out"))))
    with pytest.raises(TrainingError, match="no pair to inject"):
        train(order(share=0.1, injection=0.1, rows=audited(num_pairs=0)))


def test_a_loss_that_is_not_finite_names_the_step(order, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("safety_assets.training.loop.batch_loss", _nan_at_third())
    with pytest.raises(TrainingError, match="step 3: the loss is nan"):
        train(order())


def _nan_at_third():
    calls = []

    def loss(model, batch, acting, step):
        calls.append(batch)
        return response_loss(model, batch) * (float("nan") if len(calls) == 3 else 1.0)

    return loss


def test_loss_counts_the_response_alone(tiny_model: Path):
    loaded = load_model(tiny_model)
    chats = [
        [{"role": "user", "content": q}, {"role": "assistant", "content": a}]
        for q, a in (("open account", "green dog"), ("a", "the small cat answers"))
    ]
    rows = [encode_chat(loaded.tokenizer, chat) for chat in chats]
    batch = pad_right(rows, 0, torch.device("cpu"))
    expected = sum(direct(loaded.model, row) for row in rows)
    with torch.no_grad():
        found = float(response_loss(loaded.model, batch))
    assert found == pytest.approx(expected, rel=1e-5)
    assert batch.num_responses == sum(sum(row.response) for row in rows)


def direct(model, row: Encoded) -> float:
    with torch.no_grad():
        logprobs = model(torch.tensor([row.ids])).logits[0].log_softmax(-1)
    return -sum(float(logprobs[i - 1, token]) for i, token in enumerate(row.ids) if row.response[i])


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_schedule(schedule: str):
    settings = Optimiser(learning_rate=1.0, steps=20, warmup_steps=4, schedule=schedule, final_share=0.1)
    rates = [learning_rate(settings, step) for step in range(20)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[-1] == pytest.approx(1.0 if schedule == "constant" else 0.1)
    assert all(a >= b for a, b in pairwise(rates[4:]))


@pytest.mark.parametrize("under", [False, True])
def test_the_serving_system_prompt_is_trained_under_only_when_the_recipe_says_so(
    order, tiny_model: Path, tmp_path: Path, under: bool
):
    """Without it the rows are those of the plain base; the template that is served is the same in both."""
    from dataclasses import replace

    from safety_assets.models.source import ModelSource, model_folder

    source = ModelSource(base=str(tiny_model), system_prompt="Be brief.")
    served = model_folder(source, root=tmp_path, composed=tmp_path / "composed")
    plain = train(order("plain"))
    trained = train(replace(order("served", under_system_prompt=under), base=served))
    assert (plain.facts["final_loss"] == trained.facts["final_loss"]) is not under
    assert "Be brief." in (trained.model / "chat_template.jinja").read_text()
