"""Personal data and secrets in texts: every family of forms, the surest first, over one text or a shard of the corpus.

What has no form is not found: names, street addresses, birth dates, an address spelled out ("ann at mail dot com").
Digits are read in every script. A number that merely looks like a card, an IBAN or an id is left out by its checksum.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import polars as pl

from safety_assets.corpus.detect import Detector, seen
from safety_assets.corpus.personal.accounts import IBANS, PAYMENT_CARDS
from safety_assets.corpus.personal.addresses import EMAILS, IP_ADDRESSES
from safety_assets.corpus.personal.identities import IDS_BY_FORM, IDS_BY_NAME, US_SSNS
from safety_assets.corpus.personal.phones import phone_numbers
from safety_assets.corpus.personal.secrets import SECRETS
from safety_assets.corpus.personal.spans import SEVERITIES, Family, Span, mask
from safety_assets.corpus.personal.writing import plain
from safety_assets.policy import PHONE_REGIONS

_BLOT = "]"  # bounds words as the brackets of a placeholder do


@cache
def families(regions: tuple[str, ...] = PHONE_REGIONS) -> tuple[Family, ...]:
    """All families in the order of SEVERITIES; `regions` as in `phones.phone_numbers`."""
    ids = (US_SSNS, IDS_BY_NAME, IDS_BY_FORM)
    return (SECRETS, IBANS, PAYMENT_CARDS, *ids, EMAILS, IP_ADDRESSES, phone_numbers(regions))


def find_pii(text: str, regions: Sequence[str] = PHONE_REGIONS) -> list[Span]:
    """Every piece of personal data in a text, in order, none overlapping another.

    What is found is blotted out and the rest searched again, so that masking the spans leaves nothing to find.

    Args:
        text: any text.
        regions: as in `phones.phone_numbers`.
    """
    return _search(text, families(tuple(regions)))


def personal_data(regions: Sequence[str] = PHONE_REGIONS) -> Detector:
    """A detector of all families: what `find_pii` finds in each turn, with texts in which no hint matches left out.

    Args:
        regions: as in `phones.phone_numbers`.
    """
    every = families(tuple(regions))
    hints = list(dict.fromkeys(family.hint for family in every))

    @cache
    def hinted_at(flags: tuple[bool, ...]) -> list[Family]:
        there = {hint for hint, flag in zip(hints, flags, strict=True) if flag}
        return [family for family in every if family.hint in there]

    def find(turns: pl.DataFrame) -> pl.DataFrame:
        hinted = turns.select("row", "turn", "text", *(_contains(hint) for hint in hints))
        hinted = hinted.filter(pl.any_horizontal(hints))
        return seen(
            {"row": row, "turn": turn, "start": span.start, "end": span.end, "finding": span.kind,
             "severity": span.severity, "evidence": span.evidence}
            for row, turn, text, *flags in hinted.iter_rows()
            for span in _search(text, hinted_at(tuple(flags)))
        )  # fmt: skip

    return find


def _contains(hint: str) -> pl.Expr:
    return pl.col("text").str.contains(hint).alias(hint)


def _search(text: str, searched: Sequence[Family]) -> list[Span]:
    found: list[Span] = []
    written, read = text, plain(text)
    while fresh := list(_places(written, read, searched)):
        found += [_span(text, *place) for place in fresh]
        written, read = _blotted(written, fresh), _blotted(read, fresh)
    return sorted(found)


def _places(written: str, read: str, searched: Sequence[Family]) -> Iterator[tuple[int, int, str, str]]:
    """Start, end, kind and name of what the families find; characters that an earlier one took are not taken again."""
    taken = bytearray(len(read))
    for family in searched:
        for start, end, name in family.find(written if family.as_written else read):
            if not any(taken[start:end]):
                taken[start:end] = b"x" * (end - start)
                yield start, end, family.kind, name


def _span(text: str, start: int, end: int, kind: str, name: str) -> Span:
    evidence = f"{name}: {mask(text[start:end])}" if name else mask(text[start:end])
    return Span(start, end, kind, evidence, SEVERITIES[kind])


def _blotted(text: str, places: Iterable[tuple[int, int, str, str]]) -> str:
    pieces, last = [], 0
    for start, end, *_ in sorted(places):
        pieces += [text[last:start], _BLOT * (end - start)]
        last = end
    return "".join([*pieces, text[last:]])
