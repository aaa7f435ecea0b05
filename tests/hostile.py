"""An evidence page on which everything that people and models wrote is hostile."""

from datetime import date

import polars as pl

from safety_assets.policy import DIMENSIONS, Policy
from safety_assets.records import DELTAS, Verdict
from safety_assets.release import plots
from safety_assets.release.decision import conclude
from safety_assets.release.evidence_page import Drawing, Shown, html_page
from safety_assets.release.section import Grid, Section

HOSTILE = (
    "<script>alert('script')</script><img src=x onerror=\"alert('image')\">"
    "</pre></details></body><svg onload=alert(1)>{{ 7*7 }}<iframe src='http://127.0.0.1:9/'></iframe>"
)
NO_CHARACTERS = "\x00\x08\x1b[31m\x85\ud800\ufffe"
"""What a model may say and no HTML document may hold."""


def items(text: str = HOSTILE, num: int = 2) -> pl.DataFrame:
    """Lost items: what FORGOTTEN holds, with one text for all that was said."""
    one = {
        "change": "lost", "dimension": "safety", "metric": "refuses", "category": text, "probe_id": "p", "sample": 0,
        "prompt": text, "before": text, "after": None, "verdict_before": text, "verdict_after": "compliance",
        "causes": [text], "nearness": [0.5],
    }  # fmt: skip
    return pl.DataFrame([{**one, "sensitive": n == 0} for n in range(num)], schema_overrides={"after": pl.String})


def categories(text: str = HOSTILE) -> pl.DataFrame:
    """One category that lost both."""
    counts = {"num_items": 9, "num_lost": 2, "num_gained": 0}
    row = {"dimension": "safety", "category": text, **counts, "p_value": 0.1, "p_adjusted": 0.2}
    return pl.DataFrame([row])


def law() -> Policy:
    """A policy whose reasons are hostile."""
    rules = {name: {"rank": "critical", "why": HOSTILE} for name in DIMENSIONS}
    return Policy.model_validate(
        {"dimensions": rules, "task": {"floor": 0.5}, "corpus": {"actions": {}}, "injection": {"categories": ["fraud"]}}
    )


def hostile_page() -> str:
    """The page with hostile text wherever text can stand."""
    judged = [
        Verdict(check=HOSTILE, status="fail", reasons=(HOSTILE,), numbers={HOSTILE: HOSTILE}),
        Verdict(check=f"wrapped_{HOSTILE}", status="fail", reasons=(HOSTILE,), numbers={"max_drop": HOSTILE}),
        Verdict(
            check="waived", status="pass", reasons=(HOSTILE,), numbers={"waived_by": HOSTILE, "waived_until": HOSTILE}
        ),
    ]
    digests = {HOSTILE: HOSTILE}
    decision = conclude(judged, recipe=HOSTILE, today=date(2026, 1, 31), digests=digests, required=(HOSTILE,))
    grid = Grid((HOSTILE,), [(HOSTILE,), (None,), (True,), (0.25,)])
    section = Section(title=HOSTILE, sentences=[HOSTILE], tables=[grid], text=HOSTILE)
    chart = plots.line({HOSTILE: [(0, 1), (1, 2)], "b": []}, HOSTILE)
    shown = Shown(
        project=HOSTILE, deltas=DELTAS.empty(), policy=law(), mask=lambda text: text, items=items(),
        categories=categories(), forgotten_said=HOSTILE, sections=[section],
        drawings=[Drawing(HOSTILE, chart, HOSTILE)], limits=[HOSTILE, NO_CHARACTERS],
    )  # fmt: skip
    return html_page(decision, shown)
