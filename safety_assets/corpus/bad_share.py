"""What people's labels say of a corpus: the share of bad rows with its exact interval, and whether that is few enough.

Of 300 labels the 95% interval is about 7 points wide at one bad row in ten. Where the sample is the whole corpus
nothing is estimated: the bounds are what the rows without a label can still change.
"""

from dataclasses import dataclass
from typing import Literal

import polars as pl
from scipy.special import betaincinv

from safety_assets.corpus.labels import BAD, LABELLED
from safety_assets.records import Verdict

CHECK = "quality_labelled"
NEXT = "Type `safety-assets labels sample`, fill in label and who, and type `safety-assets labels read` with that file."
"""How a corpus gets its labels."""

_LEVEL = 0.95
_SHOWN = 3


@dataclass(frozen=True)
class Interval:
    """A share and its exact 95% interval (Clopper and Pearson 1934), all 0 to 1."""

    low: float
    share: float
    high: float


def interval(bad: int, labelled: int) -> Interval:
    """The share of bad rows and its exact two-sided 95% interval; all of 0 to 1 where nothing is labelled."""
    if not labelled:
        return Interval(0.0, 0.0, 1.0)
    tail = (1 - _LEVEL) / 2
    low = float(betaincinv(bad, labelled - bad + 1, tail)) if bad else 0.0
    high = float(betaincinv(bad + 1, labelled - bad, 1 - tail)) if bad < labelled else 1.0
    return Interval(low, bad / labelled, high)


@dataclass(frozen=True)
class BadShare:
    """What the labels show.

    Args:
        population: rows that the sample was drawn from.
        sampled: rows drawn.
        labelled: of them, with a label.
        bad: of those, bad.
        missing: ids of the first drawn rows without a label.
        left: bad rows of this draw that are not in the corpus any more; they count as bad.
        of_other_rows: labels that count for nothing.
    """

    population: int
    sampled: int
    labelled: int
    bad: int
    missing: tuple[str, ...]
    left: int = 0
    of_other_rows: int = 0

    @property
    def within(self) -> Interval:
        """The share with its bounds."""
        if self.sampled < self.population or not self.population:
            return interval(self.bad + self.left, self.labelled + self.left)
        share = self.bad / self.labelled if self.labelled else 0.0
        good = self.labelled - self.bad
        return Interval(self.bad / self.population, share, 1 - good / self.population)

    def __str__(self) -> str:
        found = self.within
        share = f"{found.share:.1%}, 95% {found.low:.1%} to {found.high:.1%}" if self.labelled else "share unknown"
        left = f"{self.left} bad ones have left the corpus and count on, " if self.left else ""
        return f"{self.bad} of {self.labelled} labelled rows are bad ({left}{share})"


def bad_share(labelled: pl.DataFrame, population: int) -> BadShare:
    """What LABELLED shows of so many rows."""
    states = LABELLED.check(labelled)["state"].to_list()
    sample = labelled.filter(pl.col("state") == "sample")
    told, missing = sample["label"].drop_nulls(), sample.filter(pl.col("label").is_null())["row_id"]
    return BadShare(
        population=population, sampled=sample.height, labelled=len(told), bad=told.to_list().count(BAD),
        missing=tuple(missing.head(_SHOWN)), left=states.count("left"), of_other_rows=states.count("other"),
    )  # fmt: skip


def quality_labelled(
    labelled: pl.DataFrame, population: int, *, risk: Literal["high", "moderate", "research"], max_bad_share: float
) -> Verdict:
    """Whether people's labels show that few enough rows are bad.

    Fail when more of the sample is bad than the limit, or when the lower end of the interval over what is labelled so
    far is over it; pass when all is labelled and the upper end is within it; not certified otherwise. Labels are
    demanded at high risk only: at another a corpus without enough of them passes, and one that they show to be bad
    fails all the same.

    Args:
        labelled: LABELLED.
        population: rows that the sample was drawn from.
        max_bad_share: the limit, 0 to 1.
    """
    shown = bad_share(labelled, population)
    found = shown.within
    numbers: dict[str, float | int | str] = {
        "rows": population, "sampled": shown.sampled, "labelled": shown.labelled, "bad": shown.bad,
        "bad_share": round(found.share, 4), "low": round(found.low, 4), "high": round(found.high, 4),
        "limit": max_bad_share, "demanded": "yes" if risk == "high" else "no",
        "left": shown.left, "of_other_rows": shown.of_other_rows,
    }  # fmt: skip
    complete = shown.labelled == shown.sampled
    if found.low > max_bad_share or (complete and found.share > max_bad_share):
        reason = (
            f"{shown}; the policy allows {max_bad_share:.1%}. Mend or drop all rows of the kinds that are bad, set "
            f"corpus.label_seed in the policy to another number, audit again and label the new sample. {NEXT}"
        )
        return Verdict(check=CHECK, status="fail", reasons=(reason,), numbers=numbers)
    reasons = _open(shown, max_bad_share) if risk == "high" else ()
    return Verdict(check=CHECK, status="not_certified" if reasons else "pass", reasons=reasons, numbers=numbers)


def _open(shown: BadShare, limit: float) -> tuple[str, ...]:
    """Why labels certify nothing yet."""
    if not shown.sampled:
        return ("No row is left to label. Look at what the audit drops.",)
    if shown.labelled < shown.sampled:
        unread = shown.sampled - shown.labelled
        return (
            f"{unread} of the {shown.sampled} sampled rows are not labelled, the first are {', '.join(shown.missing)}; "
            f"at high risk people label the sample. {NEXT}",
        )
    if shown.within.high > limit:
        return (
            f"{shown}; the upper end must be within {limit:.1%}. Raise corpus.label_sample in the policy, audit again "
            f"and label the rows that are added. {NEXT}",
        )
    return ()
