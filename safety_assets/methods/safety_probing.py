"""SAP: train beside probes that make it useless for the task to move towards harm.

Idea: a probe v is a vector added to the MLP output of a layer. g is the unit gradient of a contrastive loss that falls
as refusals become likelier than harmful answers; W+ = W + epsilon |W| g stands a little towards harm. v is moved, from
0, down the gradient of L(W, v) - L(W+, v): under it the task gains nothing at W+, so the task gradient at W stops
pointing there. The v of a step is that of the step before.
Paper: Wu et al., Mitigating Fine-tuning Risks in LLMs via Safety-Aware Probing Optimization, arXiv 2505.16737; order
and constants as in ChengcanWu/SAP.
Moments: setup (pairs, probes), edit_gradients (the next v; the weights' gradient is left alone), finish (takes the
probes out), state (v and its Adam moments).
Cost: per step the task batch forward and back twice more, at W and at W+, and one contrastive batch of twice
`batch_rows` rows: 3 + 2 * batch_rows / task rows steps in all.
Fails: the harmful answers are one marked placeholder, so the direction is away from words that stand for help with
harm, not from harm itself.
Deviation: log-probabilities are means over an answer's tokens, where the paper sums them: the placeholder's length says
nothing, and of sums the shorter answer can win by so much that the contrastive gradient is 0. The released loop takes
the gradient at W from the training pass, where dropout is on, and that at W+ from another, where its mask differs: of a
displacement this small the difference is noise, so both are taken here with dropout off, for one pass more. It never
takes the probes out of the saved model; here they go, and the watch probes and other methods' gradients see the model
without them. The task gradient that is compared is of this step's own batches.
Neutral value: a probe_rate of 0; an epsilon of 0 gives zero probes too.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from safety_assets.errors import TrainingError
from safety_assets.methods import structure
from safety_assets.methods.gradients import displaced, norm
from safety_assets.methods.moments import Context, Method, Passes, demand_alone
from safety_assets.methods.turns import epochs
from safety_assets.models.batch import Batch, response_logits
from safety_assets.shaping_specs import SafetyProbing as Spec


def contrast(logits: Tensor, batch: Batch) -> Tensor:
    """Mean of -log sigmoid(log p(refusal) - log p(harmful answer)), each per token; 0 without pairs.

    Args:
        logits: that predict the batch's targets.  # (responses, vocab)
        batch: refusals in the first half of its rows, the harmful answers to the same prompts in the second.
    """
    said = -functional.cross_entropy(logits, batch.targets, reduction="none")  # (responses,)
    rows = torch.arange(batch.num_rows, device=said.device).repeat_interleave(batch.responses_per_row)
    means = said.new_zeros(batch.num_rows).index_add(0, rows, said) / batch.responses_per_row.clamp(min=1)
    refused, harmful = means.chunk(2)
    return -functional.logsigmoid(refused - harmful).sum() / max(1, len(refused))


def unit(gradient: Sequence[Tensor]) -> list[Tensor]:
    """Of length 1 over all tensors together; zero where it is zero."""
    length = norm(gradient)
    return list(torch._foreach_mul(list(gradient), 1 / length if length else 0.0))


class SafetyProbing(Method):
    """Probes on the MLP outputs of some layers while the task is learnt.

    Args:
        spec: layers, epsilon, probe_rate, rows of a contrastive batch.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec, self._needed = spec, False

    def setup(self, context: Context) -> None:
        """Pair refusals with harmful answers and hang a zero probe on each layer."""
        spec = self._spec
        demand_alone(context, "safety_probing", "the rows of a pair must be in one batch")
        layers = structure.layers(context.model)
        if max(spec.layers) >= len(layers) or min(spec.layers) < 0:
            raise TrainingError(
                f"safety_probing names layers {', '.join(map(str, spec.layers))}",
                expected=f"layers 0 to {len(layers) - 1}", do="correct layers in the recipe",
            )  # fmt: skip
        self._batches = _contrastive(context, spec.batch_rows)
        self._order = epochs(context.rng, len(self._batches), context.steps)
        mlps = [structure.blocks(layers[i])[1] for i in spec.layers]
        weight = next(context.model.parameters())
        width = context.model.get_input_embeddings().embedding_dim  # type: ignore[operator]
        self._probes = [torch.zeros(width, device=weight.device, requires_grad=True) for _ in mlps]
        self._adam = torch.optim.Adam(self._probes, lr=spec.probe_rate)
        self._hooks = [m.register_forward_hook(partial(self._add, v)) for m, v in zip(mlps, self._probes, strict=True)]

    def _add(self, probe: Tensor, mlp: nn.Module, inputs: object, output: Tensor) -> Tensor:
        """The probe acts in training, and where its own gradient is taken."""
        if self._needed:
            return output + probe.to(output.dtype)
        return output + probe.detach().to(output.dtype) if mlp.training else output

    def edit_gradients(self, context: Context, step: int) -> None:
        """Make the probes of the next step."""
        harm = unit(context.compute_gradient(_contrast, self._batches[self._order[step]], None))
        parameters = context.parameters()
        here = self._gradient(context)
        with displaced(parameters, harm, self._spec.epsilon * norm([p.data for p in parameters])):
            there = self._gradient(context)
        for probe, one, other in zip(self._probes, here, there, strict=True):
            probe.grad = one - other
        context.log("probing/gradient", norm([one - other for one, other in zip(here, there, strict=True)]))
        with torch.no_grad():
            torch._foreach_zero_(self._probes)
        self._adam.step()
        self._adam.zero_grad()

    def _gradient(self, context: Context) -> list[Tensor]:
        self._needed = True
        try:
            return context.task_gradient(self._probes)
        finally:
            self._needed = False

    def finish(self, context: Context) -> None:
        """Take the probes out."""
        for hook in self._hooks:
            hook.remove()

    def state(self) -> Mapping[str, Tensor]:
        """The probes of the next step and the moments they are made from."""
        own = {f"probe/{i}": v.detach() for i, v in enumerate(self._probes)}
        moments = {f"{k}/{i}": t for i, v in enumerate(self._probes) for k, t in self._adam.state[v].items()}
        return own | moments

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take probes and moments back."""
        self._adam.state.clear()
        for i, probe in enumerate(self._probes):
            own = {name.rsplit("/", 1)[0]: t for name, t in state.items() if name.rsplit("/", 1)[1] == str(i)}
            with torch.no_grad():
                probe.copy_(own.pop("probe"))
            if own:
                self._adam.state[probe] = {k: t if k == "step" else t.to(probe.device) for k, t in own.items()}

    def passes(self, step: int) -> Passes:
        """The task batch twice, a contrastive batch once."""
        return Passes(forward=3, backward=3)


def _contrast(model: nn.Module, batch: Batch) -> Tensor:
    return contrast(response_logits(model, batch), batch)


def _contrastive(context: Context, size: int) -> list[Batch]:
    """Fixed batches of pairs: refusals first, then the harmful answers to the same prompts."""
    refused = {row.row_id: i for i, row in enumerate(context.rows) if row.origin == "refusal"}
    harmful = {row.row_id: i for i, row in enumerate(context.rows) if row.origin == "harmful"}
    shared = [key for key in refused if key in harmful]
    if not shared:
        raise TrainingError(
            "safety_probing has no refusal whose harmful answer fits into a row", expected="refusal rows in "
            "audited_corpus", do="add refusal pairs, raise max_tokens, or take safety_probing out of the recipe",
        )  # fmt: skip
    order = [shared[i] for i in context.rng.permutation(len(shared))]
    parts = [order[i : i + size] for i in range(0, len(order), size)]
    return [context.batch([refused[k] for k in part] + [harmful[k] for k in part]) for part in parts]
