"""What methods are handed: the reference, gradients, the rows, and a memory that survives an interruption."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from training_rows import make_rows

from safety_assets.errors import TrainingError
from safety_assets.methods.moments import Context, Method
from safety_assets.models.batch import Batch, response_logits
from safety_assets.models.ranks import ALONE
from safety_assets.training.loop import run_steps
from safety_assets.training.opened import Run, open_run
from safety_assets.training.run import train

LORA = {"method": "lora", "rank": 4}


def trained(order, *methods: dict, **changes) -> Run:
    run, _ = open_run(order(methods=list(methods), **changes), ALONE)
    run.progress = run_steps(run.job(None, lambda event: None, lambda: False), run.progress)
    return run


@pytest.mark.parametrize("methods", [[], [LORA]])
def test_the_reference_is_the_base_after_training_too(order, methods: list) -> None:
    surgery = {"method": "gradient_surgery", "every": 100}
    run, _ = open_run(order(share=0.2, methods=[*methods, surgery]), ALONE)
    context = run.contexts[-1]
    batch = context.batch([0, 1, 2])
    before = context.reference(batch)
    run_steps(run.job(None, lambda event: None, lambda: False), run.progress)
    after = context.reference(batch)
    assert torch.allclose(before, after, atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(before, response_logits(context.model, batch), atol=1e-2)


def test_with_adapters_the_reference_is_no_second_model(order, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(order, LORA, {"method": "gradient_surgery", "every": 100}, share=0.2)
    monkeypatch.setattr("safety_assets.training.view.load_model", None)
    run.contexts[-1].reference(run.contexts[-1].batch([0]))


class Remembering(Method):
    """Moves the weights by how often it was asked, which a step number alone would not tell after a roll-back."""

    def __init__(self) -> None:
        self.count = torch.zeros(1)

    def after_step(self, context: Context, step: int) -> None:
        self.count += 1 + self.count
        with torch.no_grad():
            context.parameters()[0].add_(1e-4 * self.count)

    def state(self) -> Mapping[str, Tensor]:
        return {"count": self.count}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.count = state["count"]


def test_what_a_method_remembers_survives_an_interruption(order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safety_assets.training.opened.build_all", lambda specs: [Method(), Remembering()])
    whole = train(order("whole"))
    asked = iter(range(100))
    with pytest.raises(TrainingError, match="interrupted"):
        train(order("cut"), should_stop=lambda: next(asked) == 3)
    resumed = train(order("cut"))
    name = "model.safetensors"
    assert (whole.model / name).read_bytes() == (resumed.model / name).read_bytes()


class Comparing(Method):
    """Keeps what the loop accumulated and what it is told the same step's gradient is."""

    def edit_gradients(self, context: Context, step: int) -> None:
        own = [p.grad for p in context.parameters()]
        again = context.task_gradient(None)
        assert all(p.grad is g for p, g in zip(context.parameters(), own, strict=True))
        self.gap = max(float((a - b).abs().max()) for a, b in zip(own, again, strict=True) if a is not None)
        self.size = max(float(a.abs().max()) for a in own if a is not None)


class Halving(Method):
    """Counts every token half, and adds a term, so that the loss is not the plain one."""

    def weigh_tokens(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor:
        return torch.full_like(logits[:, 0], 0.5)

    def add_loss(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor:
        return 0.01 * logits.square().mean(-1).sum()


@pytest.mark.parametrize("micro", [None, 2])
def test_the_task_gradient_is_that_of_the_loss_as_the_loop_takes_it(
    order, monkeypatch: pytest.MonkeyPatch, micro: int | None
) -> None:
    methods = [Halving(), Comparing()]
    monkeypatch.setattr("safety_assets.training.opened.build_all", lambda specs: methods)
    trained(order, optimiser={"micro_batch_rows": micro, "steps": 2})
    assert methods[1].gap < 1e-6 < methods[1].size


def test_a_gradient_over_several_batches_is_that_of_one_batch_of_all(order) -> None:
    run, _ = open_run(order(methods=[{"method": "gradient_surgery"}], share=0.2), ALONE)
    context = run.contexts[0]

    def objective(model: torch.nn.Module, batch: Batch) -> Tensor:
        return response_logits(model, batch).square().mean(-1).mean()

    whole = context.compute_gradient(objective, context.batch(range(6)), None)
    parts = context.compute_gradient(objective, [context.batch([0, 3]), context.batch([1, 2, 4, 5])], None)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(whole, parts, strict=True))


def test_harmful_rows_answer_the_refused_prompts_with_a_placeholder(order, tiny_tokenizer) -> None:
    from safety_assets.training.encode import PLACEHOLDER, harmful_rows

    rows = harmful_rows(tiny_tokenizer, make_rows(), max_tokens=128)
    refused = make_rows().filter(origin="refusal")["row_id"].to_list()
    assert [row.row_id for row in rows] == refused
    assert {row.origin for row in rows} == {"harmful"}
    said = bytes(rows[0].response)
    answer = tiny_tokenizer.decode([i for i, own in zip(rows[0].ids, said, strict=True) if own])
    assert PLACEHOLDER in answer
