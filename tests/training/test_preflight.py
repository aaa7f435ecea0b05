from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from safety_assets.errors import TrainingError
from safety_assets.models.ranks import ALONE
from safety_assets.training import preflight
from safety_assets.training.batches import step_rows
from safety_assets.training.measure import measure_steps
from safety_assets.training.opened import open_run
from safety_assets.training.run import train

LORA = {"method": "lora", "rank": 4, "dropout": 0.3}


def test_a_preflight_changes_no_bit_of_the_run(order, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = train(order("with", methods=[LORA]))
    monkeypatch.setattr("safety_assets.training.opened.Run.preflight", lambda run, report: None)
    without = train(order("without", methods=[LORA]))
    one, other = (load_file(t.model / "model.safetensors") for t in (with_it, without))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_it_says_what_the_heaviest_pass_took(order) -> None:
    events: list[dict] = []
    train(order(optimiser={"micro_batch_rows": 2}), report=events.append)
    (said,) = [e for e in events if e["event"] == "preflight"]
    assert said["rows"] <= 2
    assert said["tokens"] > 0
    assert said["peak_bytes"] > 1e6


def test_advice_names_what_is_not_done_yet(order) -> None:
    recipe = order(optimiser={"micro_batch_rows": 2}).recipe
    assert preflight.advice(recipe).startswith("set micro_batch_rows: 1, or add `- {method: lora")
    small = order(optimiser={"micro_batch_rows": 1}, methods=[LORA], activation_checkpointing=True).recipe
    assert preflight.advice(small).startswith("lower max_tokens")


def test_the_heaviest_pass_is_the_one_with_the_most_tokens(order) -> None:
    run, _ = open_run(order(optimiser={"micro_batch_rows": 3}), ALONE)
    piece, tokens = preflight.heaviest_pass(run.mix, run.settings, run.ranks)
    all_passes = [
        p for step in range(6) for p in preflight.passes(step_rows(run.mix, step), run.mix, run.settings, ALONE)
    ]
    assert tokens == max(len(p) * max(run.mix.lengths[i] for i in p) for p in all_passes)
    assert piece in all_passes


def test_weights_that_cannot_fit_are_refused_before_they_are_loaded(order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "free_memory", lambda device: 1000)
    monkeypatch.setattr("safety_assets.training.opened.load_model", lambda *a, **k: pytest.fail("loaded"))
    with pytest.raises(TrainingError, match=r"weights, gradients and moments.*lora") as error:
        train(order())
    assert "micro_batch_rows" not in error.value.do  # a smaller pass does not make weights smaller


def test_a_full_disk_is_refused_before_it_costs(order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "disk", lambda shape, recipe: 1 << 62)
    with pytest.raises(TrainingError, match="of disk in"):
        train(order())


def test_moments_that_will_not_fit_are_refused_before_the_first_step(order, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearse = preflight.rehearse
    monkeypatch.setattr("safety_assets.training.opened.rehearse", lambda *a: replace(rehearse(*a), free_bytes=1))
    events: list[dict] = []
    with pytest.raises(TrainingError, match="AdamW adds"):
        train(order(), report=events.append)
    assert not [e for e in events if e["event"] == "step"]


def test_memory_that_ends_in_the_pass_ends_in_words(order, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_out(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(preflight, "response_loss", run_out)
    with pytest.raises(TrainingError, match="memory ended in a pass of"):
        train(order())


def test_other_errors_of_the_pass_are_not_called_memory(order, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(preflight, "response_loss", break_down)
    with pytest.raises(RuntimeError, match="shapes"):
        train(order())


def test_measuring_times_steps_and_keeps_nothing(order) -> None:
    wanted = order(optimiser={"steps": 40})
    found = measure_steps(wanted)
    assert found.timed_steps == 3
    assert found.step_seconds > 0
    assert found.tokens_per_second > 0
    assert found.rows == 42
    assert not wanted.out.exists()
    assert not list(wanted.work.glob("*")) if wanted.work.exists() else True


def test_a_method_that_acts_rarely_is_timed_over_a_whole_turn(order) -> None:
    surgery = {"method": "gradient_surgery", "every": 5, "batch_rows": 2}
    found = measure_steps(order(share=0.2, injection=0.2, optimiser={"steps": 40}, methods=[surgery]))
    assert found.timed_steps == 5


def test_a_run_of_one_step_can_be_measured(order) -> None:
    assert measure_steps(order(optimiser={"steps": 1})).timed_steps == 1
