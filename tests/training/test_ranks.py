"""Two processes equal one: the same weights, scores and history up to the order of summation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from safetensors.torch import load_file
from training_rows import make_rows, recipe
from two_ranks import fall_once, read_order

from safety_assets.models.chat import Encoded
from safety_assets.models.ranks import Ranks
from safety_assets.training.run import Trained, train

TOLERANCE = 1e-5
"""Largest difference of a weight after six steps in fp32."""

SURGERY = {"method": "gradient_surgery", "batch_rows": 5}
LORA = {"method": "lora", "rank": 3}
KEEPING = [
    {"method": "constrained_tokens", "beta_first": 2.0}, {"method": "kl_to_reference", "pairs_strength": 0.5},
    {"method": "replay", "batch_rows": 3}, {"method": "safety_recovery", "batch_rows": 3},
    {"method": "dynamic_shaping", "bias": 20.0},
]  # fmt: skip
EACH = {"method": "gradient_surgery", "batch_rows": 5, "scope": "per_tensor"}
FROZEN = {"method": "layer_freezing", "layers": [0]}
PULL = {"method": "half_space", "margin": 0.5, "reach": 3.0, "batch_rows": 3}
AVERAGE = {"method": "weight_average", "retention": 0.3}
BOTTLENECK = {"method": "bottleneck", "rank": 3, "activation": "gelu"}
MASK = {"method": "neuron_mask", "share": 0.25, "batch_rows": 3}
VULNERABLE = {"method": "vulnerability_aware", "batch_rows": 3, "rho": 0.1, "sampler_rate": 0.05}
ROLL_BACK = {"every": 2, "action": "roll_back"}
CASES = {
    "plain": {},
    "plain, accumulated": {"micro": 2},
    "surgery": {"methods": [SURGERY]},
    "surgery, accumulated": {"methods": [SURGERY], "micro": 1},
    "what keeps the base's answers": {"methods": KEEPING, "micro": 1},
    "frozen, pulled back, averaged": {"methods": [FROZEN, PULL, AVERAGE]},
    "bottleneck and averaged": {"methods": [BOTTLENECK, EACH, AVERAGE], "monitor": ROLL_BACK},
    "lora and surgery": {"methods": [LORA, SURGERY], "monitor": ROLL_BACK},
    "masked, the vulnerable": {"methods": [MASK, VULNERABLE]},
}
WHOLE = ("masked, the vulnerable",)
"""Cases that need whole weights and refuse to be sharded."""
NAMED = ("surgery", "lora and surgery")
"""Cases that another test looks into."""
USUAL = ("plain, accumulated", "lora and surgery")
"""Cases of the default suite; the others are long."""
WAYS = [(name, sharded) for name in CASES for sharded in (False, True) if not (sharded and name in WHOLE)]


def order(folder: Path, base: Path, name: str, *, sharded: bool) -> dict:
    case = CASES[name]
    optimiser = {"learning_rate": 3e-3, "steps": 6, "batch_rows": 5, "micro_batch_rows": case.get("micro")}
    settings = {"methods": case.get("methods", []), "injection": 0.2, "optimiser": optimiser}
    settings |= {"monitor": case["monitor"]} if "monitor" in case else {}
    own = folder / f"{name}{' sharded' if sharded else ''}"
    return {
        "recipe": recipe(**settings).model_dump(mode="json"), "share": 0.2, "base": str(base),
        "rows": str(folder / "rows.parquet"), "folder": str(own), "sharded": sharded, "watched": "monitor" in case,
    }  # fmt: skip


@pytest.fixture(scope="module")
def both(
    tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[tuple[str, bool], tuple[dict, dict]]:
    """Every case and sharding that is asked for, to (order of one process, order whose steps two processes took)."""
    chosen = [item.callspec.params for item in request.session.items if item.path == request.path and asks(item)]
    asked = {(own["name"], own["sharded"]) for own in chosen} | {(name, True) for name in NAMED}
    folder = tmp_path_factory.mktemp("ranks")
    make_rows().write_parquet(folder / "rows.parquet")
    orders = {}
    for name, sharded in sorted(asked):
        two = order(folder, tiny_model, name, sharded=sharded)
        orders[name, sharded] = ({**two, "folder": two["folder"] + " alone"}, two)
    (folder / "orders.json").write_text(json.dumps([two for _, two in orders.values()]))
    program = [str(Path(__file__).with_name("two_ranks.py")), str(folder / "orders.json")]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=localhost"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*launch, "--nproc-per-node=2", *program], env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr
    return orders


def finish(said: dict) -> Trained:
    return train(read_order(said), watch=fall_once() if said["watched"] else None)


def weights(trained: Trained) -> dict:
    return load_file(trained.model / "model.safetensors")


def asks(item: pytest.Item) -> bool:
    """Whether a test is one of a case."""
    return "sharded" in getattr(getattr(item, "callspec", None), "params", {})


@pytest.mark.parametrize(
    ("name", "sharded"),
    [pytest.param(*way, marks=() if way[0] in USUAL else pytest.mark.long) for way in WAYS],
)
def test_two_ranks_train_what_one_process_trains(both: dict, name: str, sharded: bool):
    one, two = (finish(said) for said in both[name, sharded])
    a, b = weights(one), weights(two)
    assert a.keys() == b.keys()
    assert max(float((a[k] - b[k]).abs().max()) for k in a) < TOLERANCE
    steps = pl.col("step"), pl.col("series")
    assert one.history.select(*steps).equals(two.history.select(*steps))
    assert two.history["value"].to_list() == pytest.approx(one.history["value"].to_list(), rel=1e-3, abs=1e-4)
    assert {k: one.facts[k] for k in ("steps", "num_rows", "num_injected", "monitor_actions")} == {
        k: two.facts[k] for k in ("steps", "num_rows", "num_injected", "monitor_actions")
    }


def test_the_cases_do_what_they_are_named_after(both: dict):
    surgery, rolled = (finish(both[name, True][1]) for name in NAMED)
    products = surgery.history.filter(series="surgery/product")["value"]
    assert products.min() < 0  # there was a conflict to remove
    assert rolled.facts["monitor_actions"] == 1


def test_every_row_is_trained_on_once_and_no_rank_is_left_without():
    rows = [Encoded([i, i], [False, True]) for i in range(5)]
    for size in (1, 2, 5):
        dealt = [row for rank in range(size) for row in Ranks(rank, size).own(rows)]
        assert sorted(row.ids for row in dealt) == [row.ids for row in rows]
    silent = Ranks(6, 7).own(rows)
    assert [row.num_responses for row in silent] == [0]
