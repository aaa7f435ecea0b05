"""What is recorded of the judge beside scores: its figures on labelled answers, and which rules judged the rest."""

from collections.abc import Mapping

from safety_assets.evals.judges import JUDGE, record
from safety_assets.flows.code_version import file_digests

RULES = (
    "evals.judges",
    "evals.phrases",
    "evals.agreement",
    "evals.contact_data",
    "evals.turned",
    "evals.wording",
    "evals.suite",
)
"""What decides a verdict, with what it stands on. No name of a judge covers it: `JUDGE` names the reading of refusals
alone."""


def judge_record() -> dict[str, object]:
    """The record of JUDGE with `rules`: module to the first sixteen digits of its digest, refusals left to JUDGE."""
    rules: Mapping[str, str] = file_digests(*RULES)
    return {**record(JUDGE), "rules": dict(rules)}
