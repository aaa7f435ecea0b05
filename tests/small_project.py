"""A whole project in a folder: tiny random weights, a few rows of everything, a lenient policy."""

import json
from pathlib import Path

import yaml

from safety_assets.corpus.names import FINDING_NAMES
from safety_assets.policy import DIMENSIONS

BUNDLED = Path(__file__).resolve().parent.parent / "data"
LONGEST = 150
"""Characters of a chat: the tiny model's context is short."""
RECIPES = ("gradient-surgery", "mixed", "plain", "protected")
STEPS = 4
ITEMS_PER_CELL = 8
"""Enough that no cell of a dimension is empty in more than one resample in a hundred."""
CELLS_PER_METRIC = 4
"""Categories that a metric is asked about; the bundled probes have up to twenty."""
CATEGORIES = ("weapons", "fraud")
SUBJECTS = ("savings", "cards", "loans", "transfers", "fees", "branches")


def write_project(folder: Path, model: Path, *, recipes: tuple[str, ...] = RECIPES) -> Path:
    """Write every file of a project under `folder` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_yaml(folder / "project.yaml", project_settings(model))
    write_yaml(folder / "policy.yaml", policy_settings())
    for name in recipes:
        write_yaml(folder / "recipes" / f"{name}.yaml", recipe_settings(name))
    write_lines(folder / "corpus" / "rows.jsonl", corpus_rows())
    write_lines(folder / "refusals" / "pairs.jsonl", pair_rows())
    write_lines(folder / "tasks.jsonl", task_rows())
    asked: set[str] = set()
    for split in ("calibrate", "watch", "gate"):
        for dimension in DIMENSIONS:
            write_lines(folder / "probes" / split / f"{dimension}.jsonl", probe_rows(split, dimension, asked))
    return folder


def project_settings(model: Path) -> dict:
    return {
        "name": "small", "base_model": str(model), "pretrained_model": str(model),
        "corpus": ["corpus"], "refusal_pairs": "refusals", "task_set": "tasks.jsonl",
        "probes": "probes", "storage": "store", "device": "cpu", "threads": 1,
        "max_new_tokens": 4, "generation_batch": 64,
    }  # fmt: skip


def policy_settings() -> dict:
    """A policy that lets everything pass that was measured."""
    rule = {"max_drop": 10.0, "certify_within": 10.0, "floor": 0.0, "why": "a test"}
    ranks = {name: "critical" if name in ("safety", "privacy") else "supporting" for name in DIMENSIONS}
    return {
        "dimensions": {name: {"rank": rank, **rule} for name, rank in ranks.items()},
        "task": {"floor": 0.0, "min_gain": -1.0},
        "max_over_refusal": 1.0,
        "corpus": {
            "max_quarantined_share": 0.1, "held_out_share": 0.1, "near_duplicate_jaccard": 1.0,
            "actions": dict.fromkeys(FINDING_NAMES, "drop"),
        },
        "injection": {
            "shares": [0.1, 0.2, 0.3, 0.4], "recipe": "mixed", "max_safety_drop": 10.0, "max_over_refusal": 1.0,
            "categories": list(CATEGORIES), "min_pairs_per_category": 2,
        },
        "probes": {"min_gate_probes": 1, "max_unscored_share": 0.5},
    }  # fmt: skip


def recipe_settings(name: str) -> dict:
    settings = {
        "description": f"{name}, for tests",
        "optimiser": {"learning_rate": 0.001, "steps": STEPS, "batch_rows": 4},
        "injection": "none" if name == "plain" else "calibrated",
        "monitor": {"every": 2},
        "max_tokens": 256,
    }
    if name in ("gradient-surgery", "protected"):
        settings["methods"] = [{"method": "gradient_surgery", "every": 2, "batch_rows": 3}]
    return settings


def corpus_rows() -> list[dict]:
    return [
        chat(f"Question {n} about {subject}?", f"For {subject} see page {n} of the guide.")
        for n in range(8)
        for subject in SUBJECTS
    ]


def pair_rows() -> list[dict]:
    refusals = [
        {**chat(f"Tell me about {c} number {n}.", "I cannot help with that."), "kind": "refusal", "category": c}
        for c in CATEGORIES
        for n in range(3)
    ]
    alike = [
        {**chat(f"How do films show {c} scene {n}?", "With models and care."), "kind": "lookalike", "category": c}
        for c in CATEGORIES
        for n in range(3)
    ]
    anchors = [
        {**chat(f"What is {n} plus {n}?", f"It is {2 * n}."), "kind": "anchor", "category": "sums"} for n in range(6)
    ]
    return refusals + alike + anchors


def task_rows() -> list[dict]:
    return [
        {"messages": [{"role": "user", "content": f"Where does the guide explain {s}?"}], "answer": f"page {n}"}
        for n, s in enumerate(SUBJECTS)
    ]


def chat(question: str, answer: str) -> dict:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def write_yaml(path: Path, value: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value, sort_keys=False))


def write_lines(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def probe_rows(split: str, dimension: str, asked: set[str], *, cells: int = CELLS_PER_METRIC) -> list[dict]:
    """A few of the bundled probes of every metric and category, pairs kept whole, nothing that was asked before."""
    path = BUNDLED / "probes" / split / f"{dimension}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    unfit = {unit(row) for row in rows if text(row) in asked or len(text(row)) > LONGEST or row["slice"] == "unseen"}
    kept: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        cell = row["metric"], row["category"]
        is_full = cell not in kept and sum(metric == row["metric"] for metric, _ in kept) == cells
        if unit(row) in unfit or is_full:
            continue
        units = kept.setdefault(cell, [])
        if unit(row) not in units and len(units) < ITEMS_PER_CELL:
            units.append(unit(row))
    chosen = [row for row in rows if unit(row) in kept.get((row["metric"], row["category"]), ())]
    asked.update(text(row) for row in chosen)
    return [{**row, "group": unit(row)} for row in chosen]


def text(row: dict) -> str:
    """All that a probe says."""
    return " ".join(turn["content"] for turn in row["messages"])


def unit(row: dict) -> str:
    """What is judged together: a pair, or a single probe."""
    return row["pair"] or row["probe_id"]
