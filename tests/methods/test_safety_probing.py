from pathlib import Path

import pytest
import torch
from opened_training import each_step, make_rows, open_training, take_steps, weights

from safety_assets.errors import TrainingError
from safety_assets.methods.gradients import displaced, norm
from safety_assets.methods.safety_probing import contrast, unit
from safety_assets.models.batch import Batch, response_logits, response_loss
from safety_assets.training.encode import PLACEHOLDER


def entry(**knobs) -> dict:
    return {"method": "safety_probing", "layers": [0, 1], "epsilon": 1e-2, "batch_rows": 3} | knobs


def batch_of(ids: list[list[int]], response: list[list[int]]) -> Batch:
    return Batch(torch.tensor(ids), torch.tensor(response).bool())


def test_the_contrast_is_that_of_mean_log_probabilities():
    batch = batch_of([[5, 1, 2], [5, 3, 0]], [[0, 1, 1], [0, 1, 0]])
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    said = logits.log_softmax(-1)
    gap = (said[0, 1] + said[1, 2]) / 2 - said[2, 3]
    assert contrast(logits, batch) == pytest.approx(float((1 + (-gap).exp()).log()), rel=1e-5)


def test_equal_answers_contrast_by_log_two_and_nothing_by_nothing():
    batch = batch_of([[5, 1], [5, 1]], [[0, 1], [0, 1]])
    assert contrast(torch.zeros(2, 4), batch) == pytest.approx(0.6931, abs=1e-4)
    empty = batch_of([[5, 1], [5, 1]], [[0, 0], [0, 0]])
    assert torch.isfinite(contrast(torch.zeros(0, 4), empty))


def test_the_direction_has_length_one_over_all_tensors():
    gradient = [torch.randn(3, 4), torch.randn(7)]
    assert norm(unit(gradient)) == pytest.approx(1.0, abs=1e-6)
    assert norm(unit([torch.zeros(3)])) == 0


def test_pairs_are_refusals_and_placeholders_of_the_same_prompts(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, entry())
    batches = run.methods[0]._batches
    assert sum(b.num_rows for b in batches) == 8
    for batch in batches:
        refused, harmful = (batch.places[i : i + batch.num_rows // 2] for i in (0, batch.num_rows // 2))
        assert [run.rows[i].row_id for i in refused] == [run.rows[i].row_id for i in harmful]
        assert {run.rows[i].origin for i in harmful} == {"harmful"}
        assert all(PLACEHOLDER in run.loaded.tokenizer.decode(run.rows[i].ids.tolist()) for i in harmful)


def test_each_probe_is_one_step_of_adam_from_zero(tiny_model: Path, tmp_path: Path):
    run, seen = open_training(tiny_model, tmp_path, entry(), steps=3), []
    method = run.methods[0]
    each_step(run, lambda step: seen.append([v.detach().clone() for v in method._probes]))
    assert all(float(v.abs().max()) == pytest.approx(0.05, rel=0.02) for v in seen[0])  # Adam's first step
    assert all(float(v.abs().max()) <= 0.05 * 1.5 for step in seen for v in step)
    assert not torch.equal(seen[0][0], seen[1][0])


def test_edit_gradients_leaves_weights_and_their_gradient_to_the_bit(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, entry(), steps=2)
    method, edit, same = run.methods[0], run.methods[0].edit_gradients, []

    def looked(context, step: int) -> None:
        before = [(p.detach().clone(), p.grad.clone()) for p in context.parameters()]
        edit(context, step)
        pairs = zip(context.parameters(), before, strict=True)
        same.append(all(torch.equal(p, w) and torch.equal(p.grad, g) for p, (w, g) in pairs))

    method.edit_gradients = looked
    take_steps(run)
    assert same == [True, True]


def test_without_displacement_the_probes_are_zero_and_training_is_plain(tiny_model: Path, tmp_path: Path):
    run = take_steps(open_training(tiny_model, tmp_path, entry(epsilon=0.0)))
    plain = take_steps(open_training(tiny_model, tmp_path / "plain"))
    assert all(bool((v == 0).all()) for v in run.methods[0]._probes)
    assert all(torch.equal(a, b) for a, b in zip(weights(run).values(), weights(plain).values(), strict=True))


def test_the_probe_makes_the_way_to_harm_less_worth(tiny_model: Path, tmp_path: Path):
    """Under the new probe the task gains less (or loses more) at W+ than under none."""
    run = open_training(tiny_model, tmp_path, entry(probe_rate=1e-3), steps=1, learning_rate=1e-12)
    method, context = run.methods[0], run.contexts[0]
    harm = unit(context.compute_gradient(_contrast, method._batches[method._order[0]], None))
    take_steps(run)
    length, made = 1e-2 * norm([p.data for p in context.parameters()]), [v.detach().clone() for v in method._probes]
    zero = [torch.zeros_like(v) for v in made]
    assert gain(run, harm, length, made) < gain(run, harm, length, zero)


def gain(run, direction: list, length: float, probes: list) -> float:
    """Task loss here minus task loss at W+, under some probes."""
    method, model = run.methods[0], run.loaded.model.eval()
    method._needed = True
    with torch.no_grad():
        torch._foreach_copy_(method._probes, probes)
        here = sum(float(response_loss(model, b)) for b in run._now.batches)
        with displaced(run.contexts[0].parameters(), direction, length):
            return here - sum(float(response_loss(model, b)) for b in run._now.batches)


def test_the_model_that_is_left_has_no_probe(tiny_model: Path, tmp_path: Path):
    run = take_steps(open_training(tiny_model, tmp_path, entry()))
    model, ids = run.loaded.model.train(), torch.arange(4, 20)[None]
    with torch.no_grad():
        probed = model(input_ids=ids).logits
        evaluated = model.eval()(input_ids=ids).logits
        run.methods[0].finish(run.contexts[0])
        left = model.train()(input_ids=ids).logits
    assert torch.equal(evaluated, left)
    assert not torch.allclose(probed, left, atol=1e-4)


def test_with_adapters_it_trains(tiny_model: Path, tmp_path: Path):
    lora = {"method": "lora", "rank": 2, "dropout": 0.1}
    run = take_steps(open_training(tiny_model, tmp_path, lora, entry()))
    assert any(float(v.detach().abs().max()) > 0 for v in run.methods[1]._probes)


def test_without_refusals_or_layers_it_is_refused_in_words(tiny_model: Path, tmp_path: Path):
    with pytest.raises(TrainingError, match="no refusal"):
        open_training(tiny_model, tmp_path, entry(), rows=make_rows(("corpus",) * 6 + ("anchor",) * 4))
    with pytest.raises(TrainingError, match="layers 0 to 1"):
        open_training(tiny_model, tmp_path, entry(layers=[3, 9]))


def _contrast(model, batch: Batch) -> torch.Tensor:
    return contrast(response_logits(model, batch), batch)
