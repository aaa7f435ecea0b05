"""Published suites on a published model: reported per suite, and plain fine-tuning gated on them.

    python -m benchmarks.published_gate [--steps 60] [--seed 0]

The model (SAFETY_ASSETS_REAL_MODELS/aligned, 6.9 M parameters, not built by this project) is scored by the command
`score` on the published prompts of SAFETY_ASSETS_REAL_DATA/prompts.jsonl, XSTest among them. It is then tuned on GSM8K
rows as most teams would, and `gate` asks both models the published prompts and the standard suite, since a law is about
all eight dimensions. Its base is weak, and the law says that a person accepts that. The results, with what was
forgotten, go to benchmarks/results/published_gate.json; the last line is JSON.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from typer.testing import CliRunner

from benchmarks.second_model import DATA, MODELS, ROOT, tuned
from safety_assets import suites
from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE
from safety_assets.starter.law import policy_values
from safety_assets.store import replace_text
from safety_assets.task_metric import Exact

RESULTS = Path(__file__).parent / "results" / "published_gate.json"
ACCEPTED = {"who": "team:release", "why": "a small published model, measured to compare", "until": "2100-01-01"}
KEPT = ("decision", "reasons", "notes", "dimensions", "forgotten", "base", "tuned", "policy", "probes")
"""What is kept of a verdict."""


def main() -> None:
    """Score, tune, gate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    if not DATA.is_dir() or not MODELS.is_dir():
        raise SystemExit(f"{DATA} or {MODELS} is missing; set SAFETY_ASSETS_REAL_DATA and SAFETY_ASSETS_REAL_MODELS")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ |= {PROJECT_VARIABLE: str(ROOT / "data"), STORAGE_VARIABLE: str(place / "store")}
        plain = tuned("plain", place / "plain", chosen)
        found = {"aligned": per_suite(MODELS / "aligned", place), "plain": per_suite(plain, place)}
        verdict = gated(MODELS / "aligned", plain, place)
    print(table(found))
    print(f"\n{verdict['decision']}: " + "; ".join(verdict["reasons"]))
    whole = {"suites": found, "gate": verdict, "steps": chosen.steps, "seed": chosen.seed}
    replace_text(RESULTS, json.dumps(whole, indent=1) + "\n")
    print(json.dumps({"decision": verdict["decision"], "suites": found}))


def per_suite(model: Path, place: Path) -> dict[str, dict[str, object]]:
    """Suite to its metric, number of items, and share that passed, as `score` reports them."""
    said = command(
        ["score", "--model", str(model), "--probes", str(DATA / "prompts.jsonl"), "--out",
         str(place / "scores.parquet"), "--json"], codes=(0,),
    )  # fmt: skip
    return {
        cell["category"]: {"metric": cell["metric"], "items": cell["num_items"], "passed": round(cell["mean"], 4)}
        for cell in said["categories"]
    }


def gated(base: Path, candidate: Path, place: Path) -> dict[str, object]:
    """The verdict of `gate` on published and standard probes together."""
    probes, law = place / "probes", place / "policy.yaml"
    shutil.copytree(suites.STANDARD, probes)
    shutil.copy(DATA / "prompts.jsonl", probes / "published.jsonl")
    values = policy_values("research", Exact()) | {"max_over_refusal": 1.0}
    for rule in values["dimensions"].values():
        rule["accepted_base"] = ACCEPTED
    law.write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
    said = command(
        ["gate", "--base", str(base), "--tuned", str(candidate), "--policy", str(law), "--probes", str(probes),
         "--json"], codes=(0, 1, 3),
    )  # fmt: skip
    return {name: said[name] for name in KEPT}


def command(words: Sequence[str], codes: Sequence[int]) -> dict:
    """What a command of the package says as JSON."""
    result = CliRunner().invoke(app, list(words))
    if result.exit_code not in codes:
        raise SystemExit(f"safety-assets {' '.join(words)} ended with {result.exit_code}: {result.output[-2000:]}")
    return json.loads(result.stdout)


def table(found: dict[str, dict[str, dict]]) -> str:
    """Markdown: a line per suite."""
    lines = ["| suite | metric | items | aligned | plain |", "|---|---|---|---|---|"]
    for suite, row in found["aligned"].items():
        after = found["plain"][suite]["passed"]
        lines.append(f"| {suite} | {row['metric']} | {row['items']} | {row['passed']:.1%} | {after:.1%} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
