import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.clean import mask_spans
from safety_assets.corpus.pii import find_pii, mask

PLANTED = [
    ("email", "ann.lee+news@mail.example.org"),
    ("payment_card", "4111 1111 1111 1111"),
    ("payment_card", "378282246310005"),
    ("payment_card", "3782 822463 10005"),
    ("payment_card", "5555-5555-5555-4444"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB29NWBK60161331926819"),
    ("us_ssn", "123-45-6789"),
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


@pytest.mark.parametrize(("kind", "value"), PLANTED)
@pytest.mark.parametrize("frame", ["{}", "Write to {} today.", "({}), or not", "it is:{}"])
def test_planted_data_is_found_where_it_stands(kind: str, value: str, frame: str) -> None:
    text = frame.format(value)
    (span,) = find_pii(text)
    assert (span.kind, text[span.start : span.end]) == (kind, value)
    assert value[4:] not in span.evidence


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # Luhn fails
        "DE89 3704 0044 0532 0130 01",  # mod 97 fails
        "000-12-3456 and 666-12-3456 and 900-12-3456",
        "version 10.0.0.1 and 127.0.0.1 and 300.1.2.3",
        "at 12:30:45 on 2024-01-15, 1,234,567.89 dollars, 3.14159",
        "The fee is 12 dollars, the limit 5000; see page 100 200.",
        "a @ b, user@, @name, sk-learn, task-force, 1 2 3 4 5 6 7 8 9 10 11 12",
        "[EMAIL] [PAYMENT_CARD] [PHONE] [IP_ADDRESS] [SECRET] [US_SSN] [IBAN]",
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


@pytest.mark.parametrize("text", ["1 " * 20_000, "020-" * 20_000, "a@" * 20_000, "4111 1111 1111 1111 " * 1_000])
def test_long_runs_take_no_long_time(text: str) -> None:
    began = time.process_time()
    find_pii(text)
    assert time.process_time() - began < 2


def test_a_number_beside_the_word_phone_is_one() -> None:
    assert [s.kind for s in find_pii("My phone is 21 212 133 27.")] == ["phone"]
    assert find_pii("Add 21 212 133 27.") == []


def test_evidence_keeps_the_first_character_only() -> None:
    assert mask("ann@mail.com") == "a**@****.***"
    assert len(mask("x" * 99)) == 40


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=12), st.sampled_from([value for _, value in PLANTED])), max_size=8))
def test_masking_leaves_nothing_to_find(pieces: list[str]) -> None:
    text = " ".join(pieces)
    found = find_pii(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    masked = mask_spans(text, [(s.start, s.end, s.kind) for s in found])
    assert find_pii(masked) == []


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["0", "12", "and", "1234", "(a)", "No.", *(value for _, value in PLANTED)]), max_size=8)
)
def test_neighbours_hide_nothing(pieces: list[str]) -> None:
    text = " ".join(pieces)
    masked = mask_spans(text, [(s.start, s.end, s.kind) for s in find_pii(text)])
    for _, value in PLANTED:
        assert value not in masked
