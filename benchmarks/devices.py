"""What training costs on the device at hand: tokens per second, peak memory, and each method's price over plain.

    python -m benchmarks.devices [--device auto] [--steps 12] [--models demo large]

`demo` is the bundled model with its own recipes and rows. `large` has random weights: 1.1 billion parameters on CUDA, 5
million on a CPU, and rows of up to 256 tokens. Every case runs in a process of its own. Then all devices of the machine
(on a CPU two processes) train the demo together, each with the whole model, then each with a part, compared with one.
The last line is JSON. Nothing is downloaded.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import polars as pl
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from safety_assets.corpus.clean import assemble
from safety_assets.corpus.ingest import read_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.flows.several_devices import run_on_devices
from safety_assets.models.load import pick_device
from safety_assets.project import open_project
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED
from safety_assets.training.batches import Mix, step_rows
from safety_assets.training.encode import encode_rows
from safety_assets.training.order import TrainingOrder
from safety_assets.training.run import train

SURGERY = {"method": "gradient_surgery"}
LORA = {"method": "lora"}
METHODS = {"plain": [], "surgery": [SURGERY], "lora": [LORA], "lora-surgery": [LORA, SURGERY]}
SHARE, BATCH_ROWS, WARM_UP = 0.1, 16, 2
SIZES = {
    "cuda": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "vocab_size": 32768},
    "cpu": {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 4, "vocab_size": 8192},
}


def main() -> None:
    """Every case in a child, then several devices; print a line each and all as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--models", nargs="+", choices=("demo", "large"), default=["demo", "large"])
    parser.add_argument("--case", nargs=2, metavar=("FOLDER", "METHODS"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.case:
        print(json.dumps(measure(Path(chosen.case[0]), chosen.case[1], chosen.device, chosen.steps)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        found = {name: compare(Path(scratch) / name, name, chosen.device, chosen.steps) for name in chosen.models}
        found["together"] = together(Path(scratch) / "together", chosen.device, chosen.steps)
    print(json.dumps({"machine": describe(chosen.device), **found}))


def describe(device: str) -> dict:
    """The device and torch's version."""
    place = pick_device(device)
    name = torch.cuda.get_device_name(place) if place.type == "cuda" else "cpu"
    return {"device": name, "torch": torch.__version__, "threads": torch.get_num_threads()}


def compare(folder: Path, model: str, device: str, steps: int) -> dict:
    """One model under every combination of methods."""
    prepare(folder, model, pick_device(device).type)
    found: dict[str, dict] = {}
    for name in METHODS:
        words = ["--device", device, "--steps", str(steps), "--case", str(folder), name]
        child = [sys.executable, "-m", "benchmarks.devices", *words]
        done = subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True)
        found[name] = json.loads(done.stdout.splitlines()[-1])
        found[name]["cost"] = round(found[name]["seconds_per_step"] / found["plain"]["seconds_per_step"], 3)
        print(f"{model:6s} {name:14s} " + " ".join(f"{k} {v}" for k, v in found[name].items()), flush=True)
    return found


def prepare(folder: Path, model: str, kind: str) -> None:
    """Write the base model, or where it is, and the rows."""
    folder.mkdir(parents=True)
    base = open_project().base_model
    rows = bundled_rows()
    if model == "large":
        tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
        config = LlamaConfig(**SIZES[kind], num_attention_heads=16, num_key_value_heads=8, tie_word_embeddings=True)
        torch.manual_seed(0)
        base = folder / "base"
        LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(base)
        tokenizer.save_pretrained(base)
        rows = rows.with_columns(
            messages=pl.col("messages").map_elements(lengthen, return_dtype=rows["messages"].dtype)
        )
    rows.write_parquet(folder / "rows.parquet")
    (folder / "base.txt").write_text(str(base))


def bundled_rows() -> pl.DataFrame:
    """The bundled corpus and pairs as they are; what an audit would take out costs as much as what it would leave."""
    project = open_project()
    rows, pairs = read_rows(project.corpus).rows, read_pairs(project.refusal_pairs).rows
    return AUDITED.check(assemble(rows, pairs, held_out_share=0.0, seed=0))


def lengthen(messages: Sequence[dict]) -> list[dict]:
    """The same chat with its answer repeated: a long row."""
    return [
        {**turn, "content": " ".join([turn["content"]] * 8)} if turn["role"] == "assistant" else dict(turn)
        for turn in messages
    ]


def order(folder: Path, methods: str, device: str, steps: int, out: str = "run") -> TrainingOrder:
    """Train so many steps with these methods."""
    recipe = {
        "description": "benchmark", "injection": SHARE, "methods": METHODS[methods], "max_tokens": 256,
        "optimiser": {"learning_rate": 1e-5, "steps": steps, "batch_rows": BATCH_ROWS},
    }  # fmt: skip
    return TrainingOrder(
        recipe=Recipe.model_validate(recipe), share=SHARE, base=Path((folder / "base.txt").read_text()),
        rows=pl.read_parquet(folder / "rows.parquet"), work=folder / out / "state", out=folder / out / "out",
        device=device,
    )  # fmt: skip


def measure(folder: Path, methods: str, device: str, steps: int) -> dict:
    """One training in this process."""
    wanted, starts = order(folder, methods, device, steps), list[float]()

    def clock() -> bool:  # asked before every step; each step waits for its loss, so the device has come so far
        starts.append(time.perf_counter())
        return False

    trained = train(wanted, should_stop=clock)
    seconds = median(b - a for a, b in zip(starts[WARM_UP:], starts[WARM_UP + 1 :], strict=False))
    tokens = num_tokens(wanted) / steps
    if pick_device(device).type == "cuda":
        peak = torch.cuda.max_memory_allocated()
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "parameters": trained.facts["parameters"], "precision": trained.facts["precision"],
        "seconds_per_step": round(seconds, 4), "tokens_per_second": round(tokens / seconds),
        "peak_gib": round(peak / 2**30, 2),
    }  # fmt: skip


def num_tokens(wanted: TrainingOrder) -> int:
    """Tokens of all rows of a run, prompts included, padding and safety batches not."""
    tokenizer = AutoTokenizer.from_pretrained(wanted.base, local_files_only=True)
    rows, _ = encode_rows(tokenizer, wanted.rows, max_tokens=wanted.recipe.max_tokens)
    kinds = [tuple(i for i, r in enumerate(rows) if r.origin == o) for o in ("corpus", *wanted.recipe.origins)]
    lengths = tuple(row.num_tokens for row in rows)
    mix = Mix(lengths, kinds[0], tuple(kinds[1:]), BATCH_ROWS, wanted.share, wanted.recipe.seed)
    return sum(lengths[i] for step in range(wanted.recipe.optimiser.steps) for i in step_rows(mix, step))


def together(folder: Path, device: str, steps: int) -> dict:
    """The demo on all devices, whole and sharded: how far its weights are from those of one process.

    The difference is relative: its norm over the norm of what training changed. It is no rounding error alone, for
    Adam makes whole steps of gradients that are noise about zero (weights of tokens that no row has).
    """
    prepare(folder, "demo", "cpu")
    devices = torch.cuda.device_count() if pick_device(device).type == "cuda" else 2
    base = load_file(open_project().base_model / "model.safetensors")
    one = load_file(train(order(folder, "surgery", device, steps, "one")).model / "model.safetensors")
    found: dict[str, dict] = {"devices": {"number": devices}}
    for sharding in ("none", "fsdp"):
        wanted = order(folder, "surgery", device, steps, sharding)
        work = folder / sharding
        work.mkdir()
        began = time.perf_counter()
        run_on_devices(steps_order(wanted, folder, work, devices, sharding), lambda event: None, lambda: False)
        seconds = time.perf_counter() - began
        two = load_file(train(wanted).model / "model.safetensors")
        apart = distance(two, one) / distance(one, base)
        found[sharding] = {"seconds_with_start": round(seconds, 1), "difference": float(f"{apart:.2g}")}
        print(f"together {devices} devices, sharding {sharding}: {found[sharding]}", flush=True)
    return found


def distance(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> float:
    """Euclidean, over all weights together."""
    return float(torch.stack([(one[name].float() - other[name].float()).norm() for name in one]).norm())


def steps_order(wanted: TrainingOrder, folder: Path, work: Path, devices: int, sharding: str) -> dict:
    """The same order as a JSON value for the processes."""
    return {
        "kind": "steps", "recipe": wanted.recipe.model_dump(mode="json"), "share": wanted.share, "baseline": {},
        "base": str(wanted.base), "rows": str(folder / "rows.parquet"), "work": str(work), "folder": str(work),
        "events": str(work / "events.jsonl"), "result": str(work / "result.json"), "watched": False, "seed": None,
        "device": wanted.device, "threads": None, "devices": devices, "sharding": sharding,
    }  # fmt: skip


if __name__ == "__main__":
    main()
