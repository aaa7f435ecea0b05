"""Payment cards (ISO/IEC 7812: issuer ranges, lengths and the Luhn digit) and bank accounts (ISO 13616: IBAN)."""

import re
import string
from collections.abc import Iterator

from stdnum import iban, luhn

from safety_assets.corpus.personal.spans import Family, Place
from safety_assets.corpus.personal.writing import DIGIT_RUN, GAP

_GROUPS = re.compile(r"(?<![A-Za-z0-9_])(?<![0-9][.,])[0-9]{3,}(?:[ -][0-9]{3,})*(?![A-Za-z0-9_]|[.,][0-9])")
_CARD = re.compile(
    r"""4(?:\d{12}|\d{15}|\d{18})            # Visa
      | 5[1-5]\d{14} | 2[2-7]\d{14}          # Mastercard, Mir
      | 3[47]\d{13} | 3[05689]\d{12,17}      # American Express, Diners Club, JCB
      | (?:2131|1800)\d{11}                  # JCB of old
      | 6\d{15,18} | 5[06-9]\d{14}           # Discover, UnionPay, RuPay, Maestro
    """,
    re.VERBOSE,
)
_MAESTRO = re.compile(r"(?:5018|5020|5038|5[678]\d\d|6304|6390|6759|676[1-3])\d{8,15}")
"""Maestro of other lengths: so little tells it that it must stand alone, not among other groups of digits."""
_CARD_DIGITS = 19
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}(?![a-z0-9])", re.IGNORECASE)
_AS_NUMBERS = {ord(letter): str(place) for place, letter in enumerate(string.ascii_uppercase, 10)}
_IBAN_LENGTHS = range(34, 14, -1)


def _cards(text: str) -> Iterator[Place]:
    """Runs of digit groups; within a run the longest card that begins and ends with a group, then what follows it."""
    for run in _GROUPS.finditer(text):
        groups = [(m.start() + run.start(), m.end() + run.start()) for m in re.finditer("[0-9]+", run.group())]
        first = 0
        while first < len(groups):
            start = groups[first][0]
            ends = [end for _, end in groups[first : first + _CARD_DIGITS // 3]]
            size = next((n for n in range(len(ends), 0, -1) if _is_card(text[start : ends[n - 1]], run.group())), 0)
            if size:
                yield start, ends[size - 1], ""
            first += size or 1


def _is_card(text: str, run: str) -> bool:
    if len(text) > 2 * _CARD_DIGITS:
        return False
    number = text.replace(" ", "").replace("-", "")
    known = _CARD.fullmatch(number) or (text == run and _MAESTRO.fullmatch(number))
    return bool(known) and luhn.is_valid(number)


def _ibans(text: str) -> Iterator[Place]:
    """An IBAN may be followed by words, so the pattern takes all that could belong to one and the checksum decides."""
    for match in _IBAN.finditer(text):
        ends = [m.end() for m in re.finditer("[A-Za-z0-9]", match.group())]
        for length in _IBAN_LENGTHS:
            if length <= len(ends) and _is_iban(match.group()[: ends[length - 1]]):
                yield match.start(), match.start() + ends[length - 1], ""
                break


def _is_iban(number: str) -> bool:
    """The checksum alone is told quickly, and leaves one in 97 to be looked at."""
    compact = number.replace(" ", "").replace("-", "").upper()
    told = (compact[4:] + compact[:4]).translate(_AS_NUMBERS)
    if not (told.isascii() and told.isdecimal()):  # a Kelvin sign passes for a K where case is ignored
        return False
    return int(told) % 97 == 1 and bool(iban.is_valid(compact, check_country=False))


PAYMENT_CARDS = Family("payment_card", DIGIT_RUN, _cards)
IBANS = Family("iban", rf"(?i)[A-Z]{{2}}\d\d{GAP}?[A-Z\d]", _ibans)
