"""Phone numbers: international ones, those whose form says so, those beside a word such as phone, and national ones
that are valid, and grouped as is the custom, in a region hinted at.

Which numbers can exist is asked of Google's libphonenumber (package phonenumbers). A national number written as bare
digits, with no such word beside it, is not told from another number and not found.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher, ValidationResult

from safety_assets.corpus.personal.spans import Family, Place
from safety_assets.corpus.personal.writing import DIGIT_RUN
from safety_assets.errors import ProjectError
from safety_assets.policy import PHONE_REGIONS

_RUN = re.compile(
    r"(?=[0-9(+])(?<![A-Za-z0-9_+])(?:(?<!/)|(?=\+))(?<![0-9][.,])(?:\+ ?|\((?=\+?[0-9]{1,5}\))\+?)?"
    r"[0-9]+(?:(?: ?[.\-/]| ?\(|\)[ .\-/]?| )[0-9]+)*"
    r"(?: ?(?:x|ext\.?|extension) ?[0-9]{1,6})?(?![A-Za-z0-9_])"
)
_CERTAIN = re.compile(
    r"""(?<![0-9]) (?:
        (?P<international> (?:\+[ ]?|(?<![0-9][ ])00[ .-]?) [1-9] (?:[ .\-/()]{0,2}[0-9]){6,14} )
      | (?P<form> (?<![0-9][./-]) (?:
            (?:1[ .-])? (?: \([0-9]{3}\)[ .-]?[0-9]{3}[ .-][0-9]{4} | [0-9]{3}([.-])[0-9]{3}\3[0-9]{4} )
          | (?<![0-9][ ])[2-9][0-9]{2}[ ][0-9]{3}[ -][0-9]{4}
          | \((?!19|20)[0-9]{1,5}\)[ .-]?[0-9]{2,4}(?:[ .-][0-9]{2,4}){1,3}
          | (?<![0-9][ ])0[1-9][0-9]{0,3} (?: ([ .-])[0-9]{2,4}(?:\4[0-9]{2,4}){1,3} | [ /-][0-9]{3,4}[ -]?[0-9]{3,4} )
        ) (?![./-][0-9]) )
    ) (?![0-9]) (?:[ ]?(?:x|ext\.?|extension)[ ]?[0-9]{1,6})?""",
    re.VERBOSE,
)
_DATE = re.compile(
    r"[0-9]{1,2}([ ./-])[0-9]{1,2}\1(?:19|20)[0-9]{2}(?![0-9])|(?:19|20)[0-9]{2}([ ./-])[0-9]{2}\2[0-9]{2}(?![0-9])"
    r"|(?:19|20)[0-9]{2} ?[-/ ] ?(?:19|20)[0-9]{2}(?![0-9])"
)
_WORD = re.compile(
    r"""(?<![A-Za-z_\[])(?:
        (?i:(?:tele|cell|smart)?phone|tel[ée]?fon[eo]?|t[ée]l[ée]phone|telefax|tel|fax)
      | (?i:mobile|m[óo]vil|celular|cellulare|whatsapp|hotline|helpline)
      | (?i:call(?:ing)?|dial|answer(?:ing|s)?[ ]at|(?:text|sms|ring|reach)[ ](?:me|us|him|her|them))
      | (?i:desk|office|home|work|cell|handy|portable)[ ]?(?=:)
      | (?i:тел|телефон|моб)|电话|電話|手机|携帯|전화|फ़ोन|फोन|मोबाइल|هاتف|جوال
    )(?![A-Za-z])\.?(?:[^0-9\n\[.!?;$€£¥%]|[.](?![ ])){0,25}$""",
    re.VERBOSE,
)
_WORD_AFTER = re.compile(r"[ ,-]{0,2}\(?(?:office|fax|mobile|cell|home|work|desk)(?! *[A-Za-z])", re.IGNORECASE)
_NATIONAL = re.compile(
    r"\([0-9]{1,5}\)[ -]?[0-9]+(?:[ -][0-9]+)*|0[0-9]{1,5}[/ -][0-9]+(?:[ -][0-9]+)*"
    r"|(?![0-9]{1,3}(?:[ .-][0-9]{3})+$)(?:[0-9]+(?:\.[0-9]+){2,}|[0-9]+(?:-[0-9]+){2,}|[0-9]+(?: [0-9]+)+)"
)
_SUM = re.compile(r" ?[=+*^<>\u00d7\u00f7%]| [-/] ?[0-9$]")

_MIN_DIGITS, _MAX_DIGITS = 7, 15  # E.164
_MIN_NATIONAL, _MAX_NATIONAL = 8, 12
_WIDEST_CONTEXT = 60


def phone_numbers(regions: Sequence[str] = PHONE_REGIONS) -> Family:
    """The family of phone numbers.

    Args:
        regions: ISO 3166 codes, in the order they are tried; none leaves national numbers to their form and to words.

    Raises:
        ProjectError: libphonenumber does not know a region.
    """
    unknown = sorted(set(regions) - phonenumbers.SUPPORTED_REGIONS)
    if unknown:
        raise ProjectError(
            f"phone region {unknown[0]!r} is unknown",
            expected="two capital letters of ISO 3166, such as US or DE",
            do="correct corpus.phone_regions in the policy",
        )
    return Family("phone", DIGIT_RUN, partial(_phones, regions=tuple(regions)))


def _phones(text: str, regions: tuple[str, ...]) -> Iterator[Place]:
    for run in _RUN.finditer(text):
        if _num_digits(run.group()) >= _MIN_DIGITS:
            certain = [(run.start() + start, run.start() + end, "") for start, end in _certain(run.group())]
            yield from certain or _as_a_whole(text, run, regions)


def _certain(run: str) -> Iterator[tuple[int, int]]:
    """Numbers that need nothing beside them, left to right; what was found bounds what follows it."""
    first = at = 0
    while match := _CERTAIN.search(run[first:], at):
        size = _size_international(match) if match["international"] else _size_of_form(match.group())
        if size:
            yield first + match.start(), first + match.start() + size
            first, at = first + match.start() + size, 0
        else:
            at = match.start() + 1


def _size_international(match: re.Match[str]) -> int:
    """Characters of the longest possible number that it begins with; 0 where there is none."""
    number = match["international"]
    if _is_possible(number):
        return len(match.group())
    while separator := max(number.rfind(c) for c in " .-/()") + 1:
        number = number[: separator - 1].rstrip(" .-/()")
        if _is_possible(number):
            return len(number)
    return 0


@lru_cache(maxsize=4096)
def _is_possible(number: str) -> bool:
    """Whether a number with its country code can exist; zeros that only fill up a number must make a valid one."""
    digits = "".join(filter(str.isdigit, number))
    try:
        parsed = phonenumbers.parse("+" + (digits.removeprefix("00") if number.startswith("00") else digits))
    except phonenumbers.NumberParseException:
        return False
    if number == digits:
        return phonenumbers.is_valid_number(parsed)
    return phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE


def _size_of_form(number: str) -> int:
    fewest = _MIN_NATIONAL + (number[0] == "0")
    return len(number) if fewest <= _num_digits(number) <= _MAX_DIGITS and not _DATE.match(number) else 0


def _as_a_whole(text: str, run: re.Match[str], regions: tuple[str, ...]) -> Iterator[Place]:
    number = run.group()
    if _num_digits(number) > _MAX_DIGITS or _DATE.match(number):
        return
    before = text[max(0, run.start() - _WIDEST_CONTEXT) : run.start()]
    named = _WORD.search(before) or _WORD_AFTER.match(text, run.end())
    if named or (_is_national(number, regions) and not _SUM.match(text, run.end())):
        yield *run.span(), ""


@lru_cache(maxsize=4096)
def _is_national(number: str, regions: tuple[str, ...]) -> bool:
    """Whether a number in groups, that is no amount, is valid in a region and written there in such groups."""
    fewest = _MIN_NATIONAL + (number[0] == "0")
    if not fewest <= _num_digits(number) <= _MAX_NATIONAL or not _NATIONAL.fullmatch(number):
        return False
    return any(_is_custom(number, region) for region in regions)


def _is_custom(number: str, region: str) -> bool:
    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
    return valid and PhoneNumberMatcher(number, region, leniency=Leniency.EXACT_GROUPING).has_next()


def _num_digits(number: str) -> int:
    """Digits of a number without its extension."""
    return sum(map(str.isdigit, re.split("x|e", number, maxsplit=1)[0]))
