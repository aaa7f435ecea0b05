"""PACT: hold the base's preference among safety tokens on the user's own rows, and lean it towards refusing.

Idea: S are the tokens that alignment made likelier or less likely in refusals, v their vector (methods/safety_tokens).
Over S alone and at temperature 2, the model is pulled to q, proportional to p max(v, 0), where p is the base's: with
the whole context, or, as far as a gate says, with the answer alone and the user's prompt left out. The gate opens where
the model spreads over more of S than the base without a prompt does, and closes behind an answer's first tokens.
Paper: Wang et al., Few Tokens, Big Leverage, arXiv 2603.07445; steps as in the authors' release.
Moments: setup (the base's logits over S, with and without the prompt), add_loss.
Cost: two passes of the base over all rows before the first step and none in a step, where 8 |S| bytes a response token
fit KEPT_BYTES; else two reference passes a batch. Once, two passes over the refusals (safety_anatomy).
Fails: fixes ratios inside S, not S's share of all mass: a model may leave S altogether. Not an anchor: at the base the
loss is above 0, it pushes (`pact/at_base` in the history). Without a pretrained ancestor there is no vector.
Deviation: boost 1; one context without the prompt per answer of a chat; the ancestor is read in the base's template.
Neutral value: strength 0.
"""

import torch
from torch import Tensor

from safety_assets.errors import TrainingError
from safety_assets.method_specs import PACT
from safety_assets.methods.kept import Kept
from safety_assets.methods.moments import Context, Method, Passes
from safety_assets.models.batch import Batch, pad_right
from safety_assets.models.chat import Encoded, answer_opening

MASS = 0.9
TEMPERATURE = 2.0
STEEPNESS = 2.0
DEPTH = 8
"""Mass that is counted, temperature, alpha of the gate, and tokens behind which it decays, e-fold by as many."""


def spread(logits: Tensor) -> Tensor:
    """Share of tokens that it takes to reach MASS, over 0 to 1; no gradient.  # (responses, |S|) to (responses,)"""
    ordered = logits.detach().softmax(-1).sort(-1, descending=True).values
    before = ordered.cumsum(-1) - ordered
    return (before < MASS).sum(-1) / logits.shape[-1]


def gate(student: Tensor, post: Tensor, depth: Tensor) -> Tensor:
    """How far the target is the base's without the prompt, 0 to 1.

    Args:
        student, post: logits over S, of the model and of the base without the prompt.  # (responses, |S|)
        depth: tokens of the answer before each.  # (responses,)
    """
    decay = torch.exp(-(depth - DEPTH).clamp(min=0) / DEPTH)
    return torch.sigmoid(STEEPNESS * (spread(student) - spread(post))) * decay


def tilted_kl(student: Tensor, target: Tensor, lean: Tensor) -> Tensor:
    """T^2 KL(q || model) with q proportional to softmax(target / T) * lean, all over S.

    Args:
        student, target: logits over S.  # (responses, |S|)
        lean: max(v, 0) over S, not all 0.  # (|S|,)

    Returns:
        (responses,), nats
    """
    tilt = (target / TEMPERATURE).log_softmax(-1) + lean.log()  # -inf where lean is 0
    wanted = tilt.log_softmax(-1)
    gap = wanted - (student / TEMPERATURE).log_softmax(-1)
    return TEMPERATURE**2 * (wanted.exp() * gap.masked_fill(lean == 0, 0.0)).sum(-1)


def without_prompt(batch: Batch, opening: list[int]) -> Batch:
    """Each answer of a batch behind the template's opening alone; its targets are those of the batch, in order."""
    answers = []
    for ids, said in zip(batch.ids.tolist(), batch.response.tolist(), strict=True):
        starts = [i for i in range(1, len(ids)) if said[i] and not said[i - 1]]
        for start in starts:
            end = next((i for i in range(start, len(ids)) if not said[i]), len(ids))
            answers.append(Encoded(opening + ids[start:end], [False] * len(opening) + [True] * (end - start)))
    return pad_right(answers or [Encoded(opening, [False] * len(opening))], 0, batch.ids.device)


class SafetyTokens(Method):
    """PACT.

    Args:
        spec: strength.
    """

    def __init__(self, spec: PACT) -> None:
        self._spec = spec
        self._kept: Kept | None = None

    def setup(self, context: Context) -> None:
        """Take the vector from the anatomy and keep what the base says over S."""
        if not self._spec.strength:
            return
        device = context.whole_batch([0]).ids.device
        vector = _vector(context)
        self._tokens = vector.nonzero().squeeze(-1).to(device)
        self._lean = vector.clamp(min=0).to(device)[self._tokens]
        opening = answer_opening(context.tokenizer)

        def read(batch: Batch) -> tuple[Tensor, Tensor]:
            post = context.reference(without_prompt(batch, opening))
            return context.reference(batch)[:, self._tokens], post[:, self._tokens]

        self._kept = Kept(context, read)
        self._log_at_base(context)

    def add_loss(self, context: Context, batch: Batch, logits: Tensor, step: int) -> Tensor | None:
        """strength * the sum of the tilted divergence over the batch's response tokens."""
        if self._kept is None:
            return None
        return self._spec.strength * context.safety_weight() * self._loss(batch, logits[:, self._tokens])

    def _loss(self, batch: Batch, student: Tensor) -> Tensor:
        assert self._kept is not None
        full, post = self._kept.of(batch)
        opened = gate(student, post, batch.depth)[:, None]
        return tilted_kl(student, (1 - opened) * full + opened * post, self._lean).sum()

    def _log_at_base(self, context: Context) -> None:
        """The loss per token at the base, over the first rows: what this method pushes by from the beginning."""
        assert self._kept is not None
        batch = context.whole_batch(range(min(8, len(context.rows))))
        loss = self._loss(batch, self._kept.of(batch)[0])
        context.log("pact/at_base", float(loss) / max(1, batch.num_responses))

    def passes(self, step: int) -> Passes:
        """Two of the base on every batch where nothing could be kept."""
        return Passes(reference=2 if self._kept is not None and not self._kept.is_table else 0)


def _vector(context: Context) -> Tensor:
    anatomy = context.anatomy()
    vector = anatomy.safety_vector
    if vector is None or not (vector > 0).any():
        raise TrainingError(
            f"pact has no safety tokens: {anatomy.tokens_absent_because or 'the ancestor refuses as the base does'}",
            expected="a vector of safety tokens in safety_anatomy",
            do="name pretrained_model in project.yaml and materialize safety_anatomy, or leave pact out",
        )
    return vector
