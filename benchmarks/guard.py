"""How well does the base, as its own guard, tell what it was taught to refuse?

    python -m benchmarks.guard [--rows 120] [--seed 0]

On the bundled project: the log-odds that the base opens its answer as refusal pairs do (methods/guards), on prompts of
pairs whose openings were not counted; area under the ROC curve of refusal against look-alike and anchor prompts, by
length of an opening; and the same behind the first tokens of an answer: a marked placeholder behind prompts that are
refused, the pair's own answer behind others. The last line is JSON.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from safety_assets.corpus.pairs import read_pairs
from safety_assets.flows import models
from safety_assets.methods.anatomy import area
from safety_assets.methods.guards import NUM_OPENINGS, refusal_odds
from safety_assets.models.batch import Batch, pad_right, response_logits
from safety_assets.models.chat import Encoded, encode_chat
from safety_assets.models.load import LoadedModel, load_model
from safety_assets.project import open_project
from safety_assets.training.encode import PLACEHOLDER

ROOT = Path(__file__).parents[1]
Turn = tuple[tuple[int, ...], tuple[int, ...]]
"""Token ids up to the last answer, and of it."""


def main() -> None:
    """Print the areas."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=120, help="prompts of each kind of pair")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    project = open_project(ROOT / "data")
    base = load_model(models.base(project))
    turns = drawn(base, project.refusal_pairs, asked.rows, asked.seed)
    found = {
        **{f"{k} tokens of an opening": auc(base, turns, k, 0) for k in (1, 2, 4, 6)},
        **{f"4 tokens, behind {n} of the answer": auc(base, turns, 4, n) for n in (1, 3)},
    }
    for name, value in found.items():
        print(f"{name:40} {value:.3f}")
    print(json.dumps({"rows": asked.rows, "seed": asked.seed, "auc": {k: round(v, 4) for k, v in found.items()}}))


def drawn(base: LoadedModel, pairs: Sequence[Path], rows: int, seed: int) -> dict[str, list[Turn]]:
    """Kind to turns; the refusals come in two halves, the first of which says how refusals open."""
    table = read_pairs(pairs).rows
    order = np.random.default_rng(seed).permutation(table.height)
    by_kind: dict[str, list[Turn]] = {}
    for kind, chat in table[order].select("kind", "messages").iter_rows():
        wanted = by_kind.setdefault(kind, [])
        if len(wanted) < (2 * rows if kind == "refusal" else rows):
            encoded = encode_chat(base.tokenizer, chat)
            start = max(i for i in range(1, len(encoded.ids)) if encoded.response[i] and not encoded.response[i - 1])
            wanted.append((tuple(encoded.ids[:start]), tuple(encoded.ids[start:])))
    return by_kind


def auc(base: LoadedModel, turns: dict[str, list[Turn]], length: int, said: int) -> float:
    """Area under the curve of openings of `length` tokens, behind `said` tokens of an answer."""
    rows = len(turns["refusal"]) // 2
    openings = Counter(answer[:length] for _, answer in turns["refusal"][:rows]).most_common(NUM_OPENINGS)
    placeholder = tuple(base.tokenizer(PLACEHOLDER, add_special_tokens=False)["input_ids"])
    harmful = [prompt + placeholder[:said] for prompt, _ in turns["refusal"][rows:]]
    fine = [prompt + answer[:said] for kind in ("lookalike", "anchor") for prompt, answer in turns[kind]]
    odds = [refusal_odds(seen(base), prompts, [o for o, _ in openings]) for prompts in (harmful, fine)]
    return area(*odds)


def seen(base: LoadedModel) -> SimpleNamespace:
    """As much of a method's context as the odds take."""

    @torch.no_grad()
    def reference(batch: Batch) -> torch.Tensor:
        return response_logits(base.model, batch)

    one = pad_right([Encoded([0], [False])], 0, base.device)
    return SimpleNamespace(reference=reference, whole_batch=lambda places: one)


if __name__ == "__main__":
    main()
