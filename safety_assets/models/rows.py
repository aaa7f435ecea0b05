"""One training row as token ids, in few bytes, since all rows stay in memory."""

from array import array
from dataclasses import dataclass

from safety_assets.models.chat import Encoded


@dataclass(frozen=True)
class Row:
    """One row of the training split as token ids, in five bytes a token, six where marks are wanted.

    Args:
        row_id: content hash of the row.
        origin: corpus, refusal, lookalike or anchor; harmful for a placeholder.
        ids: token ids.
        response: 1 for tokens that the assistant said, 0 for others.
        weight: what each of its response tokens counts in the loss.
        marks: bits of models.marks for every token; empty when none is marked.
    """

    row_id: str
    origin: str
    ids: "array[int]"
    response: bytes
    weight: float
    marks: bytes = b""

    @property
    def num_tokens(self) -> int:
        return len(self.ids)

    @property
    def num_responses(self) -> int:
        """Response tokens that are predicted; the first token of a row never is."""
        return sum(self.response[1:])

    @property
    def encoded(self) -> Encoded:
        """The row as batches are made of it."""
        return Encoded(self.ids.tolist(), [bool(said) for said in self.response], self.weight, self.marks)
