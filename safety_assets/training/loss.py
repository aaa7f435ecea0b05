"""The loss of one micro-batch as the methods shape it."""

from collections.abc import Sequence

from torch import Tensor, nn

from safety_assets.methods.moments import Context, Method
from safety_assets.models.batch import Batch, response_logits, weighted_loss

Acting = Sequence[tuple[Method, Context]]


def batch_loss(model: nn.Module, batch: Batch, acting: Acting, step: int) -> Tensor:
    """Sum over the batch's response tokens: cross-entropy times the weights, plus what the methods add; a scalar."""
    logits = response_logits(model, batch)
    loss = weighted_loss(logits, batch, _token_weights(batch, logits.detach(), acting, step))
    for method, context in acting:
        extra = method.add_loss(context, batch, logits, step)
        loss = loss if extra is None else loss + extra
    return loss


def _token_weights(batch: Batch, logits: Tensor, acting: Acting, step: int) -> Tensor | None:
    product: Tensor | None = None
    for method, context in acting:
        own = method.weigh_tokens(context, batch, logits, step)
        if own is not None:
            product = own if product is None else product * own
    return product
