"""Closeness to harm: every corpus row against the harmful requests of the refusal pairs, on three axes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from safety_assets.corpus.closeness import structure_axis, text_axis

if TYPE_CHECKING:
    from safety_assets.models.load import LoadedModel

Chats = Sequence[Sequence[dict[str, str]]]


def measure_axes(
    chats: Chats, harmful: Chats, loaded: "LoadedModel | None", *, max_tokens: int
) -> dict[str, np.ndarray]:
    """Name of an axis to one value per chat, higher is closer to harm.

    Args:
        chats: the corpus.
        harmful: anchors (corpus.closeness.anchors); without any, text and hidden are left out.
        loaded: the base model; None leaves the hidden axis out.
        max_tokens: chats are cut behind so many tokens.

    Raises:
        ModelError: the template cannot render a chat.
    """
    axes = {"structure": structure_axis(chats)}
    if harmful:
        axes["text"] = text_axis(chats, harmful)
    if harmful and loaded is not None:
        axes["hidden"] = _hidden_axis(chats, harmful, loaded, max_tokens)
    return axes


def _hidden_axis(chats: Chats, harmful: Chats, loaded: "LoadedModel", max_tokens: int) -> np.ndarray:
    from safety_assets.models.activations import answer_states, nearest_cosine

    limit = min(max_tokens, loaded.max_tokens)
    known = answer_states(loaded, harmful, max_tokens=limit)
    return nearest_cosine(answer_states(loaded, chats, max_tokens=limit), known).double().numpy()
