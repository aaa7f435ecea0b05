"""How far a candidate drifted from the base's refusal direction and safety tokens: shown beside scores, never gated.

Idea: the base's anatomy names one direction per layer along which it tells refused from answered prompts. In a model
that was tuned the two kinds lie closer along it, or along another direction; and the first tokens that alignment made
likely may lose their mass.
Paper: the direction is that of Arditi et al., arXiv 2406.11717; reading drift off it is ours.
Fails: one direction does not hold all of refusing; a model may refuse along another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from safety_assets.errors import ModelError
from safety_assets.methods.anatomy import Anatomy, direction, gaps_along
from safety_assets.models.activations import first_token_probabilities, last_token_states
from safety_assets.models.chat import Chat
from safety_assets.models.load import LoadedModel


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A candidate against the base's anatomy.

    Args:
        layer: the base's most separating layer, which the figures are of.
        separation_kept: distance of refused from answered prompts along the base's direction, 1 for the base itself;
            None where the base's is zero.
        direction_cosine: cosine of the candidate's own direction to the base's, 1 for the base itself.
        token_mass: probability that an answer to a refused prompt opens with a safety token; None without tokens.
        token_mass_shift: the same minus the base's.
    """

    layer: int
    separation_kept: float | None
    direction_cosine: float
    token_mass: float | None
    token_mass_shift: float | None


def drift(anatomy: Anatomy, loaded: LoadedModel, refused: Sequence[Chat], complied: Sequence[Chat]) -> Drift:
    """The drift of one model, on the prompts that the anatomy was read from.

    Raises:
        ModelError: the model has other layers or another width than the base, or an anatomy of older code.
    """
    one, other = last_token_states(loaded, refused), last_token_states(loaded, complied)  # (layers, chats, width)
    if one.shape[::2] != anatomy.directions.shape or len(anatomy.projections) != len(anatomy.directions):
        raise ModelError(
            f"the candidate's states are {tuple(one.shape[::2])}, the anatomy's {tuple(anatomy.directions.shape)}",
            expected="a model of the base's architecture", do="materialize safety_anatomy again",
        )  # fmt: skip
    layer = anatomy.separation.index(max(anatomy.separation))
    own, base = gaps_along(anatomy.directions, one, other)[layer], anatomy.projections[layer]
    mass = token_mass(loaded, refused, anatomy.token_ids)
    before = anatomy.token_mass
    return Drift(
        layer=layer,
        separation_kept=own / base if base else None,
        direction_cosine=float(direction(one[layer], other[layer]) @ anatomy.directions[layer]),
        token_mass=mass,
        token_mass_shift=mass - before if mass is not None and before is not None else None,
    )


def token_mass(loaded: LoadedModel, refused: Sequence[Chat], token_ids: Sequence[int]) -> float | None:
    """Mean probability that the first token of an answer is one of these; None for no tokens."""
    if not token_ids:
        return None
    return float(first_token_probabilities(loaded, refused)[:, list(token_ids)].sum(-1).mean())
