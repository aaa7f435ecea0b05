"""Run by torchrun: every order of a file, as the rank that torchrun made this process."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import torch
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from transformers import PreTrainedModel

from safety_assets.models.generate import Generator
from safety_assets.models.ranks import join
from safety_assets.models.shards import shard
from safety_assets.recipes import Recipe
from safety_assets.training import opened, run
from safety_assets.training.monitor import Watch
from safety_assets.training.order import TrainingOrder

CUT: list[PreTrainedModel] = []


def read_order(said: dict) -> TrainingOrder:
    return TrainingOrder(
        recipe=Recipe.model_validate(said["recipe"]), share=said["share"], base=Path(said["base"]),
        rows=pl.read_parquet(said["rows"]), work=Path(said["folder"]) / "work", out=Path(said["folder"]) / "model",
        device="cpu", threads=1, baseline={"safety": 10.0}, devices=2,
    )  # fmt: skip


def fall_once() -> Watch:
    """Runs the model, counts what it says, and finds safety fallen when it looks for the second time."""
    safety = iter([10.0, 0.0, *[10.0] * 9])
    chats = [[{"role": "user", "content": text}] for text in ("open account", "small dog")]

    def watch(generator: Generator) -> dict[str, float]:
        said = generator.generate(chats, max_new_tokens=4)
        return {"letters": float(sum(len(c.text) for c in said)), "safety": next(safety)}

    return watch


def checked(model: PreTrainedModel, device: torch.device) -> None:
    """Cut the weights, and see that they were cut."""
    shard(model, device)
    assert all(isinstance(parameter, DTensor) for parameter in model.parameters())
    assert all(isinstance(layer, FSDPModule) for layer in model.model.layers)
    CUT.append(model)


def main(path: Path) -> None:
    opened.shard = checked
    orders = json.loads(path.read_text())
    with join("cpu", sharded=False) as (ranks, device):
        for said in orders:
            place = replace(ranks, sharded=said["sharded"])
            order = replace(read_order(said), device=device)
            run.train_steps(order, place, watch=fall_once() if said["watched"] else None)
    assert len(CUT) == sum(said["sharded"] for said in orders)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
