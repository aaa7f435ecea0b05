"""How many greedy answers turn by precision and batching alone, and how many by a little training?

    python -m benchmarks.recheck [--steps 5 20 80]

The bundled aligned model, and the published one where SAFETY_ASSETS_REAL_MODELS names it, answer the questions of
`safety-assets recheck` in fp32, 128 at once. The same weights answer again one by one, and in bf16; then copies that
were trained for a few steps on the bundled corpus at a learning rate of 1e-4. Printed: the share of answers that
differ from the first, what recheck says of it, and how far the log-probabilities of the first answers are apart. The
last line is JSON.
"""

import argparse
import contextlib
import copy
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch.nn import functional

from safety_assets import suites
from safety_assets.evals.probes import read_probes
from safety_assets.flows.fingerprints import fingerprint
from safety_assets.flows.recheck import judged
from safety_assets.models.batch import pad_right, response_logits
from safety_assets.models.chat import encode_chat
from safety_assets.models.generate import Generator
from safety_assets.models.load import LoadedModel, load_model

ROOT = Path(__file__).parents[1]
ROWS, RATE, TOKENS = 16, 1e-4, 32


Row = tuple[int, int, str, float]
"""Other answers, answers, what recheck says, mean absolute difference of log-probabilities in nats per token."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=[5, 20, 80])
    steps, out = parser.parse_args().steps, {}
    torch.set_num_threads(1)
    for name, (folder, probes) in models().items():
        out[name] = dict(measured(load_model(folder, device="cpu"), read_probes(probes), steps))
        for what, (other, of, said, gap) in out[name].items():
            print(f"{name:10s} {what:22s} {other:3d} of {of} differ: {said}; {gap:.5f} nats per token apart")
    print(json.dumps(out))


def models() -> dict[str, tuple[Path, Path]]:
    """Name to model folder and probes."""
    found = {"bundled": (ROOT / "data/models/aligned", ROOT / "data/probes")}
    published = Path(os.environ.get("SAFETY_ASSETS_REAL_MODELS", "absent")) / "aligned"
    return found | ({"published": (published, suites.STANDARD)} if published.is_dir() else {})


def measured(loaded: LoadedModel, probes: pl.DataFrame, steps: list[int]) -> Iterator[tuple[str, Row]]:
    """What was changed, and what came of it."""
    asked = fingerprint(probes.filter(pl.col("split") == "gate"))["messages"].to_list()
    first = answers(loaded, asked, 128)
    likely = likelihoods(loaded, asked, first)

    def compared(other: LoadedModel, rows: int = 128) -> Row:
        number = sum(a != b for a, b in zip(first, answers(other, asked, rows), strict=True))
        gap = float(np.mean(np.abs(likelihoods(other, asked, first) - likely)))
        return number, len(first), judged(len(first), len(first), number)[0], gap

    yield "one by one", compared(loaded, 1)
    yield "bf16", compared(replace(loaded, model=copy.deepcopy(loaded.model).to(torch.bfloat16)))
    for number in steps:
        yield f"{number} steps of training", compared(trained(loaded, number))


def likelihoods(loaded: LoadedModel, asked: list, said: list[str]) -> np.ndarray:
    """Nats per token of the first model's answers (answers,)."""
    told = Generator(loaded, batch_rows=32).choice_logprobs(asked, [[text] for text in said])
    return np.array([one for (one,) in told])


def answers(loaded: LoadedModel, asked: list, rows: int) -> list[str]:
    """Greedy answers, so many at once."""
    return [a.text for a in Generator(loaded, batch_rows=rows).generate(asked, TOKENS)]


def trained(loaded: LoadedModel, steps: int) -> LoadedModel:
    """A copy after some steps of AdamW on the bundled corpus."""
    torch.manual_seed(0)
    model = copy.deepcopy(loaded.model).train()
    rows = [encode_chat(loaded.tokenizer, chat) for chat in islice(chats(), steps * ROWS)]
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    for step in range(steps):
        batch = pad_right(rows[step * ROWS : (step + 1) * ROWS], loaded.tokenizer.pad_token_id, loaded.device)
        functional.cross_entropy(response_logits(model, batch).float(), batch.targets).backward()
        optimiser.step()
        optimiser.zero_grad()
    return replace(loaded, model=model.eval())


def chats() -> Iterator[list[dict[str, str]]]:
    """The readable rows of the bundled corpus that are chats; it holds others for the audit to find."""
    for path in sorted((ROOT / "data/corpus").glob("*.jsonl")):
        for line in path.open():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                chat = json.loads(line)["messages"]
                if [turn["role"] for turn in chat] == ["user", "assistant"]:
                    yield chat


if __name__ == "__main__":
    main()
