"""What a run is set up from: the mix of its rows, its optimiser, and the digest that names it."""

import hashlib
from collections.abc import Sequence

import torch
from torch import nn

from safety_assets.errors import TrainingError
from safety_assets.frames import in_shards
from safety_assets.method_specs import Need
from safety_assets.models.load import LoadedModel
from safety_assets.models.ranks import Ranks
from safety_assets.models.rows import Row
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED
from safety_assets.store import canonical_json, digest_json
from safety_assets.training.batches import Mix
from safety_assets.training.order import TrainingOrder


def mix_of(order: TrainingOrder, rows: Sequence[Row], seed: int) -> Mix:
    """What batches are drawn from."""
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.origin, []).append(place)
    return Mix(
        lengths=tuple(row.num_tokens for row in rows),
        task=tuple(places.get("corpus", ())),
        injected=tuple(tuple(places.get(origin, ())) for origin in order.recipe.origins),
        batch_rows=order.recipe.optimiser.batch_rows,
        share=order.share,
        seed=seed,
    )


def needed(recipe: Recipe, need: Need) -> bool:
    """Whether a method of the recipe cannot do without this."""
    return any(need in spec.needs for spec in recipe.methods)


def demand_whole(recipe: Recipe, ranks: Ranks) -> None:
    """TrainingError where the monitor may do what cut weights cannot."""
    if ranks.sharded and "switch_to_lora" in recipe.monitor.actions:
        raise TrainingError(
            "the monitor may switch to LoRA while the weights are cut over several devices",
            expected="weights that are whole on every device",
            do="set sharding: none in project.yaml, or another action in the recipe's monitor",
        )


def optimiser_over(parameters: Sequence[nn.Parameter], recipe: Recipe) -> torch.optim.AdamW:
    """AdamW over these parameters."""
    settings = recipe.optimiser
    return torch.optim.AdamW(
        list(parameters), lr=settings.learning_rate, betas=settings.betas,
        weight_decay=settings.weight_decay, fused=True,
    )  # fmt: skip


def digest_of(order: TrainingOrder, loaded: LoadedModel, seed: int) -> str:
    """What is trained: two orders of one digest give the same weights."""
    rows = hashlib.sha256()
    columns = ["row_id", "messages", "origin", "split", "weight", *(["spans"] if needed(order.recipe, "spans") else [])]
    for part in in_shards(order.rows, AUDITED):
        for row in part.select(columns).iter_rows(named=True):
            rows.update(canonical_json(row).encode())
    return digest_json([order.recipe.model_dump(mode="json"), order.share, loaded.digest, rows.hexdigest(), seed])
