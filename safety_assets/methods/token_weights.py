"""Weights of the tokens that refuse, hedge or protect personal data, wherever the rows do so.

Idea: where an answer refuses, its tokens count as much as the recipe says, and likewise hedges and what protects
personal data: more keeps the model refusing, less keeps it from learning refusals of the user's own rows.
Paper: none of its own; a cross-entropy weighted by token, as in Qi et al., arXiv 2406.05946, with weights from the
data instead of from the model.
Moments: weigh_tokens.
Cost: none; one byte a token of rows in memory.
Fails: sees what the audit sees, so forms of English; weights far from 1 change how hard a step pulls as a whole, since
the loss stays a mean over all tokens.
Deviation: none. Weights of several kinds on one token multiply. Neutral value: all weights 1.
"""

import torch
from torch import Tensor

from safety_assets.errors import TrainingError
from safety_assets.method_specs import TokenWeights
from safety_assets.methods.moments import Context, Method
from safety_assets.models.batch import Batch
from safety_assets.models.marks import MARKS


def weights(marks: Tensor, of: dict[str, float]) -> Tensor:
    """The product of the weights of each token's marks.

    Args:
        marks: bits of marks.MARKS, uint8.  # (responses,)
        of: kind to weight.

    Returns:
        (responses,) fp32
    """
    product = torch.ones(marks.shape, dtype=torch.float32, device=marks.device)
    for kind, weight in of.items():
        product[(marks & MARKS[kind]) > 0] *= weight
    return product


class MarkedTokens(Method):
    """Weights by what the audit saw.

    Args:
        spec: the weight of each kind.
    """

    def __init__(self, spec: TokenWeights) -> None:
        given = {"refusal": spec.refusal, "hedge": spec.hedge, "privacy": spec.privacy}
        self._of = {kind: weight for kind, weight in given.items() if weight != 1}

    def setup(self, context: Context) -> None:
        """Refuse rows of which none is marked."""
        if self._of and not any(any(row.marks) for row in context.rows):
            raise TrainingError(
                "token_weights finds no span in the training rows", expected="rows whose spans the audit recorded",
                do="materialize audited_corpus again, or take token_weights out of the recipe",
            )  # fmt: skip

    def weigh_tokens(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor | None:
        """The weights, where the batch has a mark."""
        return None if batch.marks is None or not self._of else weights(batch.target_marks, self._of)
