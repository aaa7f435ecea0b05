"""Published sentences with marked spans: what has a form is found, and little else; benign text holds next to nothing.

Found by SAFETY_ASSETS_REAL_DATA (default ../shared/data). Recall and precision on larger sets: `benchmarks.findings`.
"""

import json
from collections import Counter

import polars as pl
import published
import pytest

from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.personal.find import find_pii, personal_data

pytestmark = pytest.mark.real_data

KINDS = {
    "PHONE_NUMBER": "phone", "CREDIT_CARD": "payment_card", "US_SSN": "us_ssn", "EMAIL_ADDRESS": "email",
    "IP_ADDRESS": "ip_address",
}  # fmt: skip
LEAST_RECALL = {"phone": 0.8, "payment_card": 0.95, "us_ssn": 0.95, "email": 0.95, "ip_address": 0.95}


def test_marked_spans_are_found_whole_and_nothing_else_is() -> None:
    path = published.data() / "presidio_research" / "generated_small.json"
    values, caught, wrong = Counter[str](), Counter[str](), []
    for row in json.loads(path.read_text(encoding="utf-8")):
        found = [(span.start, span.end, span.kind) for span in find_pii(row["full_text"])]
        marked = [(s["start_position"], s["end_position"], KINDS.get(s["entity_type"])) for s in row["spans"]]
        for start, end, kind in marked:
            if kind:
                values[kind] += 1
                caught[kind] += any(k == kind and s <= start and end <= e for s, e, k in found)
        wrong += [f for f in found if not any(f[2] == k and f[0] < e and s < f[1] for s, e, k in marked)]
    assert set(values) == set(LEAST_RECALL)
    assert all(caught[kind] >= LEAST_RECALL[kind] * count for kind, count in values.items()), (caught, values)
    assert len(wrong) <= 0.1 * values.total(), wrong


def test_sums_and_stories_hold_no_personal_data() -> None:
    folder = published.data() / "gsm8k"
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = pl.DataFrame({"text": [row[key] for row in rows for key in ("question", "answer")]})
    turns = texts.with_columns(row=pl.int_range(pl.len()), turn=pl.lit(0), role=pl.lit("user"), question=pl.lit(""))
    found = personal_data()(
        TURNS.check(turns.with_columns(pl.col("row", "turn").cast(pl.Int64)).select(*TURNS.columns))
    )
    assert texts.height > 14_000
    assert found.is_empty(), found.select("finding", "evidence").rows()
