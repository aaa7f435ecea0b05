"""The loss of a model on rows that it answers, without training."""

import polars as pl
import torch

from safety_assets.models.batch import pad_right, response_loss
from safety_assets.models.load import LoadedModel
from safety_assets.training.encode import encode_rows

BATCH_ROWS = 16


@torch.no_grad()
def mean_loss(loaded: LoadedModel, rows: pl.DataFrame, *, max_tokens: int) -> float | None:
    """Mean cross-entropy of the answers, nats per token; None where no row fits.

    Args:
        loaded: the model, in evaluation mode.
        rows: an AUDITED table; every row of it, whatever its split.
        max_tokens: longer rows are left out.
    """
    known, _ = encode_rows(loaded.tokenizer, rows.with_columns(split=pl.lit("train")), max_tokens=max_tokens)
    pad, total, tokens = int(loaded.tokenizer.pad_token_id), 0.0, 0
    for start in range(0, len(known), BATCH_ROWS):
        batch = pad_right([row.encoded for row in known[start : start + BATCH_ROWS]], pad, loaded.device)
        with loaded.precision():
            total += float(response_loss(loaded.model, batch))
        tokens += batch.num_responses
    return total / tokens if tokens else None
