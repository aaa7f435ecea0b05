from pathlib import Path

import pytest
import torch
from opened_training import make_rows, open_training, take_steps, weights
from pydantic import ValidationError

from safety_assets.errors import TrainingError
from safety_assets.methods import structure
from safety_assets.methods.neuron_mask import largest, part

MASK = {"method": "neuron_mask", "share": 0.25, "batch_rows": 3}


def test_a_part_is_the_difference_times_what_is_written():
    found = part(torch.tensor([1.0, 2.0, 0.0]), torch.tensor([1.0, -1.0, 4.0]), torch.tensor([9.0, 2.0, 1.0]))
    assert found.tolist() == [0.0, 6.0, 4.0]


def test_the_largest_are_chosen_over_all_layers():
    chosen = largest([torch.tensor([1.0, 9.0, 8.0]), torch.tensor([2.0, 7.0, 0.0])], 0.5)
    assert [c.tolist() for c in chosen] == [[1, 2], [1]]
    assert all(len(c) == 0 for c in largest([torch.ones(3)], 0.3))


def masked(run) -> dict[str, torch.Tensor]:
    """Name to which entries of the weight are held."""
    names = {p: name for name, p in run.loaded.model.named_parameters()}
    out = {}
    for held in run.methods[0]._held:
        mask = torch.zeros_like(held._weight, dtype=torch.bool)
        out[names[held._weight]] = mask.index_fill(held._axis, held._index, True)
    return out


def test_held_entries_stay_to_the_bit_under_decay_and_surgery(tiny_model: Path, tmp_path: Path):
    surgery = {"method": "gradient_surgery", "batch_rows": 3}
    pull = {"method": "half_space", "margin": 0.1, "reach": 10.0}
    run = open_training(tiny_model, tmp_path, MASK, surgery, pull, weight_decay=0.3, steps=5)
    before, masks = weights(run), masked(run)
    take_steps(run)
    after = weights(run)
    assert sum(int(m.sum()) for m in masks.values()) == 2 * 64 // 4 * 3 * 32  # neurons, 3 matrices, 32 wide
    for name, mask in masks.items():
        assert torch.equal(before[name][mask], after[name][mask])
        assert not bool((before[name] == after[name])[~mask].any())


def test_gradients_live_outside_the_mask_wherever_they_are_taken(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, MASK)
    masks, seen = masked(run), []

    def look(context, step: int) -> None:
        names = {p: name for name, p in run.loaded.model.named_parameters()}
        for gradient, p in zip(context.task_gradient(None), context.parameters(), strict=True):
            if names[p] in masks:
                seen.append(bool((gradient[masks[names[p]]] == 0).all() and (p.grad[masks[names[p]]] == 0).all()))

    run.methods[0].edit_gradients = look
    take_steps(run)
    assert len(seen) == 4 * 6
    assert all(seen)


def test_the_chosen_neurons_are_those_that_refusals_excite(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, MASK | {"share": 1 / 128})
    method, context = run.methods[0], run.contexts[0]
    layers = [structure.neurons(layer) for layer in structure.layers(run.loaded.model)]
    means = [method._mean(context, layers, origin) for origin in ("refusal", "lookalike")]
    parts = [part(a, b, n.outgoing()) for a, b, n in zip(*means, layers, strict=True)]
    best = int(torch.cat(parts).argmax())
    down = masked(run)[f"model.layers.{best // 64}.mlp.down_proj.weight"]
    assert down.any(0).nonzero().flatten().tolist() == [best % 64]


def test_activations_are_those_where_answers_are_predicted(tiny_model: Path, tmp_path: Path):
    run = open_training(tiny_model, tmp_path, MASK)
    model, context = run.loaded.model.eval(), run.contexts[0]
    layers = [structure.neurons(layer) for layer in structure.layers(model)]
    found = run.methods[0]._mean(context, layers, "refusal")[0]
    seen = []
    hook = layers[0].down.register_forward_pre_hook(lambda m, inputs: seen.append(inputs[0][0]))
    for row in (r for r in run.rows if r.origin == "refusal"):
        model(input_ids=torch.tensor([row.ids.tolist()]))
        seen[-1] = seen[-1][:-1][torch.tensor(list(row.response[1:])).bool()]
    hook.remove()
    assert torch.allclose(found, torch.cat(seen).mean(0), atol=1e-5)


def test_with_adapters_a_recipe_is_refused(tiny_model: Path, tmp_path: Path):
    with pytest.raises(ValidationError, match="neuron_mask and lora cannot act together"):
        open_training(tiny_model, tmp_path, MASK, {"method": "lora"})


def test_without_look_alikes_it_is_refused_in_words(tiny_model: Path, tmp_path: Path):
    with pytest.raises(TrainingError, match="no row of lookalike"):
        open_training(tiny_model, tmp_path, MASK, rows=make_rows(("corpus",) * 6 + ("refusal",) * 4))
