"""Before training costs anything: does it fit, and what does its heaviest pass take?

What is certain (weights, gradients, moments, disk) is looked at before the weights are loaded. The heaviest pass of
the whole run is then gone through once, forward and back, with nothing changed: random state, gradients and weights
are afterwards as before, so that a run with a preflight is bit for bit the run without.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from safety_assets.errors import TrainingError
from safety_assets.exhaustion import memory_ended
from safety_assets.method_specs import Adapter
from safety_assets.models.batch import Batch, response_loss
from safety_assets.models.load import LoadedModel, forked_random_state, pick_device
from safety_assets.models.ranks import Ranks
from safety_assets.models.room import free_memory, peak_memory
from safety_assets.recipes import Optimiser, Recipe
from safety_assets.training.batches import Mix, micro_batches, step_rows
from safety_assets.training.footprint import FP32, MOMENTS, byte_count, disk, existing, footprint, shape_of


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What the heaviest pass of a run took.

    Args:
        rows, tokens: of that pass on this process, padding included.
        seconds: forward and back, the first time.
        peak_bytes: most memory held on the device so far.
        to_come_bytes: what the optimiser's moments will add in the first step.
        free_bytes: memory that is left, after the pass.
        advice: what makes the passes smaller, best first.
    """

    rows: int
    tokens: int
    seconds: float
    peak_bytes: int
    to_come_bytes: int
    free_bytes: int
    advice: str


def demand_room(base: Path, recipe: Recipe, work: Path, *, device: str, parts: int = 1) -> None:
    """Refuse what cannot fit, from the weights' headers alone.

    Raises:
        TrainingError: memory or disk is smaller than what is certain to be needed.
    """
    shape = shape_of(base)
    needed = footprint(shape, recipe, tokens=0, responses=0, half=False, parts=parts).certain
    free = free_memory(pick_device(device))
    if needed > free:
        raise TrainingError(
            f"recipe {recipe.name or 'in hand'} takes {byte_count(needed)} for weights, gradients and moments",
            expected=f"at most the {byte_count(free)} that are free on {pick_device(device)}",
            do=advice(recipe, certain=True),
        )
    wanted, left = disk(shape, recipe), shutil.disk_usage(existing(work)).free
    if wanted > left:
        raise TrainingError(
            f"training needs {byte_count(wanted)} of disk in {work}",
            expected=f"at most the {byte_count(left)} that are free",
            do="free some, or set storage in project.yaml elsewhere",
        )  # fmt: skip


def passes(rows: Sequence[int], mix: Mix, settings: Optimiser, ranks: Ranks) -> list[list[int]]:
    """The rows of one step in the pieces that go through the model at once, those of all ranks together."""
    size = settings.micro_batch_rows
    return micro_batches(rows, mix.lengths, size and size * ranks.size)


def heaviest_pass(mix: Mix, settings: Optimiser, ranks: Ranks) -> tuple[list[int], int]:
    """The rows of the pass with the most tokens, padding included, in the whole run; and how many tokens these are."""

    def tokens(piece: Sequence[int]) -> int:
        return len(piece) * max(mix.lengths[i] for i in piece)

    every = (p for step in range(settings.steps) for p in passes(step_rows(mix, step), mix, settings, ranks))
    heaviest = max(every, key=tokens)
    return heaviest, tokens(heaviest)


def rehearse(loaded: LoadedModel, batch: Batch, num_tokens: int, recipe: Recipe) -> Rehearsal:
    """Forward and back through one batch; gradients are dropped, random state is kept.

    Raises:
        TrainingError: memory ends in the middle of it.
    """
    started, was_training = time.perf_counter(), loaded.model.training
    loaded.model.train()
    try:
        with forked_random_state(loaded.model):
            with loaded.precision():
                loss = response_loss(loaded.model, batch)
            loss.backward()
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not memory_ended(error):
            raise
        raise TrainingError(
            f"memory ended in a pass of {batch.num_rows} rows and {num_tokens} tokens",
            expected="room for the heaviest pass of the run", do=advice(recipe),
        ) from error  # fmt: skip
    finally:
        trained = [p for p in loaded.model.parameters() if p.requires_grad]
        for parameter in trained:
            parameter.grad = None
        loaded.model.train(was_training)
    return Rehearsal(
        rows=batch.num_rows, tokens=batch.ids.numel(), seconds=time.perf_counter() - started,
        peak_bytes=peak_memory(loaded.device), to_come_bytes=MOMENTS * FP32 * sum(p.numel() for p in trained),
        free_bytes=free_memory(loaded.device), advice=advice(recipe),
    )  # fmt: skip


def demand_fit(found: Rehearsal) -> None:
    """TrainingError when the optimiser's moments will not fit beside what the heaviest pass took."""
    if found.to_come_bytes > found.free_bytes:
        raise TrainingError(
            f"AdamW adds {byte_count(found.to_come_bytes)} to the {byte_count(found.peak_bytes)} in use",
            expected=f"at most the {byte_count(found.free_bytes)} that are free", do=found.advice,
        )  # fmt: skip


def advice(recipe: Recipe, *, certain: bool = False) -> str:
    """What makes a recipe smaller, best first.

    Args:
        certain: weights and optimiser alone are too large, so that smaller passes do not help.
    """
    adapted = any(isinstance(m, Adapter) for m in recipe.methods)
    ways = [] if adapted else ["add `- {method: lora, rank: 16, alpha: 32}` to methods"]
    if not certain:
        size = recipe.optimiser.micro_batch_rows or recipe.optimiser.batch_rows
        ways = [f"set micro_batch_rows: {max(1, size // 2)}"] * (size > 1) + ways
        ways += [] if recipe.activation_checkpointing else ["set activation_checkpointing: true"]
        ways.append("lower max_tokens")
    return ", or ".join([*ways, "share the weights over devices (sharding: fsdp)", "take a larger machine"])
