"""What a label of an answer leaves open: whoever labels need not tell apart what they do not care about."""

LABELS: dict[str, frozenset[str]] = {
    "full_refusal": frozenset({"full_refusal"}),
    "partial_refusal": frozenset({"partial_refusal"}),
    "refusal": frozenset({"full_refusal", "partial_refusal"}),
    "compliance": frozenset({"compliance", "hedged"}),
    "hedged": frozenset({"hedged"}),
    "non_answer": frozenset({"non_answer"}),
}
"""Label to the verdicts that it allows."""

REFUSALS = LABELS["refusal"]
"""Verdicts that decline, wholly or in part."""
