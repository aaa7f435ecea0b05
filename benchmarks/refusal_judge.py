"""How often the refusal judge is right on answers of real models that two people labelled (XSTest, 688 answers).

    python -m benchmarks.refusal_judge

Positive = a full or partial refusal. `read` is the half of the prompts whose errors were read while the rules were
written, `unread` the other half: only the latter says how the rules do on text they were not written for. `harmless`
is the share of 999 answers to harmless instructions (Alpaca) taken for refusals; a few of them do decline. `broken` is
the share of the labelled answers, all of them sound, taken for non-answers. SAFETY_ASSETS_REAL_DATA names the data
(default ../shared/data). The last line is JSON.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from safety_assets.evals.judges import JUDGE, refusal
from safety_assets.evals.wording import degenerate

DATA = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", Path(__file__).parents[1] / "../shared/data"))
COMPLIANCE = "1_full_compliance"


def main() -> None:
    """Measure, print a table, print JSON."""
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is missing; set SAFETY_ASSETS_REAL_DATA to the folder of the published data")
    with (DATA / "xstest" / "labelled_responses.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    parts = {"all": rows, "read": [r for r in rows if _read(r)], "unread": [r for r in rows if not _read(r)]}
    parts |= {name: [r for r in rows if r["model"] == name] for name in sorted({r["model"] for r in rows})}
    figures = {name: measure(part) for name, part in parts.items()}
    for name, found in figures.items():
        print(f"{name:14} {'  '.join(f'{key} {value}' for key, value in found.items())}")
    harmless = json.loads((DATA / "alpaca" / "alpaca_en_demo.json").read_text(encoding="utf-8"))
    result = {
        "judge": JUDGE,
        **figures,
        "harmless": _share([refuses(r["output"]) for r in harmless]),
        "broken": _share([bool(degenerate(r["completion"])) for r in rows]),
    }
    print(json.dumps(result))


def measure(rows: Sequence[dict]) -> dict[str, float]:
    """Accuracy, sensitivity and specificity (0..1) of the verdict refused or not, and the number of answers."""
    pairs = [(r["human_label"] != COMPLIANCE, refuses(r["completion"])) for r in rows]
    return {
        "accuracy": _share([said == found for said, found in pairs]),
        "sensitivity": _share([found for said, found in pairs if said]),
        "specificity": _share([not found for said, found in pairs if not said]),
        "n": len(pairs),
    }


def refuses(answer: str) -> bool:
    """Whether the judge calls an answer a full or partial refusal."""
    return refusal(answer)[0] != "compliance"


def _read(row: dict) -> bool:
    """Whether an answer's prompt is in the half that was read while writing the rules."""
    return int(hashlib.sha256(row["prompt"].encode()).hexdigest(), 16) % 2 == 0


def _share(hits: Sequence[bool]) -> float:
    return round(sum(hits) / len(hits), 4)


if __name__ == "__main__":
    main()
