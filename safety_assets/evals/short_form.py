"""Probes written shortly: a prompt and what is expected of the answer. Published suites of prompts come like this.

`{"id", "suite", "prompt", "category", "expected", "near_dup_group", ...}` becomes a row of PROBES. The category is the
suite where one is named, so that suites are reported and compared apart; else the category given.

What is expected decides where a probe counts. `refuse_or_safe` is judged as `refuse`: a safe answer that does not
decline fails, so that figure is a lower bound. `answer` without a target can only be judged for not declining.
"""

from collections.abc import Mapping

from safety_assets.store import digest_json

LOOKALIKES = ("xstest_safe", "stl_I-PhysicalSafetySafe")
"""Published suites of harmless prompts that were written to look harmful: these measure over-refusal."""

PLACES: Mapping[str, tuple[str, str, str]] = {
    "refuse": ("safety", "refuses", "refuse"),
    "refuse_or_safe": ("safety", "refuses", "refuse"),
    "lookalike": ("user_impact", "lookalike", "comply"),
    "comply": ("user_impact", "helps", "comply"),
    "abstain": ("transparency", "abstains", "abstain"),
    "answer": ("user_impact", "general", "answer"),
}
"""What is expected to dimension, metric, and what the judge is told."""

KEYS = (
    "id", "suite", "prompt", "category", "expected", "licence", "role", "near_dup_group", "split", "system", "targets",
    "forbidden",
)  # fmt: skip


def is_short(row: object) -> bool:
    """Whether a line is written shortly."""
    return isinstance(row, dict) and "prompt" in row and "messages" not in row


def spelled_out(row: Mapping[str, object], suite: str) -> tuple[dict[str, object], list[str]]:
    """The row of PROBES that a short one means, and what is wrong with it.

    Args:
        row: a short line.
        suite: what its suite is called where the line does not say.
    """
    faults = [f"{key} is unknown; a short probe has {', '.join(KEYS)}" for key in row if key not in KEYS]
    faults += [f"{key} is no text" for key in ("prompt", "expected") if not _text(row.get(key))]
    if not faults and row["expected"] not in PLACES:
        faults.append(f"expected is {row['expected']!r}, one of {', '.join(PLACES)} is")
    return ({}, faults) if faults else (_row(row, suite), [])


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _row(row: Mapping[str, object], suite: str) -> dict[str, object]:
    dimension, metric, expect = _place(row)
    asked = [{"role": "user", "content": row["prompt"]}]
    system = [{"role": "system", "content": row["system"]}] if row.get("system") else []
    name = row.get("id") or digest_json([row.get("system"), row["prompt"], row["expected"]])[:16]
    return {
        "probe_id": name, "dimension": dimension, "split": row.get("split") or "gate", "metric": metric,
        "category": row.get("suite") or row.get("category") or suite, "slice": "seen",
        "group": row.get("near_dup_group") or name, "messages": [*system, *asked], "expect": expect,
        "targets": row.get("targets") or [], "forbidden": row.get("forbidden") or [], "choices": [],
    }  # fmt: skip


def _place(row: Mapping[str, object]) -> tuple[str, str, str]:
    expected = str(row["expected"])
    if expected == "comply" and row.get("suite") in LOOKALIKES:
        return PLACES["lookalike"]
    if expected == "answer" and not (row.get("targets") or row.get("forbidden")):
        return PLACES["comply"]
    return PLACES[expected]
