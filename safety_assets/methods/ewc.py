"""Elastic weight consolidation: weights that safety rows depend on are pulled back to the base's.

Idea: strength / 2 * sum F_i (w_i - w0_i)^2 is added to the loss, F the diagonal of the Fisher information of the base
on safety rows.
Paper: Kirkpatrick et al., arXiv 1612.00796, equation 3; as a protection of alignment: Unforgotten Safety, arXiv
2512.10150.
Moments: setup (Fisher information and the base's weights), edit_gradients (strength * F * (w - w0)).
Cost: before the first step one forward and backward pass for each of `rows` rows, alone; in a step no pass. Two copies
of the trainable weights.
Fails: a diagonal at one point; weights that share a task do not trade off; weaker than replay in the comparison above.
Deviation: F is the empirical Fisher information: squares of each row's own gradient at the answer that the row has, not
at answers drawn from the model; per response token (the sum over rows divided by their response tokens), so that
`strength` is in rows' tokens. With adapters only B is held: at B = 0 the gradient of A is zero, so F is too. Sharded
training is refused: rows are read before weights are cut. Neutral value: strength 0.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from safety_assets.errors import TrainingError
from safety_assets.method_specs import EWC
from safety_assets.methods import gradients
from safety_assets.methods.moments import Context, Method
from safety_assets.models.batch import response_loss


def fisher(of_rows: Iterable[Sequence[Tensor]], num_tokens: int) -> list[Tensor]:
    """Sum over rows of the squared gradients of their log-likelihood, by response token; fp32.

    Args:
        of_rows: of each row, one tensor per parameter.
        num_tokens: response tokens of all rows.
    """
    total: list[Tensor] = []
    for row in of_rows:
        squares = [gradient.float().square() for gradient in row]
        total = squares if not total else list(torch._foreach_add(total, squares))
    return list(torch._foreach_div(total, max(1, num_tokens)))


def pull(fisher: Sequence[Tensor], now: Sequence[Tensor], base: Sequence[Tensor]) -> list[Tensor]:
    """F * (w - w0): the gradient of half the quadratic form; one tensor per parameter."""
    return list(torch._foreach_mul(list(torch._foreach_sub(list(now), list(base))), list(fisher)))


class Consolidation(Method):
    """A quadratic penalty on the distance to the base, by Fisher information.

    Args:
        spec: strength, rows and origins.
    """

    def __init__(self, spec: EWC) -> None:
        self._spec = spec
        self._fisher: list[Tensor] = []
        self._base: list[Tensor] = []

    def setup(self, context: Context) -> None:
        """Read the Fisher information and keep the base's weights."""
        if not self._spec.strength:
            return
        if context.sharded:
            raise TrainingError(
                "ewc reads gradients of the base before sharded weights are on their devices",
                expected="whole weights on every device", do="set sharding: none, or use replay or kl_to_reference",
            )  # fmt: skip
        rows = self._rows(context)
        self._fisher = fisher((_gradient(context, row) for row in rows), _tokens(context, rows))
        self._base = [p.detach().clone() for p in context.parameters()]

    def _rows(self, context: Context) -> list[int]:
        found = [place for place, row in enumerate(context.rows) if row.origin in self._spec.origins]
        if not found:
            raise TrainingError(
                "ewc has no row to read the Fisher information from",
                expected=f"rows of {', '.join(self._spec.origins)} in audited_corpus",
                do="add pairs or take ewc out of the recipe",
            )
        return sorted(int(i) for i in context.rng.permutation(found)[: self._spec.rows])

    def edit_gradients(self, context: Context, step: int) -> None:
        """Add strength * F * (w - w0)."""
        if self._fisher:
            parameters = context.parameters()
            with torch.no_grad():
                own = pull(self._fisher, [p.detach() for p in parameters], self._base)
            gradients.add(parameters, own, self._spec.strength * context.safety_weight())


def _gradient(context: Context, place: int) -> list[Tensor]:
    """Gradient of the log-likelihood of one row's answers, a sum over its response tokens."""
    return context.compute_gradient(response_loss, context.batch([place]), None)


def _tokens(context: Context, places: Sequence[int]) -> int:
    return sum(context.rows[place].num_responses for place in places)
