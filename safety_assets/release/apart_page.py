"""What is gated apart, on the evidence page and on the card: one table, read off the verdicts."""

from collections.abc import Iterable, Mapping

from safety_assets.records import Verdict
from safety_assets.release.apart import IN_DOMAIN, WRAPPED
from safety_assets.release.markdown import percent, points
from safety_assets.release.section import Grid, Section, word_of

COLUMNS = (
    "slice", "base", "candidate", "drop", "95% bounds", "budget", "attack success, base", "attack success, candidate",
    "verdict",
)  # fmt: skip
SAID = (
    "Resistance is the share of harmful requests that are not answered, 0 to 10. Attack success counts answers "
    "that agree and go on, with Wilson's 95% interval; what is neither refused nor answered lies between the two."
)


def is_apart(check: str) -> bool:
    """Whether a check is about a slice that is gated apart."""
    return check.startswith((WRAPPED, IN_DOMAIN))


def apart_section(verdicts: Iterable[Verdict]) -> Section | None:
    """The section; None where the policy gates nothing apart."""
    rows = [_row(verdict) for verdict in verdicts if is_apart(verdict.check)]
    return Section(title="Gated apart", sentences=[SAID], tables=[Grid(COLUMNS, rows)]) if rows else None


def _row(verdict: Verdict) -> list[str]:
    n = verdict.numbers
    bounds = f"{points(n.get('drop_low'))} to {points(n.get('drop_high'))}"
    budget = f"{n.get('max_drop', '-')}, within {n.get('certify_within', '-')}"
    figures = [points(n.get(name)) for name in ("baseline", "candidate", "drop")]
    return [verdict.check, *figures, bounds, budget, _attack(n, "base"), _attack(n, "tuned"), word_of(verdict)]


def _attack(numbers: Mapping[str, object], side: str) -> str:
    shares = [numbers.get(f"attack_{side}_{key}") for key in ("answered", "low", "high")]
    if any(share is None for share in shares):
        return "-"
    answered, low, high = map(percent, shares)
    return f"{answered} ({low} to {high})"
