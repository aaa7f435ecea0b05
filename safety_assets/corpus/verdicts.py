"""The checks on corpus, pairs and audited rows: stored frames and policy in, a verdict in words out."""

from collections.abc import Mapping, Sequence

import polars as pl

from safety_assets.corpus.behaviour import BEHAVIOUR
from safety_assets.corpus.names import CONTAMINATION, DRIFT, OTHER, PII, QUALITY
from safety_assets.corpus.openings import OPENING_WORDS, commonest_opening
from safety_assets.frames import Shards
from safety_assets.policy import CorpusPolicy, InjectionPolicy
from safety_assets.records import Verdict

_SHOWN = 3

Frame = pl.DataFrame | Shards
"""A table in memory, or on disk in shards of which only what is counted is read."""


def rows_readable(rows: Frame, quarantine: Frame, policy: CorpusPolicy) -> Verdict:
    """Pass when the quarantined share of all lines is within policy.max_quarantined_share.

    Args:
        rows: ROWS.
        quarantine: QUARANTINE.
    """
    lines = rows.height + quarantine.height
    if not rows.height:
        return _verdict(
            "rows_readable", ["The corpus has no readable row. Correct its path or its format."], {"lines": lines}
        )
    share = quarantine.height / lines
    numbers = {"lines": lines, "quarantined": quarantine.height, "quarantined_share": round(share, 6)}
    if share <= policy.max_quarantined_share:
        return _verdict("rows_readable", [], numbers)
    first = quarantine.head(1).row(0, named=True)
    reason = (
        f"{quarantine.height} of {lines} lines ({share:.1%}) could not be read; the policy allows "
        f"{policy.max_quarantined_share:.1%}. The first is {first['source']}:{first['line']}: {first['reason']} "
        "Mend these lines, or raise corpus.max_quarantined_share in the policy."
    )
    return _verdict("rows_readable", [reason], numbers)


def every_category_covered(pairs: pl.DataFrame, quarantine: pl.DataFrame, policy: InjectionPolicy) -> Verdict:
    """Pass when every category of the policy has enough refusal pairs, and look-alikes and anchors are there too.

    Args:
        pairs: PAIRS.
        quarantine: QUARANTINE of the pairs; named in the reason where pairs are missing.
    """
    refusals = pairs.filter(pl.col("kind") == "refusal")["category"].to_list()
    counts = {category: refusals.count(category) for category in policy.categories}
    reasons = [
        f"Category {category} has {count} refusal pairs, the policy asks for {policy.min_pairs_per_category}. "
        f"Add {policy.min_pairs_per_category - count} more with category {category!r}."
        for category, count in counts.items()
        if count < policy.min_pairs_per_category
    ]
    for kind in ("lookalike", "anchor"):
        if kind not in pairs["kind"]:
            reasons.append(f"There is no pair of kind {kind}; refusals alone teach over-refusal. Add {kind} pairs.")
    if reasons and quarantine.height:
        first = quarantine.row(0, named=True)
        reasons.append(
            f"{quarantine.height} pairs were unreadable, first {first['source']}:{first['line']}: {first['reason']}"
        )
    return _verdict(
        "every_category_covered", reasons, {**counts, "pairs": pairs.height, "quarantined": quarantine.height}
    )


def openings_vary(pairs: pl.DataFrame, policy: InjectionPolicy) -> Verdict:
    """Pass when no opening is commoner among the refusals than policy.max_opening_share; one that occurs once is not.

    Args:
        pairs: PAIRS.
    """
    answers = [chat[-1]["content"] for chat in pairs.filter(pl.col("kind") == "refusal")["messages"].to_list()]
    first = commonest_opening(answers)
    numbers: dict[str, float | int | str] = {
        "refusals": len(answers), "commonest_opening": first.words, "opening_share": round(first.share, 4),
    }  # fmt: skip
    if first.count <= 1 or first.share <= policy.max_opening_share:
        return _verdict("openings_vary", [], numbers)
    reason = (
        f"{first.count} of {len(answers)} refusals ({first.share:.1%}) open with {first.words!r}; the policy allows "
        f"{policy.max_opening_share:.1%} to share their first {OPENING_WORDS} words. Word some of them in other ways, "
        "or raise injection.max_opening_share in the policy."
    )
    return _verdict("openings_vary", [reason], numbers)


def no_probe_contamination(findings: Frame, *, applied: bool = False) -> Verdict:
    """Pass when no probe or task question remains in a row: dropped, or flagged where the policy says so.

    Args:
        findings: FINDINGS of the raw rows, or, with `applied`, of what is left after cleaning.
        applied: the actions are done, so whatever is still found and not flagged remains.
    """
    return _residue("no_probe_contamination", findings, CONTAMINATION, applied)


def no_unresolved_pii(findings: Frame, *, applied: bool = False) -> Verdict:
    """Pass when no personal data or secret remains: masked, dropped, or flagged where the policy says so.

    Args:
        findings, applied: as in `no_probe_contamination`.
    """
    return _residue("no_unresolved_pii", findings, PII, applied)


def no_poison_pattern(findings: Frame, *, applied: bool = False) -> Verdict:
    """Pass when no poison pattern remains, and no other finding blocks (duplicates, quality, refusals).

    Args:
        findings, applied: as in `no_probe_contamination`.
    """
    names = findings.lazy().select(pl.col("finding").unique()).collect()["finding"]
    others = [name for name in names if name not in (*CONTAMINATION, *PII)]
    return _residue("no_poison_pattern", findings, others, applied)


def splits_disjoint(audited: Frame) -> Verdict:
    """Pass when no conversation group of AUDITED is in two splits and every pair is in train."""
    places = audited.lazy().select("row_id", "group", "split", "origin")
    groups = places.group_by("group").agg(pl.col("split").n_unique().alias("splits")).collect()
    torn = groups.filter(pl.col("splits") > 1)["group"].sort()
    outside = places.filter((pl.col("origin") != "corpus") & (pl.col("split") != "train")).collect()
    reasons = []
    if not torn.is_empty():
        rows = places.filter(pl.col("group") == torn[0]).select("row_id").collect()["row_id"]
        reasons.append(
            f"{len(torn)} conversation groups are in two splits, the first is {torn[0]} (rows "
            f"{', '.join(sorted(rows)[:_SHOWN])}). Assemble the audited corpus again from its rows."
        )
    if outside.height:
        reasons.append(f"{outside.height} pairs are not in train, the first is {outside['row_id'][0]}. Assemble again.")
    splits = dict(places.group_by("split").len().sort("split").collect().iter_rows())
    return _verdict("splits_disjoint", reasons, {"groups": groups.height, **splits})


def decisions_apply(decisions: pl.DataFrame) -> Verdict:
    """Pass when every one of DECISIONS is applied: none is stale, none asks for what cannot be done."""
    states = dict(decisions.group_by("state").len().sort("state").iter_rows())
    reasons = [_undone(decisions.filter(pl.col("state") == state)) for state in ("refused", "stale") if state in states]
    return _verdict("decisions_apply", reasons, {"decisions": decisions.height, **states})


def _undone(decisions: pl.DataFrame) -> str:
    first = decisions.row(0, named=True)
    many = f"{decisions.height} decisions are {first['state']}" if decisions.height > 1 else f"One is {first['state']}"
    about = f"{first['action']} {first['finding']} on row {first['row_id']} ({first['who']})"
    return f"{many}: {about}: {first['note']}. Correct or remove the line."


def _residue(check: str, findings: Frame, names: Sequence[str], applied: bool) -> Verdict:
    """One reason per finding name that no action removes."""
    found = findings.lazy().filter(pl.col("finding").is_in(list(names)))
    counts = dict(found.group_by("action").len().collect().iter_rows())
    left = found.filter(_remains(applied)).collect()
    reasons = [_reason(left.filter(pl.col("finding") == name), applied) for name in sorted(left["finding"].unique())]
    numbers = {"findings": sum(counts.values()), **{action: counts.get(action, 0) for action in _ACTIONS}}
    return _verdict(check, reasons, {**numbers, "remaining": left.height})


_ACTIONS = ("drop", "mask", "down_weight", "flag", "keep", "block")
_STAYS = ("flag", "keep", "down_weight")
"""Actions by which a row is meant to stay, finding and all; but contamination is not removed by a lower weight."""


def _remains(applied: bool) -> pl.Expr:
    action = pl.col("action")
    meant = action.is_in(_STAYS) & ~((action == "down_weight") & pl.col("finding").is_in(CONTAMINATION))
    removed = (action == "drop") | ((action == "mask") & pl.col("start").is_not_null())
    harmless = pl.col("finding").is_in([*QUALITY, *DRIFT, *BEHAVIOUR, *OTHER])
    if (
        applied
    ):  # masking can make two rows alike; that is no danger, so such findings only block where policy says block
        return ~meant & ~(harmless & (action != "block"))
    return ~meant & ~removed


def _reason(left: pl.DataFrame, applied: bool) -> str:
    first = left.row(0, named=True)
    rows = left["row_id"].unique(maintain_order=True)
    places = ", ".join(
        f"{r['row_id']} ({r['source']}:{r['line']})"
        for r in left.unique("row_id", maintain_order=True).head(_SHOWN).to_dicts()
    )
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    name = first["finding"]
    seen = (
        f"{name} remains in {len(rows)} row{'s' if len(rows) > 1 else ''}: {places}{more}; seen: {first['evidence']}."
    )
    if applied:
        return f"{seen} Audit the corpus again and apply its findings."
    if first["action"] == "mask":
        return f"{seen} The finding is about the whole row and cannot be masked: set corpus.actions.{name} to drop."
    return f"{seen} The policy blocks it: mend the rows, or set corpus.actions.{name} to drop, mask or flag."


def _verdict(check: str, reasons: Sequence[str], numbers: Mapping[str, float | int | str]) -> Verdict:
    return Verdict(check=check, status="fail" if reasons else "pass", reasons=tuple(reasons), numbers=numbers)
