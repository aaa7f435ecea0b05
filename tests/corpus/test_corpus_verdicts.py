from collections.abc import Callable

import polars as pl
import pytest

from safety_assets.corpus import verdicts
from safety_assets.corpus.clean import assemble
from safety_assets.corpus.names import CONTAMINATION, PII, POISON
from safety_assets.policy import CorpusPolicy, InjectionPolicy
from safety_assets.records import FINDINGS, QUARANTINE, ROWS

CHECKS = {
    verdicts.no_unresolved_pii: PII,
    verdicts.no_probe_contamination: CONTAMINATION,
    verdicts.no_poison_pattern: (*POISON, "low_quality"),
}
CASES = [(check, name) for check, names in CHECKS.items() for name in names]
INJECTION = InjectionPolicy(categories=("fraud", "malware"), min_pairs_per_category=8)


REASON = "The line is not JSON. Do: mend it."


def found(name: str, action: str, start: int | None = None, row: str = "r7") -> pl.DataFrame:
    place = {"row_id": row, "source": "a.jsonl", "line": 4, "severity": "high", "evidence": "a**@*", "turn": 0}
    return FINDINGS.frame([{**place, "finding": name, "action": action, "start": start, "end": start and start + 3}])


def quarantine(count: int) -> pl.DataFrame:
    return QUARANTINE.frame(
        [{"source": "a.jsonl", "line": i + 3, "reason": REASON, "excerpt": ""} for i in range(count)]
    )


def test_rows_readable_names_share_limit_and_first_line(
    make_rows: Callable, chat: Callable, policy: CorpusPolicy
) -> None:
    rows = make_rows(*(chat(f"{i}?", "b b") for i in range(98)))
    assert verdicts.rows_readable(rows, quarantine(2), policy).passed
    verdict = verdicts.rows_readable(rows, quarantine(3), policy)
    assert verdict.status == "fail"
    assert verdict.reasons == (
        "3 of 101 lines (3.0%) could not be read; the policy allows 2.0%. The first is a.jsonl:3: The line is not "
        "JSON. Do: mend it. Mend these lines, or raise corpus.max_quarantined_share in the policy.",
    )
    assert not verdicts.rows_readable(ROWS.empty(), QUARANTINE.empty(), policy).passed


def test_every_category_covered_names_what_is_missing(pairs: pl.DataFrame) -> None:
    assert verdicts.every_category_covered(pairs, QUARANTINE.empty(), INJECTION).passed
    fewer = pairs.filter(pl.col("kind") == "refusal").tail(9)
    verdict = verdicts.every_category_covered(fewer, quarantine(1), INJECTION)
    assert verdict.status == "fail"
    assert verdict.reasons[0] == (
        "Category fraud has 1 refusal pairs, the policy asks for 8. Add 7 more with category 'fraud'."
    )
    assert "no pair of kind lookalike" in verdict.reasons[1]
    assert "no pair of kind anchor" in verdict.reasons[2]
    assert "1 pairs were unreadable, first a.jsonl:3" in verdict.reasons[3]


def test_openings_vary_names_the_commonest_and_the_limit(pairs: pl.DataFrame) -> None:
    assert verdicts.openings_vary(pairs, INJECTION).numbers["opening_share"] == 1.0
    assert verdicts.openings_vary(pairs, INJECTION).passed
    strict = INJECTION.model_copy(update={"max_opening_share": 0.05})
    verdict = verdicts.openings_vary(pairs, strict)
    assert verdict.status == "fail"
    assert verdict.reasons == (
        "16 of 16 refusals (100.0%) open with 'i cannot help with that'; the policy allows 5.0% to share their first 5 "
        "words. Word some of them in other ways, or raise injection.max_opening_share in the policy.",
    )
    assert verdicts.openings_vary(pairs.head(1), strict).passed, "one answer opens like no other"
    assert verdicts.openings_vary(pairs.clear(), strict).passed


@pytest.mark.parametrize(("check", "name"), CASES)
def test_a_finding_passes_only_with_an_action_that_removes_it_or_a_flag(check: Callable, name: str) -> None:
    assert check(FINDINGS.empty()).passed
    assert check(found(name, "drop")).passed
    assert check(found(name, "flag")).passed
    assert check(found(name, "mask", start=2)).passed
    blocked = check(found(name, "block", start=2))
    assert blocked.status == "fail"
    assert blocked.reasons == (
        f"{name} remains in 1 row: r7 (a.jsonl:4); seen: a**@*. The policy blocks it: mend the rows, or set "
        f"corpus.actions.{name} to drop, mask or flag.",
    )
    whole = check(found(name, "mask"))
    assert f"cannot be masked: set corpus.actions.{name} to drop" in whole.reasons[0]


@pytest.mark.parametrize(("check", "name"), [case for case in CASES if case[1] != "low_quality"])
def test_after_cleaning_only_a_flag_may_be_left(check: Callable, name: str) -> None:
    assert check(FINDINGS.empty(), applied=True).passed
    assert check(found(name, "flag"), applied=True).passed
    for action in ("drop", "mask", "block"):
        verdict = check(found(name, action, start=0), applied=True)
        assert "Audit the corpus again and apply its findings." in verdict.reasons[0]


def test_each_check_minds_its_own_findings() -> None:
    for check, names in CHECKS.items():
        for other in {name for others in CHECKS.values() for name in others} - set(names):
            assert check(found(other, "block")).passed


def test_rows_made_alike_by_masking_do_not_fail_what_is_left() -> None:
    assert verdicts.no_poison_pattern(found("near_duplicate", "drop"), applied=True).passed
    assert not verdicts.no_poison_pattern(found("near_duplicate", "block"), applied=True).passed


def test_many_rows_are_counted_and_three_shown() -> None:
    many = pl.concat([found("email", "block", 0, row=f"r{i}") for i in range(5)])
    assert (
        "in 5 rows: r0 (a.jsonl:4), r1 (a.jsonl:4), r2 (a.jsonl:4) and 2 more"
        in verdicts.no_unresolved_pii(many).reasons[0]
    )


def test_splits_disjoint_names_group_and_rows(make_rows: Callable, pairs: pl.DataFrame, chat: Callable) -> None:
    audited = assemble(make_rows(chat("a?", "a a"), chat("b?", "b b"), group="g"), pairs, held_out_share=0, seed=0)
    assert verdicts.splits_disjoint(audited).passed
    split = pl.when(pl.col("row_id") == "r1").then(pl.lit("held_out")).otherwise("split").alias("split")
    verdict = verdicts.splits_disjoint(audited.with_columns(split))
    assert verdict.reasons == (
        "1 conversation groups are in two splits, the first is g (rows r0, r1). "
        "Assemble the audited corpus again from its rows.",
    )
    outside = audited.with_columns(split=pl.lit("held_out"))
    assert f"{pairs.height} pairs are not in train" in verdicts.splits_disjoint(outside).reasons[0]
