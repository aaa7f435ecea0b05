"""How well the policy category of a request is told, on published requests whose suites sort them.

    python -m benchmarks.policy_categories [--write]

Suites name other categories than we do; where one of theirs is one of ours (do_not_answer's intents, the harm areas of
simple_safety_tests, XSTest's discrimination and privacy contrasts), `right` is the share told as that category, `found`
the share told as any, `precise` the share of the found ones that is right. `unread` is the half of the requests that
nobody read while the training text was written. `harmless` are shares of requests that touch nothing, taken for
touching something: Alpaca instructions, self-instruct, answerable questions (SelfAware), and XSTest's safe look-alikes,
which are written to share words with harmful ones. SAFETY_ASSETS_REAL_DATA names the data (default ../shared/data).
`--write` keeps the figures beside the shipped weights. The last line is JSON.
"""

import argparse
import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from safety_assets.reading.requests import CATEGORIES, MEASURED, fingerprint, touched

DATA = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", Path(__file__).parents[1] / "../shared/data"))
ON = "published requests of do_not_answer, simple_safety_tests and XSTest whose categories are ours under other names"
INTENTS = {
    "S001dis": "misinformation", "S001mis": "misinformation", "S001fab": "misinformation",
    "S001fabperson": "misinformation", "S002med": "regulated_advice", "S002legal": "regulated_advice",
    "S002fin": "regulated_advice", "S004lewd": "sexual_content", "S004describe": "sexual_content",
    "S004erotica": "sexual_content", "S005bully": "hate", "S005hate": "hate", "S005profanity": "hate", "S007": "hate",
    "S006sh": "self_harm", "S006threat": "weapons", "S006violence": "weapons", "S006items": "weapons",
    "S008code": "cyber", "S008spam": "cyber", "S008mal": "cyber", "S008phish": "cyber", "S009private": "privacy",
    "S009personal": "privacy", "S009cred": "privacy",
}  # fmt: skip
"""do_not_answer's first intent of a request."""
AREAS = {
    "Suicide, Self-Harm, and Eating Disorders": ("self_harm",), "Scams and fraud": ("fraud",),
    "Physical harm and Violence": ("weapons",), "Illegal and Highly Regulated items": ("drugs", "weapons"),
}  # fmt: skip
CONTRASTS = {"contrast_discr": "hate", "contrast_privacy": "privacy"}
HARMLESS = ("self_instruct_user", "selfaware_answerable", "xstest_safe")
ROUNDS = 3


def main() -> None:
    """Measure, print a table, print JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy_categories", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the figures with the weights")
    write = parser.parse_args().write
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is missing; set SAFETY_ASSETS_REAL_DATA to the folder of the published data")
    prompts = published(DATA)
    record = measure(prompts, DATA)
    for name, found in {"all": record, "unread": record["unread"], **record["by_category"]}.items():
        print(f"{name:17} {'  '.join(f'{key} {found[key]}' for key in ('right', 'found', 'precise', 'n'))}")
    for name, share in record["harmless"].items():
        print(f"harmless {name:22} {share}")
    if write:
        MEASURED.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({**record, "turns_per_second": speed([row["prompt"] for row in prompts])}))


def published(data: Path) -> list[dict]:
    """Requests of all suites."""
    with (data / "prompts.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def measure(prompts: Sequence[dict], data: Path) -> dict:
    """The record of the model of requests."""
    told = [(row, ours(row)) for row in prompts if ours(row)]
    found = touched([row["prompt"] for row, _ in told])
    hits = [(row, want, one.category) for (row, want), one in zip(told, found, strict=True)]
    harmless = {name: [row["prompt"] for row in prompts if row["suite"] == name] for name in HARMLESS}
    alpaca = json.loads((data / "alpaca" / "alpaca_en_demo.json").read_text(encoding="utf-8"))
    harmless["alpaca"] = [f"{row['instruction']} {row['input']}" for row in alpaca]
    return {
        "fingerprint": fingerprint(), "on": ON, **_shares(hits),
        "unread": _shares([hit for hit in hits if not _read(hit[0])]),
        "by_category": {name: _shares([hit for hit in hits if name in hit[1]]) for name in CATEGORIES},
        "harmless": {name: _share([bool(one.category) for one in touched(texts)]) for name, texts in harmless.items()},
    }  # fmt: skip


def ours(row: dict) -> tuple[str, ...]:
    """Our categories that a published one stands for; none where it stands for none."""
    suite, category = row["suite"], row["category"]
    if suite.startswith("do_not_answer"):
        return (INTENTS[category],) if category in INTENTS else ()
    if suite == "simple_safety_tests":
        return AREAS.get(category, ())
    return (CONTRASTS[category],) if suite == "xstest_unsafe" and category in CONTRASTS else ()


def speed(texts: Sequence[str]) -> int:
    """Requests told in a second of processor time, on one core."""
    return round(len(texts) / min(_seconds(texts) for _ in range(ROUNDS)))


def _seconds(texts: Sequence[str]) -> float:
    began = time.process_time()
    touched(texts)
    return time.process_time() - began


def _shares(hits: Sequence[tuple[dict, tuple[str, ...], str]]) -> dict:
    right = [said in want for _, want, said in hits]
    some = [bool(said) for _, _, said in hits]
    return {
        "right": _share(right), "found": _share(some), "n": len(hits),
        "precise": round(sum(right) / sum(some), 4) if any(some) else None,
    }  # fmt: skip


def _read(row: dict) -> bool:
    """Whether a request is in the half that was read while writing."""
    return int(hashlib.sha256(row["prompt"].encode()).hexdigest(), 16) % 2 == 0


def _share(hits: Sequence[bool]) -> float | None:
    return round(sum(hits) / len(hits), 4) if hits else None


if __name__ == "__main__":
    main()
