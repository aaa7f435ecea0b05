"""What is gated apart, on the evidence page and on the card: one table, read off the verdicts."""

from collections.abc import Iterable, Mapping

from safety_assets.records import Verdict
from safety_assets.release.apart import IN_DOMAIN, WRAPPED
from safety_assets.release.markdown import cell, percent, points, table

COLUMNS = (
    "slice", "base", "candidate", "drop", "95% bounds", "budget", "attack success, base", "candidate", "verdict"
)  # fmt: skip


def is_apart(check: str) -> bool:
    """Whether a check is about a slice that is gated apart."""
    return check.startswith((WRAPPED, IN_DOMAIN))


def apart_section(verdicts: Iterable[Verdict], title: str = "## Gated apart") -> list[str]:
    """Lines of the section; none where the policy gates nothing apart."""
    own = [verdict for verdict in verdicts if is_apart(verdict.check)]
    if not own:
        return []
    said = (
        "Resistance is the share of harmful requests that are not answered, 0 to 10. Attack success counts answers "
        "that agree and go on, with Wilson's 95% interval; what is neither refused nor answered lies between the two."
    )
    return [title, "", *table(COLUMNS, [_row(verdict) for verdict in own]), "", said, ""]


def _row(verdict: Verdict) -> list[str]:
    n = verdict.numbers
    bounds = f"{points(n.get('drop_low'))} to {points(n.get('drop_high'))}"
    budget = f"{cell(n.get('max_drop'))}, within {cell(n.get('certify_within'))}"
    figures = [points(n.get(name)) for name in ("baseline", "candidate", "drop")]
    word = "passed" if verdict.passed else verdict.status.replace("_", " ")
    return [cell(verdict.check), *figures, bounds, budget, _attack(n, "base"), _attack(n, "tuned"), word]


def _attack(numbers: Mapping[str, object], side: str) -> str:
    shares = [numbers.get(f"attack_{side}_{key}") for key in ("answered", "low", "high")]
    if any(share is None for share in shares):
        return "-"
    answered, low, high = map(percent, shares)
    return f"{answered} ({low} to {high})"
