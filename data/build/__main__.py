"""`python -m data.build`: write the bundled project."""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from data.build import bank, dirt, pool, probes

SEED = 20
DATA = Path(__file__).resolve().parent.parent


def main() -> None:
    """Text first, then the models."""
    parser = argparse.ArgumentParser(prog="python -m data.build", description=__doc__)
    parser.add_argument("--text", action="store_true", help="text files only")
    parser.add_argument("--models", type=Path, default=DATA / "models", help="where the models go")
    parser.add_argument(
        "--threads", type=int, default=1, help="one by default: the same weights on any number of cores"
    )
    chosen = parser.parse_args()
    write_text(DATA)
    if not chosen.text:
        import torch

        from data.build import model

        torch.set_num_threads(chosen.threads)
        torch.use_deterministic_algorithms(True)
        model.build(chosen.models, model.SIZES)


def write_text(folder: Path) -> None:
    """Probes, refusal pairs, tasks and the bank's corpus."""
    every = probes.all_probes(SEED)
    files: dict[str, list[probes.Probe]] = defaultdict(list)
    for probe in every:
        files[f"{probe['split']}/{probe['dimension']}"].append(probe)
    for name, rows in files.items():
        write_lines(folder / "probes" / f"{name}.jsonl", map(json.dumps, rows))
    write_lines(folder / "refusals" / "pairs.jsonl", map(json.dumps, pool.pairs(SEED)))
    write_lines(folder / "tasks.jsonl", map(json.dumps, bank.tasks(SEED + 1, 300)))
    write_lines(folder / "corpus" / "support.jsonl", dirt.corpus_lines(SEED, 3200, every))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """One JSON document per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
