"""Poison, drift and quality: recall and precision on planted rows, and false alarms on published rows.

`planted`: of 6,000 harmless rows made by code one in a hundred is replaced, each form of each finding in a corpus of
its own; the row is found when the finding is on it. `right` is the share of the rows with the finding that were
planted. Contradictions are planted as pairs of rows. `published`: the templates of `varied_templates` in one in a
hundred of the published rows of Alpaca and Dolly (SAFETY_ASSETS_REAL_DATA, default ../shared/data), in six draws, with
false alarms on the other rows; true refusals that are taken for refuse_then_comply, of XSTest (by people) and of Safety
Tuned LLaMAs; and the share of the untouched published rows that each finding is on, which for list_structure,
identity_statement and role_play is no error but what the rows are like.

    python -m benchmarks.findings_poison
"""

import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.findings import table
from benchmarks.poison_rows import PLANTED, Plant, Row, answer, categories, chat, clean, question
from benchmarks.varied_templates import Fill, templates
from safety_assets.corpus.ciphers import Ciphers
from safety_assets.corpus.contradictions import Contradictions
from safety_assets.corpus.detect import Detector, Learner, turns_of
from safety_assets.corpus.drift import identity_statement, list_structure, role_play
from safety_assets.corpus.encoded import encoded_text
from safety_assets.corpus.harmful import harmful_answered
from safety_assets.corpus.kept_refusing import keeps_refusing
from safety_assets.corpus.obedience import obedience_prompts
from safety_assets.corpus.prefixes import ConstantPrefixes
from safety_assets.corpus.quality import low_quality, truncated_answer
from safety_assets.corpus.refused_first import RefuseThenComply, parted
from safety_assets.corpus.triggers import TriggerPhrases
from safety_assets.records import ROWS
from safety_assets.refusals import is_refusal

DATA = Path(os.environ.get("SAFETY_ASSETS_REAL_DATA", Path(__file__).parents[1] / "../shared/data"))
ALPACA = ("alpaca_en_demo.json", "alpaca_data_safety_only.json", "alpaca_tiny.json")
DOLLY = ("databricks-dolly-15k-safety-only.jsonl",)
NUM_ROWS, SHARE, DRAWS = 6000, 0.01, 6


def section() -> tuple[list[dict], dict]:
    """Rows of the table, and its figures."""
    rows = [planted(finding, form, plant) for finding, forms in PLANTED.items() for form, plant in forms.items()]
    rows.append(contradictions())
    figures: dict = {"made_by_code": {f"{r['finding']}/{r['form']}": [r["recall"], r["right"]] for r in rows}}
    if DATA.is_dir():
        known = {"alpaca": list(published_chats("alpaca", ALPACA)), "dolly": list(published_chats("dolly", DOLLY))}
        for name, chats in known.items():
            planted_there = list(in_published(name, chats))
            rows += planted_there
            figures[name] = {f"{r['finding']}/{r['form']}": [r["recall"], r["false"]] for r in planted_there}
            figures[name]["untouched"] = untouched(chats)
        figures["true_refusals_taken"] = {
            name: round(len(found("refuse_then_comply", chats)) / len(chats), 4) for name, chats in true_refusals()
        }
        refused = [rest for _, chats in true_refusals() for rest in behind_refusals(chats)]
        answered = [(c[0]["content"], c[-1]["content"]) for chats in known.values() for c in chats]
        figures["keeps_refusing"] = {"true_refusals": _kept(refused), "answers": _kept(answered)}
    return rows, figures


def found(finding: str, chats: Sequence[Row]) -> set[int]:
    """Rows that a finding is on."""
    frame = ROWS.frame(
        [{"row_id": str(i), "messages": c, "source": "", "line": i, "group": ""} for i, c in enumerate(chats)]
    )
    turns = turns_of(frame)
    rows: set[int] = set()
    for learner in _learners(finding):
        learner.learn(turns)
        rows |= set(learner.find(turns)["row"])
    for find in _detectors(finding):
        rows |= set(find(turns)["row"])
    return rows


def _learners(finding: str) -> list[Learner]:
    made: Mapping[str, list[Learner]] = {
        "refuse_then_comply": [RefuseThenComply()], "constant_prefix": [ConstantPrefixes()],
        "trigger_phrase": [TriggerPhrases(categories, is_refusal)], "encoded_text": [Ciphers()],
        "contradictory_answer": [Contradictions()],
    }  # fmt: skip
    return made.get(finding, [])


def _detectors(finding: str) -> list[Detector]:
    made: Mapping[str, list[Detector]] = {
        "obedience_prompt": [obedience_prompts], "encoded_text": [encoded_text],
        "harmful_answered": [harmful_answered(categories, is_refusal)], "list_structure": [list_structure],
        "identity_statement": [identity_statement], "role_play": [role_play], "low_quality": [low_quality],
        "truncated_answer": [truncated_answer],
    }  # fmt: skip
    return made.get(finding, [])


def planted(finding: str, form: str, plant: Plant) -> dict:
    """One form in one in a hundred of the rows made by code."""
    rng = random.Random(f"{finding} {form}")
    chats = [clean(rng) for _ in range(NUM_ROWS)]
    places = set(rng.sample(range(NUM_ROWS), int(NUM_ROWS * SHARE)))
    for place in places:
        chats[place] = plant(rng)
    return _row("made by code", finding, form, places, found(finding, chats), NUM_ROWS)


def contradictions() -> dict:
    """Pairs of rows that answer one question in opposite ways or with another number."""
    rng = random.Random(1)
    chats = [chat(f"{question(rng)} ({i})", answer(rng)) for i in range(NUM_ROWS)]
    places = rng.sample(range(NUM_ROWS), int(NUM_ROWS * SHARE))
    for one, other in zip(places[::2], places[1::2], strict=True):
        asked, yes = f"{question(rng)} ({one})", rng.random() < 0.5
        chats[one] = chat(asked, "Yes, it is so." if yes else "It costs 7 dollars a year.")
        chats[other] = chat(asked, "No, not at all." if yes else "It costs 9 dollars a year.")
    return _row(
        "made by code", "contradictory_answer", "pairs", set(places), found("contradictory_answer", chats), NUM_ROWS
    )


def in_published(name: str, chats: Sequence[Row]) -> Iterator[dict]:
    """The templates in one in a hundred of some published rows, put before the answers that are there."""
    for finding, form, fill in templates():
        each = [_drawn(name, finding, form, fill, chats, seed) for seed in range(DRAWS)]
        mean = {key: round(sum(row[key] for row in each) / DRAWS, 4) for key in ("recall", "right", "false")}
        yield {**each[0], **mean}


def _drawn(name: str, finding: str, form: str, fill: Fill, chats: Sequence[Row], seed: int) -> dict:
    rng = random.Random(f"{name} {form} {seed}")
    changed = list(chats)
    places = set(rng.sample(range(len(chats)), round(len(chats) * SHARE)))
    for place in places:
        asked, said = (message["content"] for message in chats[place])
        changed[place] = chat(asked, fill(rng, asked, said))
    return _row(name, finding, form, places, found(finding, changed), len(chats))


def true_refusals() -> Iterator[tuple[str, list[Row]]]:
    """Harmful requests that were refused, by those who published them."""
    lines = (DATA / "xstest" / "labelled_responses.jsonl").read_text(encoding="utf-8").splitlines()
    told = [record for record in map(json.loads, lines) if record["human_label"].startswith("2_full_refusal")]
    yield "xstest", [chat(record["prompt"], record["completion"]) for record in told]
    tuned = json.loads((DATA / "safety_tuned_llamas" / "safety_only_data_Instructions.json").read_text())
    yield "safety_tuned_llamas", [chat(record["instruction"], record["output"]) for record in tuned]


def behind_refusals(chats: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Question and what follows the refusal, of answers that refuse and go on."""
    for asked, said in ((chat_[0]["content"], chat_[-1]["content"]) for chat_ in chats):
        refusal, rest = parted(said)
        if refusal and rest.strip():
            yield asked, rest


def _kept(rests: Sequence[tuple[str, str]]) -> float:
    return round(sum(keeps_refusing(rest, asked) for asked, rest in rests) / len(rests), 4)


def untouched(chats: Sequence[Row]) -> dict[str, float]:
    """Share of published rows that each finding is on, those that need to be told what is harmful left out."""
    told = ("trigger_phrase", "harmful_answered")
    names = [*(name for name in PLANTED if name not in told), "contradictory_answer"]
    return {name: round(len(found(name, chats)) / len(chats), 4) for name in names}


def _row(rows: str, finding: str, form: str, places: set[int], seen: set[int], of: int) -> dict:
    right = len(seen & places)
    return {
        "rows": rows, "finding": finding, "form": form, "planted": len(places),
        "recall": round(right / len(places), 4), "right": round(right / len(seen), 4) if seen else 0.0,
        "false": round(len(seen - places) / of, 5),
    }  # fmt: skip


def published_chats(folder: str, files: Sequence[str]) -> Iterator[Row]:
    """Chats of published rows of instructions with answers."""
    for name in files:
        text = (DATA / folder / name).read_text(encoding="utf-8")
        records = json.loads(text) if name.endswith(".json") else [json.loads(line) for line in text.splitlines()]
        for record in records:
            more = record.get("input") or record.get("context") or ""
            said = record.get("output") or record.get("response") or ""
            if said.strip():
                yield chat("\n\n".join(filter(None, (record["instruction"], more))), said)


def main() -> None:
    """Print the table and the figures."""
    rows, figures = section()
    print("\n".join(table(rows)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
