import time
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.clean import mask_spans
from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.personal.find import families, find_pii, personal_data
from safety_assets.corpus.personal.spans import SEVERITIES, mask
from safety_assets.corpus.personal.writing import plain

PLANTED = [
    ("email", "ann.lee+news@mail.example.org"),
    ("payment_card", "4111 1111 1111 1111"),
    ("payment_card", "378282246310005"),
    ("payment_card", "3782 822463 10005"),
    ("payment_card", "5555-5555-5555-4444"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB29NWBK60161331926819"),
    ("us_ssn", "123-45-6789"),
    ("national_id", "RSSMRA85T10A562S"),
    ("national_id", "12345678Z"),
    ("national_id", "1 84 12 76 451 089 46"),
    ("national_id", "11010519491231002X"),
    ("national_id", "AB 12 34 56 C"),
    ("phone", "+44 20 7946 0958"),
    ("phone", "(212) 555-0187"),
    ("phone", "212-555-0187"),
    ("ip_address", "203.0.113.77"),
    ("ip_address", "2001:db8::8a2e:370:7334"),
    ("secret", "AKIA" + "IOSFODNN7EXAMPLE"),
    ("secret", "ghp" + "_" + "a1B2" * 9),
    ("secret", "sk" + "-proj-" + "abcd1234" * 4),
    ("secret", "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIB\n-----END RSA " + "PRIVATE KEY-----"),
]
VALUES = [value for _, value in PLANTED]
NEAR = [
    "0",
    "12",
    "and",
    "1234",
    "(a)",
    "No.",
    "Phone:",
    "NHS",
    "api_key=",
    "x1",
    "\u0663",
    "\u2013",
    "\u00a0",
    "\uff0d",
]
WIDE, ARABIC, DEVANAGARI = ({ord("0") + n: first + n for n in range(10)} for first in (0xFF10, 0x660, 0x966))
PIECES = st.lists(st.one_of(st.text(max_size=12), st.sampled_from(VALUES), st.sampled_from(NEAR)), max_size=8)


def masked(text: str) -> str:
    return mask_spans(text, [(span.start, span.end, span.kind) for span in find_pii(text)])


def turns(*texts: str) -> pl.DataFrame:
    return TURNS.frame(
        [{"row": 7 + n, "turn": 1, "role": "user", "text": text, "question": ""} for n, text in enumerate(texts)]
    )


@pytest.mark.parametrize(("kind", "value"), PLANTED)
@pytest.mark.parametrize("frame", ["{}", "Write to {} today.", "({}), or not", "it is:{}"])
def test_planted_data_is_found_where_it_stands(kind: str, value: str, frame: str) -> None:
    text = frame.format(value)
    (span,) = find_pii(text)
    assert (span.kind, text[span.start : span.end], span.severity) == (kind, value, SEVERITIES[kind])
    assert value[4:] not in span.evidence


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # Luhn fails
        "DE89 3704 0044 0532 0130 01",  # mod 97 fails
        "000-12-3456 and 666-12-3456 and 900-12-3456",
        "version 10.0.0.1 and 127.0.0.1 and 300.1.2.3 and 255.255.255.0",
        "at 12:30:45 on 2024-01-15, 1,234,567.89 dollars, 3.14159",
        "The fee is 12 dollars, the limit 5000; see page 100 200.",
        "a @ b, user@, @name, sk-learn, task-force, 1 2 3 4 5 6 7 8 9 10 11 12, icon@2x.png",
        "[EMAIL] [PAYMENT_CARD] [PHONE] [IP_ADDRESS] [SECRET] [US_SSN] [IBAN] [NATIONAL_ID]",
        "",
    ],
)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert find_pii(text) == []


def test_two_cards_in_one_run_of_digits_are_both_found() -> None:
    found = find_pii("4111 1111 1111 1111 4111 1111 1111 1111")
    assert [span.kind for span in found] == ["payment_card", "payment_card"]


def test_what_one_match_swallowed_is_still_found() -> None:
    iban = "DE89 3704 0044 0532 0130 00"
    assert [span.kind for span in find_pii(f"{iban} {iban}")] == ["iban", "iban"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("payment_card", "4111 1111 1111 1111".translate(WIDE)),
        ("payment_card", "4111\u00a01111\u00a01111\u00a01111".translate(ARABIC)),
        ("us_ssn", "123\u201145\u20116789"),
        ("email", "ann\uff20mail\uff0eexample\uff0eorg"),
        ("phone", "+44 20 7946 0958".translate(DEVANAGARI)),
        ("ip_address", "203\uff0e0\uff0e113\uff0e77"),
    ],
)
def test_digits_dashes_and_spaces_of_any_script_are_read(kind: str, text: str) -> None:
    assert [(s.kind, s.start, s.end) for s in find_pii(text)] == [(kind, 0, len(text))]


@pytest.mark.parametrize(
    "text",
    ["1 " * 20_000, "020-" * 20_000, "a@" * 20_000, "4111 1111 1111 1111 " * 1_000, "212 555 0187 " * 1_000,
     "+44 20 7946 0958 " * 1_000, "-----BEGIN PRIVATE KEY----- " * 1_000, "12345678Z" * 5_000, "api_key=" * 5_000,
     "AB12" * 10_000, ":" * 40_000],
)  # fmt: skip
def test_long_runs_take_no_long_time(text: str) -> None:
    began = time.process_time()
    find_pii(text)
    assert time.process_time() - began < 2


def test_evidence_keeps_the_first_character_only_and_names_the_form() -> None:
    assert mask("ann@mail.com") == "a**@****.***"
    assert len(mask("x" * 99)) == 40
    (span,) = find_pii("RSSMRA85T10A562S")
    assert span.evidence == "Italian codice fiscale: R***************"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(PIECES, st.sampled_from([" ", "", "-"]))
def test_masking_leaves_nothing_to_find(pieces: list[str], glue: str) -> None:
    text = glue.join(pieces)
    found = find_pii(text)
    assert all(0 <= span.start < span.end <= len(text) for span in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert find_pii(masked(text)) == []
    assert [span.evidence for span in found if find_pii(span.evidence)] == []


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([*NEAR[:6], *VALUES]), max_size=8))
def test_neighbours_hide_nothing(pieces: list[str]) -> None:
    left = masked(" ".join(pieces))
    assert not any(value in left for value in VALUES)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(PIECES.map(" ".join), min_size=1, max_size=5))
def test_a_hint_leaves_out_no_text_in_which_something_is_found(texts: list[str]) -> None:
    found = personal_data()(turns(*texts)).select("row", "turn", "start", "end", "finding").rows()
    expected = [(7 + n, 1, s.start, s.end, s.kind) for n, text in enumerate(texts) for s in find_pii(text)]
    assert sorted(found) == sorted(expected)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet=st.characters(categories=["Nd", "Pd", "Zs", "Cf", "Po", "Ps", "Pe", "Sm", "Lu"]), max_size=60))
def test_every_family_finds_only_where_its_hint_matches(text: str) -> None:
    for family in families():
        if list(family.find(text if family.as_written else plain(text))):
            assert pl.Series([text]).str.contains(family.hint).item(), family.kind


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text())
def test_plain_writing_keeps_every_place(text: str) -> None:
    assert len(plain(text)) == len(text)
    assert [p for p, c in zip(plain(text), text, strict=True) if c.isalpha()] == [c for c in text if c.isalpha()]


def test_no_turns_hold_nothing() -> None:
    assert personal_data()(TURNS.empty()).is_empty()


def test_an_odd_letter_in_what_looks_like_an_iban_is_no_fault_of_the_search() -> None:
    assert [span.kind for span in find_pii("Pay to DE89 3704 0044 0532 0130 00 today")] == ["iban"]
    assert find_pii("Pay to D\u212a89 3704 0044 0532 0130 00 today") == []
