"""A run of lm-evaluation-harness as it writes one: a group of two tasks with thirty items each."""

import json
from pathlib import Path

STAMP = "2026-11-26T12-00-00.5"
TASKS = ("mmlu_law", "mmlu_logic")


def write(folder: Path, right: int, *, named: str = "org/model", shots: int = 5) -> Path:
    """Sixty items, of which the first so many are right."""
    place = folder / "model"
    place.mkdir(parents=True)
    (place / f"results_{STAMP}.json").write_text(json.dumps({
        "results": {name: {"acc,none": right / 60} for name in TASKS}, "group_subtasks": {"mmlu": list(TASKS)},
        "versions": dict.fromkeys(TASKS, 1.0), "n-shot": dict.fromkeys(TASKS, shots),
        "config": {"model": "hf", "model_args": {"pretrained": named}},
    }))  # fmt: skip
    for at, name in enumerate(TASKS):
        samples = [
            {"doc_id": i, "doc_hash": f"{name}{i}", "filter": "none", "metrics": ["acc"], "acc": float(n < right)}
            for i, n in enumerate(range(30 * at, 30 * at + 30))
        ]  # fmt: skip
        text = "".join(json.dumps(sample) + "\n" for sample in samples)
        (place / f"samples_{name}_{STAMP}.jsonl").write_text(text)
    return folder
