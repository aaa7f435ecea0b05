import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety_assets.corpus.personal.find import find_pii
from safety_assets.corpus.personal.phones import phone_numbers
from safety_assets.errors import ProjectError
from safety_assets.policy import PHONE_REGIONS

E164, INTERNATIONAL = phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL


def found(text: str, regions: tuple[str, ...] = PHONE_REGIONS) -> list[str]:
    return [text[s.start : s.end] for s in find_pii(text, regions) if s.kind == "phone"]


@pytest.mark.parametrize(
    "number",
    [
        "+44 20 7946 0958", "+1-944-435-4352x04732", "001-420-335-7509x38548", "+49 (0)30 901820", "+919876543210",
        "(212) 555-0187", "(978)645-9740x11144", "212.555.0187", "212 555 0187", "1-800-273-8255", "(07) 5331 0577",
        "027 896 92 86", "030/1234567", "0479 50 54 03", "020 7946 0958",
    ],
)  # fmt: skip
def test_a_number_whose_form_says_so_is_found_whole(number: str) -> None:
    assert found(f"Yes, {number}, thanks", ()) == [number]


@pytest.mark.parametrize(
    ("number", "region"),
    [("98765 43210", "IN"), ("612 34 56 78", "ES"), ("138 1234 5678", "CN")],
)
def test_a_national_number_is_found_in_the_groups_of_its_region(number: str, region: str) -> None:
    assert found(f"Yes, {number}, thanks", (region,)) == [number]
    assert found(f"Yes, {number}, thanks", ()) == []


@pytest.mark.parametrize(
    "text",
    [
        "My phone is {}.", "Tel. {}", "call me at {}", "not answering at {}", "{} office",
        "\u0422\u0435\u043b: {}", "\u7535\u8bdd{}",
    ],
)  # fmt: skip
def test_a_number_beside_a_word_for_phone_is_found(text: str) -> None:
    assert found(text.format("785 8949")) == ["785 8949"]
    assert found("Add 785 8949 to it.") == []


@pytest.mark.parametrize(
    "text",
    [
        "on 2024-01-15 10, 04-12-2023 12:30, 2019-2020, from 1999 - 2003",
        "He has 3000-1200=1800 and 4000/2000 = 2, or 960-480-120, 16000-12500 left",
        "-0.3571428571 or 0.9235687435, 1 000 000, 123.456.789, 600-150-1200-2000",
        "example.org/2018/06/12094011/a.pdf",
        "call 2000-2005 a good time", "I sold $ 1000000 worth of mobile at $ 12000000",
        "ISBN 978-3-16-148410-0", "volume (2003) 211-2273",
        "There were 1500000 home visits and 2500000 cell phones",
        "The saxophone 1234567 and the [PHONE] 7858949",
    ],
)  # fmt: skip
def test_dates_sums_amounts_and_paths_are_no_numbers(text: str) -> None:
    assert found(text) == []


def test_what_follows_a_number_is_not_taken_with_it() -> None:
    assert found("+44 20 7946 0958 2 pm") == ["+44 20 7946 0958"]
    assert found("212 555 0187 212 555 0188") == ["212 555 0187", "212 555 0188"]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.sampled_from((E164, INTERNATIONAL)))
def test_an_example_of_every_country_is_found_with_its_country_code(region: str, form: int) -> None:
    example = phonenumbers.example_number(region)
    number = phonenumbers.format_number(example, form)
    assert found(f"Yes, {number} there", ()) == [number]


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(ProjectError, match="phone region 'UK' is unknown"):
        phone_numbers(("DE", "UK"))
