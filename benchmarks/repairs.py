"""`python -m benchmarks.repairs [--specs FILE.json]`: each repair on a plainly tuned model of the bundled project.

Recipe `plain` is trained as the tournament trains it, then repaired by the repairs of recipe `repaired`, by others that
were tried, and by chains of them. Asked are the `calibrate` probes and the corpus rows that no training sees: knobs may
be chosen on these figures, and merge and one_shot do choose on them. The exam, on the `gate` probes and the task set,
is the tournament's (`repaired--merge`, ...). Attack success is the share of the harmful requests that are not declined.
`--specs` takes a JSON list of chains instead. The last line is JSON.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import erosion
from benchmarks.tournament_arena import set_up
from benchmarks.tournament_cell import Cell
from benchmarks.tournament_repairs import repair_order, tuned_weights
from benchmarks.tournament_results import trained_key
from benchmarks.tuning import allowed
from safety_assets.flows.repairing import apply_repairs, from_json, in_words

OTHERS: Sequence[list[dict]] = (
    [{"repair": "lox", "rank": 6, "strength": 5.0}],
    [{"repair": "safe_lora", "matrix": "projector", "rank": 16}],
    [{"repair": "one_shot"}],
    [{"repair": "one_shot", "learning_rate": 3e-4, "candidates": 3}],
)
"""What recipe `repaired` does not hold: the paper's own knobs, and larger ones."""


def main() -> None:
    """Print one line per model, then everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", type=Path, help="a JSON list of chains, each a list of repairs")
    parser.add_argument("--poison", type=float, default=0.0, help="share of the corpus rows")
    parser.add_argument("--store", type=Path, default=Path(".safety_assets/benchmarks"), help="where inputs are kept")
    chosen = parser.parse_args()
    ws = erosion.open_workspace(chosen.store.resolve())
    arena, inputs = set_up(ws, chosen.store.resolve().parent / "tournament")
    plain, shipped = ws.project.recipe("plain"), ws.project.recipe("repaired").repairs
    chains = [[spec.model_dump(mode="json")] for spec in shipped] + [list(chain) for chain in OTHERS]
    chains = json.loads(chosen.specs.read_text(encoding="utf-8")) if chosen.specs else chains
    key = trained_key(plain, 0, chosen.poison, inputs)
    cell = Cell(key=key, recipe=plain, seed=0, poison=chosen.poison, trained=key)
    with tempfile.TemporaryDirectory() as folder:
        tuned, _ = tuned_weights(arena, cell, Path(folder))
        found = {name: allowed(arena, model) for name, model in (("base", arena.base), ("plain", tuned))}
        for name, row in found.items():
            show(name, row)
        for place, chain in enumerate(chains):
            work = Path(folder) / f"{place}"
            work.mkdir()
            order, began = repair_order(arena, plain, chosen.poison, 0, work), time.perf_counter()
            done = apply_repairs(order, from_json(chain), tuned, "try", lambda event: None, lambda: False)
            name, seconds = in_words(done.facts), round(time.perf_counter() - began, 1)
            found[name] = {**allowed(arena, done.model), "seconds": seconds}
            show(name, found[name])
    print(json.dumps({"benchmark": "repairs", "poison": chosen.poison, "models": found}))


def show(name: str, row: dict[str, float]) -> None:
    """A line of the table."""
    print("  ".join(f"{key} {value:.3f}" for key, value in row.items()), f" {name}", flush=True)


if __name__ == "__main__":
    main()
