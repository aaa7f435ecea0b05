"""What the base says at the response tokens of the training rows: read once before training, or again when asked.

A table over all response tokens, row behind row in the order of their places, on the host. Where it would be larger
than a bound nothing is kept, and each batch is read when it comes: one reference pass a batch.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from safety_assets.methods.moments import Context
from safety_assets.models.batch import Batch
from safety_assets.models.rows import Row

KEPT_BYTES = 512 * 2**20
"""Host memory that one table may take."""

BATCH_TOKENS = 2048
"""Tokens, padding included, that are read together; a longer row is read alone."""

Read = Callable[[Batch], tuple[Tensor, ...]]
"""A batch to tensors with one entry for each of its response tokens.  # (responses, ...) each"""


class Kept:
    """Values for every response token of the rows that are trained on.

    Args:
        context: gives the rows.
        read: what is kept; asked while the model still has the base's weights, on every rank of all rows.
        bound: bytes above which nothing is kept.

    Attributes:
        tables: what is kept of all rows, on the host; None where nothing is.
    """

    def __init__(self, context: Context, read: Read, *, bound: int = KEPT_BYTES) -> None:
        self._read = read
        trained = [place for place, row in enumerate(context.rows) if row.origin != "harmful"]
        self._starts, total = dict[int, int](), 0
        for place in trained:
            self._starts[place] = total
            total += context.rows[place].num_responses
        self._ends = {place: start + context.rows[place].num_responses for place, start in self._starts.items()}
        self.tables = self._filled(context, trained, total, bound)

    @property
    def is_table(self) -> bool:
        """Whether everything is kept, and no batch costs a pass."""
        return self.tables is not None

    def of(self, batch: Batch) -> tuple[Tensor, ...]:
        """The values of a batch of training rows, in the order of its targets, on its device."""
        if self.tables is None:
            return self._read(batch)
        wanted = [slice(self._starts[place], self._ends[place]) for place in batch.places]
        device = batch.ids.device
        return tuple(torch.cat([t[own] for own in wanted] or [t[:0]]).to(device) for t in self.tables)

    def _filled(self, context: Context, places: Sequence[int], total: int, bound: int) -> list[Tensor] | None:
        tables: list[Tensor] = []
        for some in together(context.rows, places):
            batch = context.whole_batch(some)
            values = [value.detach().cpu() for value in self._read(batch)]
            if not tables:
                tables = [torch.empty(total, *value.shape[1:], dtype=value.dtype) for value in values]
                if sum(table.nbytes for table in tables) > bound:
                    return None
            counts = [context.rows[place].num_responses for place in some]
            for table, value in zip(tables, values, strict=True):
                for place, own in zip(some, value.split(counts), strict=True):
                    table[self._starts[place] : self._ends[place]] = own
        return tables


def together(rows: Sequence[Row], places: Sequence[int]) -> Iterator[list[int]]:
    """Places in groups of rows of about one length, of BATCH_TOKENS padded tokens at most."""
    group: list[int] = []
    for place in sorted(places, key=lambda place: rows[place].num_tokens):
        if group and rows[place].num_tokens * (len(group) + 1) > BATCH_TOKENS:
            yield group
            group = []
        group.append(place)
    if group:
        yield group
