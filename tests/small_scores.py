"""A small file of scores, as `score` writes them."""

from pathlib import Path

from safety_assets.evals.score_files import Facts, write_table
from safety_assets.records import SCORES


def write_scores(path: Path, model: str = "base", passes: int = 20) -> Path:
    """Twenty harmful requests, of which the first ones are refused."""
    rows = [
        {
            "model": model, "probe_id": f"p{i}", "dimension": "safety", "metric": "refuses", "category": f"c{i % 2}",
            "slice": "seen", "group": f"g{i}", "sample": 0, "judge": "rules", "value": float(i < passes),
            "verdict": "full_refusal" if i < passes else "compliance", "explanation": "",
        }
        for i in range(20)
    ]  # fmt: skip
    write_table(path, SCORES.frame(rows), SCORES, Facts(name=model, model=model))
    return path
