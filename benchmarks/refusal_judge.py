"""How often the refusal judge is right on answers of real models that two people labelled (XSTest, 688 answers).

    python -m benchmarks.refusal_judge [--write]

Positive = a full or partial refusal. `shipped` is the judge as it comes, fitted to text of our own: `read` is the half
of the prompts whose errors were read while rules and text were written, `unread` the other half: only the latter says
how it does on text it was not written for. `refitted` is the same pipeline fitted to these labels, each answer judged
by models that saw neither the answering model nor the prompt. `rates` are refusal rates by label and by verdict, per
model, on safe and on unsafe prompts apart, and their difference in points; of the answers to unsafe prompts only full
refusals are published, so there the difference is what is missed. `harmless` is the share of 999 answers to harmless
instructions (Alpaca) taken for refusals; a few of them do decline. `broken` is the share of the labelled answers, all
of them sound, taken for non-answers. `turned` is the share of refusals of real models that are taken for a refusal
which then hands over what was asked; none does. SAFETY_ASSETS_REAL_DATA names the data (default ../shared/data).
`--write` keeps the figures beside the shipped weights. The last line is JSON.
"""

import argparse
import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from safety_assets.evals.turned import turns
from safety_assets.reading.answers import MEASURED, MEASURED_AS, Reading, fingerprint, read_answers
from safety_assets.reading.figures import agreement, calibration, rate_errors, worst
from safety_assets.reading.refit import Labelled, refit

DATA = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", Path(__file__).parents[1] / "../shared/data"))
LABELS = {"1_full_compliance": "compliance", "2_full_refusal": "full_refusal", "3_partial_refusal": "partial_refusal"}
ON = "XSTest: published answers of three models, two people's labels; full or partial refusal against compliance"
ROUNDS = 3
"""Times that speed is taken; the best counts."""


def main() -> None:
    """Measure, print a table, print JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refusal_judge", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the figures of the shipped judge with its weights")
    write = parser.parse_args().write
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is missing; set SAFETY_ASSETS_REAL_DATA to the folder of the published data")
    rows = labelled_rows(DATA)
    record, table = shipped(rows, DATA)
    again = refitted(rows)
    for name, found in {**table, "refitted": again}.items():
        print(
            f"{name:14} {'  '.join(f'{key} {found[key]}' for key in ('accuracy', 'sensitivity', 'specificity', 'n'))}"
        )
    for of, rates in (("shipped", record["rates"]), ("refitted", again["rates"])):
        for name, rate in rates.items():
            print(f"{of:14} {name:20} {'  '.join(f'{key} {value}' for key, value in rate.items())}")
    if write:
        MEASURED.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(
        json.dumps({
            **record, "parts": table, "refitted": again, "turned": turned(rows, DATA),
            "answers_per_second": speed(rows),
        })
    )  # fmt: skip


def labelled_rows(data: Path) -> list[dict]:
    """The published answers with their labels."""
    with (data / "xstest" / "labelled_responses.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def shipped(rows: Sequence[dict], data: Path) -> tuple[dict, dict[str, dict]]:
    """The record of the judge as it comes, and its figures by part of the answers."""
    readings = read_answers([row["completion"] for row in rows])
    parts = {
        "all": [True] * len(rows),
        "read": [_read(row) for row in rows],
        "unread": [not _read(row) for row in rows],
    }
    parts |= {name: [row["model"] == name for row in rows] for name in sorted({row["model"] for row in rows})}
    table = {name: _agreement(rows, readings, part) for name, part in parts.items()}
    verdicts = ["compliance" if one.verdict == "hedged" else one.verdict for one in readings]
    right = [LABELS[row["human_label"]] == said for row, said in zip(rows, verdicts, strict=True)]
    rates = rate_errors(_truth(rows), [one.refuses for one in readings], _groups(rows))
    harmless = json.loads((data / "alpaca" / "alpaca_en_demo.json").read_text(encoding="utf-8"))
    record = {
        "judge": MEASURED_AS, "fingerprint": fingerprint(), "on": ON, **table["all"], "unread": table["unread"],
        "rates": rates, "worst_points": worst(rates),
        "verdict": calibration(right, [one.confidence for one in readings]),
        "refused": _calibrated(rows, [one.refused for one in readings]),
        "harmless": _share([one.refuses for one in read_answers([row["output"] for row in harmless])]),
        "broken": _share([one.verdict == "non_answer" for one in readings]),
    }  # fmt: skip
    return record, table


def refitted(rows: Sequence[dict]) -> dict:
    """Figures of the pipeline fitted to these labels, on held-out models and prompts."""
    labelled = [Labelled(row["completion"], LABELS[row["human_label"]], row["prompt"], row["model"]) for row in rows]
    shares = refit(labelled).refused
    rates = rate_errors(_truth(rows), list(shares > 0.5), _groups(rows))
    return {
        **agreement(_truth(rows), list(shares > 0.5)), "rates": rates, "worst_points": worst(rates),
        "refused": _calibrated(rows, list(shares)),
    }  # fmt: skip


def turned(rows: Sequence[dict], data: Path) -> dict[str, float]:
    """Share of refusals that `turns` takes for no pass: full and partial ones as labelled, and safe answers."""
    safe = json.loads((data / "safety_tuned_llamas" / "safety_only_data_Instructions.json").read_text(encoding="utf-8"))
    texts = {
        name: [row["completion"] for row in rows if LABELS[row["human_label"]] == name]
        for name in ("full_refusal", "partial_refusal")
    }
    texts["safe_answers"] = [row["output"] for row in safe]
    out: dict[str, float] = {}
    for name, own in texts.items():
        refused = [(text, one) for text, one in zip(own, read_answers(own), strict=True) if one.refuses]
        out |= {name: _share([bool(turns(*each)) for each in refused]), f"num_{name}": len(refused)}
    return out


def speed(rows: Sequence[dict]) -> int:
    """Answers judged in a second of processor time, on one core."""
    texts = [row["completion"] for row in rows]
    return round(len(texts) / min(_seconds(texts) for _ in range(ROUNDS)))


def _seconds(texts: Sequence[str]) -> float:
    began = time.process_time()
    read_answers(texts)
    return time.process_time() - began


def _agreement(rows: Sequence[dict], readings: Sequence[Reading], part: Sequence[bool]) -> dict:
    chosen = [(row, one) for row, one, inside in zip(rows, readings, part, strict=True) if inside]
    return agreement(_truth([row for row, _ in chosen]), [one.refuses for _, one in chosen])


def _calibrated(rows: Sequence[dict], shares: Sequence[float]) -> dict:
    """Calibration of refused or not: confidence is the share of the likelier of the two."""
    share = np.array(shares)
    return calibration(list((share > 0.5) == np.array(_truth(rows))), list(np.maximum(share, 1 - share)))


def _truth(rows: Sequence[dict]) -> list[bool]:
    return [LABELS[row["human_label"]] != "compliance" for row in rows]


def _groups(rows: Sequence[dict]) -> list[str]:
    return [f"{row['model']} {'unsafe' if row['type'].startswith('contrast') else 'safe'}" for row in rows]


def _read(row: dict) -> bool:
    """Whether an answer's prompt is in the half that was read while writing."""
    return int(hashlib.sha256(row["prompt"].encode()).hexdigest(), 16) % 2 == 0


def _share(hits: Sequence[bool]) -> float:
    return round(sum(hits) / len(hits), 4)


if __name__ == "__main__":
    main()
