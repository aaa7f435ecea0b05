import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.in_ import aadhaar

from safety_assets.corpus.personal.find import find_pii

ANYWHERE = [
    ("French NIR", "2 95 10 99 126 111 93"),
    ("French NIR", "295109912611193"),
    ("Chinese resident id", "440308199901101512"),
    ("German tax id", "36 574 261 809"),
    ("German tax id", "36574261809"),
    ("Spanish DNI", "54362315-K"),
    ("Spanish NIE", "X2482300W"),
    ("Italian codice fiscale", "RCCMNL83S18D969H"),
    ("Mexican CURP", "BOXW310820HNERXN09"),
    ("Brazilian CPF", "390.533.447-05"),
    ("Belgian national number", "85.07.30-033.28"),
    ("Swedish personnummer", "880320-0016"),
    ("Finnish HETU", "131052-308T"),
    ("Norwegian fødselsnummer", "151086 95088"),
    ("Swiss AHV number", "756.9217.0769.85"),
    ("Korean RRN", "971013-9019902"),
    ("Czech or Slovak birth number", "710319/2745"),
    ("Chilean RUT", "12.531.909-2"),
    ("Argentine CUIL", "20-05536168-2"),
    ("Thai PIN", "1-2345-45678-78-1"),
    ("US ITIN", "912-90-3456"),
    ("UK NINO", "AB 12 34 56 C"),
    ("Indian PAN of a person", "ABCPE1234F"),
]
AFTER_ITS_NAME = [
    ("UK NHS number", "My NHS number is ", "943 476 5870"),
    ("Indian Aadhaar", "Aadhaar: ", "2341 2341 2346"),
    ("Indian Aadhaar", "आधार ", "234123412346"),
    ("Canadian SIN", "SIN ", "123-456-782"),
    ("Polish PESEL", "PESEL: ", "44051401359"),
    ("Dutch BSN", "burgerservicenummer ", "1112.22.333"),
    ("Brazilian CPF", "CPF ", "39053344705"),
    ("Turkish id", "TC Kimlik No: ", "17291716060"),
    ("South African id", "my SA ID is ", "7503305044089"),
    ("Australian TFN", "tax file number ", "123 456 782"),
    ("Romanian CNP", "CNP ", "1630615123457"),
    ("Bulgarian EGN", "EGN ", "752316 926 3"),
    ("Greek AMKA", "AMKA ", "01013099997"),
    ("Israeli id", "teudat zehut ", "039337423"),
    ("Portuguese NIF", "NIF ", "501 964 843"),
    ("Irish PPS number", "PPSN ", "6433435F"),
]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find_pii(text)]


@pytest.mark.parametrize(("name", "number"), ANYWHERE)
def test_an_id_of_a_telling_form_is_found_anywhere(name: str, number: str) -> None:
    (span,) = find_pii(f"It says {number}, I think.")
    assert (span.kind, span.evidence.partition(":")[0], span.end - span.start) == ("national_id", name, len(number))


@pytest.mark.parametrize(("name", "before", "number"), AFTER_ITS_NAME)
def test_an_id_that_could_be_any_number_is_found_after_its_name(name: str, before: str, number: str) -> None:
    (span,) = find_pii(before + number)
    assert (span.kind, span.evidence.partition(":")[0], span.start) == ("national_id", name, len(before))
    assert all(s.kind != "national_id" for s in find_pii(f"It says {number}, I think."))


@pytest.mark.parametrize(
    "text",
    [
        "36 574 261 808",  # German check digit
        "54362315A",  # Spanish letter
        "RCCMNL83S18D969A",
        "390.533.447-06",
        "11010519491331002X",  # the 31st of December is the 31st of month 13
        "SIN 123-456-783",
        "BG123456A and AB123456E",  # no such NINO
        "the NHS treated 943 476 people",
        "the sin of 123-456-782",
    ],
)
def test_what_fails_its_check_or_lacks_its_name_is_no_id(text: str) -> None:
    assert [span for span in find_pii(text) if span.kind == "national_id"] == []


def test_an_ssn_of_nine_bare_digits_is_found_after_its_name() -> None:
    assert kinds("My SSN is 123456789.") == [("us_ssn", "123456789")]
    assert kinds("My order is 123456789.") == []


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.from_regex(r"4[0-9]{14}", fullmatch=True), st.integers(0, 15), st.integers(1, 9))
def test_a_card_is_found_and_no_longer_with_one_digit_changed(digits: str, place: int, by: int) -> None:
    number = digits + luhn.calc_check_digit(digits)
    assert kinds(number) == [("payment_card", number)]
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert ("payment_card", wrong) not in kinds(wrong)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.from_regex(r"[0-9]{18}", fullmatch=True), st.integers(4, 21), st.integers(1, 9), st.sampled_from(["", " "]))
def test_an_iban_is_found_and_no_longer_with_one_digit_changed(bban: str, place: int, by: int, gap: str) -> None:
    number = f"DE{iban.calc_check_digits('DE00' + bban)}{bban}"
    grouped = gap.join(number[i : i + 4] for i in range(0, 22, 4))
    assert kinds(grouped) == [("iban", grouped)]
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert "iban" not in [kind for kind, _ in kinds(wrong)]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.from_regex(r"[2-4][0-9]{10}", fullmatch=True), st.integers(0, 10))
def test_two_digits_of_an_aadhaar_that_changed_places_make_none(digits: str, place: int) -> None:
    from stdnum import verhoeff

    number = digits + verhoeff.calc_check_digit(digits)
    found = [kind for kind, _ in kinds(f"Aadhaar {number}")]
    assert ("national_id" in found) == aadhaar.is_valid(number)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        assert "national_id" not in [kind for kind, _ in kinds(f"Aadhaar {swapped}")]
