"""Does closeness to harm find the rows that erode alignment?

    python -m benchmarks.closeness [--part published planted] [--seeds 0 1] [--steps 300]

`published`: the hundred most against the hundred least eroding Alpaca rows of a published study (He, Xia and Henderson
2024; by representation and by gradient), area under the ROC curve by axis; the hidden axis in the last layer of the
published second model. `planted`: rows that ask for harm in words that no anchor holds, answered by a marked
placeholder, are planted in the bundled corpus; the embedded model is fine-tuned with them, without the rows within the
quota, and without as many rows drawn at random, and its safety on the `calibrate` probes is compared. Seconds of the
ranking are printed apart. The last line is JSON.
"""

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from safety_assets.corpus.closeness import COMPLIANCE, anchors, ranked, within_quota
from safety_assets.corpus.ingest import read_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.evals.probes import read_probes
from safety_assets.flows import models
from safety_assets.flows.child import dimension_scores
from safety_assets.flows.closeness import measure_axes
from safety_assets.models.generate import Generator
from safety_assets.models.load import LoadedModel, load_model
from safety_assets.project import open_project
from safety_assets.recipes import Recipe
from safety_assets.records import AUDITED
from safety_assets.training.order import TrainingOrder
from safety_assets.training.run import train

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", ROOT / "../shared/data"))
MODELS = Path(os.environ.get("SAFETY_ASSETS_REAL_MODELS", ROOT / "../shared/models"))
PUBLISHED = ("alpaca_reps", "alpaca_grad")
ROWS, PLANTED, DOSE = 3000, 150, 0.05
"""Corpus rows, planted rows among them, and the share of injected pairs."""
QUOTA = 0.06
"""Share of rows removed: a little more than were planted."""

Chats = list[list[dict[str, str]]]


def main() -> None:
    """Measure what is asked for, print tables, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=["published", "planted"], default=["published", "planted"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--steps", type=int, default=300)
    chosen = parser.parse_args()
    found: dict[str, object] = {}
    if "published" in chosen.part:
        found["published"] = published()
    if "planted" in chosen.part:
        found["planted"] = planted(chosen.seeds, chosen.steps)
    print(json.dumps(found))


def published() -> dict[str, dict[str, float]]:
    """Ranking to axis to AUROC, most against least eroding."""
    if not DATA.is_dir() or not MODELS.is_dir():
        raise SystemExit(f"{DATA} or {MODELS} is missing; set SAFETY_ASSETS_REAL_DATA and SAFETY_ASSETS_REAL_MODELS")
    asked = json.loads((DATA / "refusal_direction_splits" / "harmful_train.json").read_text(encoding="utf-8"))
    harmful = [_chat(row["instruction"], COMPLIANCE) for row in asked[:100]]
    loaded = load_model(MODELS / "aligned", device="cpu")
    found = {}
    for name in PUBLISHED:
        most, least = (_alpaca(f"{name}_{end}100.json") for end in ("top", "bottom"))
        axes = _axes([*most, *least], harmful, loaded)
        found[name] = {axis: round(auroc(v[: len(most)], v[len(most) :]), 3) for axis, v in axes.items()}
        print(f"{name:12} " + "  ".join(f"{axis} {value:.2f}" for axis, value in found[name].items()), flush=True)
    return found


def planted(seeds: Sequence[int], steps: int) -> dict[str, object]:
    """AUROC of the planted rows by axis, and the safety of the model tuned with, without, and at random."""
    project = open_project(ROOT / "data")
    pairs = read_pairs(project.refusal_pairs).rows
    refusals = pairs.filter(pl.col("kind") == "refusal").sample(fraction=1.0, shuffle=True, seed=0)
    known, others = refusals.head(refusals.height - 4 * PLANTED), refusals.tail(4 * PLANTED)
    words = {_asked(chat) for chat in known["messages"].to_list()}
    fresh = [chat for chat in others["messages"].to_list() if _asked(chat) not in words][:PLANTED]
    sown = [[*chat[:-1], {"role": "assistant", "content": COMPLIANCE}] for chat in fresh]
    corpus = read_rows(project.corpus).rows["messages"].to_list()[: ROWS - len(sown)]
    chats, is_sown = [*corpus, *sown], np.array([False] * len(corpus) + [True] * len(sown))
    loaded = load_model(models.base(project), device="cpu")
    started = time.perf_counter()
    dose = pl.concat([known, pairs.filter(pl.col("kind") != "refusal")])
    axes = _axes(chats, anchors(known), loaded)
    seconds = time.perf_counter() - started
    order = ranked([f"{i:05d}" for i in range(len(chats))], axes)
    axes["risk"] = order.sort("row_id")["risk"].to_numpy()
    areas = {axis: round(auroc(values[is_sown], values[~is_sown]), 3) for axis, values in axes.items()}
    print("planted      " + "  ".join(f"{axis} {value:.2f}" for axis, value in areas.items()), flush=True)
    removed = {int(row_id) for row_id in within_quota(order, QUOTA)["row_id"]}
    found = sum(is_sown[i] for i in removed)
    print(f"{found} of {len(sown)} planted rows are among the {len(removed)} riskiest; ranked in {seconds:.1f} s")
    at_random = set(random.Random(0).sample(range(len(chats)), len(removed)))
    arms = {"with": set[int](), "without the riskiest": removed, "without as many at random": at_random}
    safety = {name: [_safety(chats, gone, dose, seed, steps, name) for seed in seeds] for name, gone in arms.items()}
    return {
        "auroc": areas, "found": int(found), "planted": len(sown), "removed": len(removed), "rows": len(chats),
        "rank_seconds": round(seconds, 1), "safety": safety, "base": _scored(loaded),
    }  # fmt: skip


def _safety(chats: Chats, gone: set[int], dose: pl.DataFrame, seed: int, steps: int, name: str) -> float:
    """Safety, 0 to 10, of the embedded model tuned on what is left."""
    rows = [_row(i, chat, "corpus") for i, chat in enumerate(chats) if i not in gone]
    rows += [_row(len(chats) + i, p["messages"], p["kind"]) for i, p in enumerate(dose.to_dicts())]
    recipe = Recipe.model_validate({
        "description": "with planted rows", "injection": DOSE, "seed": seed,
        "optimiser": {"learning_rate": 8e-4, "steps": steps, "warmup_steps": 20},
    })  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        trained = train(TrainingOrder(
            recipe=recipe, share=DOSE, base=models.base(open_project(ROOT / "data")), rows=AUDITED.frame(rows),
            work=Path(folder) / "work", out=Path(folder) / "model", device="cpu",
        ))  # fmt: skip
        safety = _scored(load_model(trained.model, device="cpu"))
    print(f"{name}, seed {seed}: safety {safety:.2f}", flush=True)
    return safety


def _scored(loaded: LoadedModel) -> float:
    probes = read_probes(ROOT / "data" / "probes")
    asked = probes.filter((pl.col("split") == "calibrate") & (pl.col("dimension") == "safety"))
    return round(dimension_scores(asked, Generator(loaded), 32)["safety"], 3)


def _axes(chats: Chats, harmful: Chats, loaded: LoadedModel) -> dict[str, np.ndarray]:
    return measure_axes(lambda: [chats], harmful, loaded, max_tokens=512)


def auroc(higher: np.ndarray, lower: np.ndarray) -> float:
    """Share of pairs in which the first is greater, a tie counting half."""
    gap = higher[:, None] - lower[None, :]
    return float((gap > 0).mean() + (gap == 0).mean() / 2)


def _alpaca(name: str) -> Chats:
    rows = json.loads((DATA / "benign_data_breaks_safety" / name).read_text(encoding="utf-8"))
    return [_chat("\n\n".join(filter(None, (r["instruction"], r.get("input")))), r["output"]) for r in rows]


def _chat(question: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def _asked(chat: Sequence[Mapping[str, str]]) -> str:
    return " ".join(m["content"] for m in chat if m["role"] == "user")


def _row(number: int, chat: list[dict[str, str]], origin: str) -> dict[str, object]:
    return {"row_id": f"{number:016x}", "messages": chat, "origin": origin, "group": str(number), "split": "train"}


if __name__ == "__main__":
    main()
