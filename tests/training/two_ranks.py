"""Run by torchrun: every order of a file, as the rank that torchrun made this process."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl

from safety_assets.models.generate import Generator
from safety_assets.models.ranks import join
from safety_assets.recipes import Recipe
from safety_assets.training.monitor import Watch
from safety_assets.training.run import TrainingOrder, train_steps


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


def main(path: Path) -> None:
    with join("cpu", sharded=False) as (ranks, device):
        for said in json.loads(path.read_text()):
            place = replace(ranks, sharded=said["sharded"])
            order = replace(read_order(said), device=device)
            train_steps(order, place, watch=fall_once() if said["watched"] else None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
