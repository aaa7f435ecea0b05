"""Safety recovery: learn to refuse behind the beginning of an answer that did not.

Idea: between prompt and refusal of a pair stand the first k tokens of a harmful answer, which are read and not learned;
the refusal is. So alignment reaches deeper than an answer's first tokens.
Paper: Qi et al., Safety Alignment Should Be Made More Than Just a Few Tokens Deep, arXiv 2406.05946, section 3 (the
companion of `constrained_tokens`).
Moments: setup (the rows), edit_gradients.
Cost: one forward and backward pass on `batch_rows` rows every `every` steps.
Fails: a model may learn to break off answers that are fine; look-alikes and anchors among the injected pairs stand
against that.
Deviation: no harmful answer is written anywhere, so k tokens of a marked placeholder stand for one: form without
content, at most as long as that placeholder, where the authors take up to 100 tokens of real ones. k is drawn once for
each row. The authors' batches of harmless rows are the recipe's injected pairs. Neutral value: strength 0.
"""

from collections.abc import Sequence

import numpy as np

from safety_assets.errors import TrainingError
from safety_assets.method_specs import SafetyRecovery
from safety_assets.methods import gradients
from safety_assets.methods.moments import Context, Method, Passes
from safety_assets.methods.turns import Turns
from safety_assets.models.batch import Batch, pad_right, response_loss
from safety_assets.models.chat import Encoded
from safety_assets.models.rows import Row


def behind(refusal: Row, harmful: Row, count: int) -> Encoded:
    """The refusal behind the first `count` tokens of the other answer to its prompt; only the refusal is learned.

    Args:
        refusal, harmful: rows of one prompt; what is said is their last answer.
        count: tokens, at most all but the last, which ends the answer.
    """
    start, end = _last_answer(refusal)
    first, last = _last_answer(harmful)
    prefix = harmful.ids[first:last].tolist()[:-1][:count]
    ids = [*refusal.ids[:start].tolist(), *prefix, *refusal.ids[start:end].tolist()]
    said = [False] * (start + len(prefix)) + [True] * (end - start)
    return Encoded(ids, said)


def draw_lengths(longest: Sequence[int], share: float, rng: np.random.Generator) -> list[int]:
    """How many tokens stand before each refusal: with probability `share` uniform over 1 to its longest, else none."""
    drawn = rng.random(len(longest)) < share
    counts = [int(rng.integers(1, max(1, most) + 1)) for most in longest]
    return [count if own else 0 for own, count in zip(drawn, counts, strict=True)]


def _last_answer(row: Row) -> tuple[int, int]:
    end = row.response.rindex(1) + 1
    return row.response.rfind(0, 0, end) + 1, end


class Recovery(Method):
    """Refusals behind the beginning of a placeholder.

    Args:
        spec: strength, share of rows with a beginning, and turns.
    """

    def __init__(self, spec: SafetyRecovery) -> None:
        self._spec = spec
        self._turns: Turns | None = None
        self._batches: list[Batch] = []

    def setup(self, context: Context) -> None:
        """Put the rows together, once."""
        spec = self._spec
        if not spec.strength:
            return
        self._turns = Turns(
            context, ("refusal",), batch_rows=spec.batch_rows, every=spec.every, method="safety_recovery"
        )
        rows = self._rows(context)
        self._batches = [_of(rows, batch) for batch in self._turns.batches]

    def _rows(self, context: Context) -> dict[int, Encoded]:
        harmful = {row.row_id: row for row in context.rows if row.origin == "harmful"}
        places = [i for i, row in enumerate(context.rows) if row.origin == "refusal"]
        missing = [context.rows[i].row_id for i in places if context.rows[i].row_id not in harmful]
        if missing:
            raise TrainingError(
                f"safety_recovery has no placeholder for {len(missing)} refusals, the first {missing[0]}",
                expected="a placeholder within max_tokens for each", do="raise max_tokens in the recipe",
            )  # fmt: skip
        longest = [sum(harmful[context.rows[i].row_id].response) - 1 for i in places]
        counts = draw_lengths(longest, self._spec.share, context.rng)
        rows = {i: context.rows[i] for i in places}
        return {
            i: behind(row, harmful[row.row_id], count) for (i, row), count in zip(rows.items(), counts, strict=True)
        }

    def edit_gradients(self, context: Context, step: int) -> None:
        """Add strength * the gradient of the refusals' mean cross-entropy."""
        which = None if self._turns is None else self._turns.at(step)
        if which is not None:
            own = context.compute_gradient(
                lambda model, batch: response_loss(model, batch) / max(1, batch.num_responses), self._batches[which],
                None,
            )  # fmt: skip
            gradients.add(context.parameters(), own, self._spec.strength * context.safety_weight())

    def passes(self, step: int) -> Passes:
        """One batch forward and back at every turn."""
        acts = int(self._spec.strength > 0 and (step + 1) % self._spec.every == 0)
        return Passes(forward=acts, backward=acts)


def _of(rows: dict[int, Encoded], batch: Batch) -> Batch:
    """The same rows as they were put together; a rank that has none keeps the one without response."""
    own = [rows[place] for place in batch.places]
    return pad_right(own, 0, batch.ids.device) if own else batch
