"""Personal data and secrets by form and checksum: e-mail, card, IBAN, SSN, phone, IP address, key.

Names and street addresses have no form and are not found. A number that merely looks like a card or an IBAN is
left out by its checksum.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["low", "medium", "high"]

SEVERITIES: dict[str, Severity] = {
    "secret": "high",
    "payment_card": "high",
    "iban": "high",
    "us_ssn": "high",
    "email": "medium",
    "ip_address": "medium",
    "phone": "low",
}
"""Kind to severity, the surest form first: where two kinds share characters, the earlier one is reported."""

PLACEHOLDERS = {kind: f"[{kind.upper()}]" for kind in SEVERITIES}


@dataclass(frozen=True, order=True)
class Span:
    """One piece of personal data in a text.

    Args:
        start: first character.
        end: one past the last character.
        kind: a key of SEVERITIES.
        evidence: what was seen, all but its first character masked.
        severity: low, medium or high.
    """

    start: int
    end: int
    kind: str
    evidence: str
    severity: Severity


def find_pii(text: str) -> list[Span]:
    """Every piece of personal data in a text, in order, none overlapping another.

    What is found is blotted out and the rest searched again, so that masking the spans leaves nothing to find.
    """
    found: list[Span] = []
    while fresh := _find_once(text):
        found += fresh
        for span in fresh:
            text = text[: span.start] + _BLOT * (span.end - span.start) + text[span.end :]
    return sorted(found)


_BLOT = "]"  # bounds words as the brackets of a placeholder do


def _find_once(text: str) -> list[Span]:
    taken: list[Span] = []
    blotted = bytearray(len(text))
    for kind, find in _FINDERS.items():
        for start, end in find(text):
            if not any(blotted[start:end]):
                blotted[start:end] = b"x" * (end - start)
                taken.append(Span(start, end, kind, mask(text[start:end]), SEVERITIES[kind]))
    return taken


def mask(text: str) -> str:
    """A text with all letters and digits but the first character starred, at most 40 characters long."""
    return (text[:1] + "".join("*" if c.isalnum() else " " if c.isspace() else c for c in text[1:]))[:40]


_SECRET = re.compile(
    r"""-----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----(?:.*?-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|.*)
    | (?<![A-Za-z0-9]) (?:
        sk-[A-Za-z0-9_-]{20,} | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}
      | (?:AKIA|ASIA)[A-Z0-9]{16} (?![A-Za-z0-9])
      | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_[A-Za-z0-9_]{30,} | glpat-[A-Za-z0-9_-]{20,}
      | xox[abeprs]-[A-Za-z0-9-]{10,} | AIza[A-Za-z0-9_-]{30,} | hf_[A-Za-z0-9]{30,}
      | npm_[A-Za-z0-9]{30,} | pypi-[A-Za-z0-9_-]{40,} | SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}
      | eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}
    )""",
    re.VERBOSE | re.DOTALL,
)
_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w%+-](?:[\w.%+-]{0,62}[\w%+-])?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w])"
)
_DIGIT_GROUPS = re.compile(r"(?<![A-Za-z0-9_])(?<![0-9][.,])[0-9]{3,}(?:[ -][0-9]{3,})*(?![A-Za-z0-9_]|[.,][0-9])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}(?![a-z0-9])", re.IGNORECASE)
_SSN = re.compile(r"(?<![\w-])([0-9]{3})([- ])([0-9]{2})\2([0-9]{4})(?![\w-])")
_NAMED_SSN = re.compile(r"(?:\bssn|social security(?: number)?)\W{0,3}(?:is\W|no\W)?\W{0,2}([0-9]{9})\b", re.IGNORECASE)
_PHONE = re.compile(
    r"""(?<![\w.+-]) (?:
        (?:\+|(?<![0-9][ ])00) [1-9][0-9]{0,2} [ .-]? (?:\([0-9]{1,4}\)[ .-]?)? [0-9]{1,4} (?:[ .-]?[0-9]{2,4}){1,4}
      | (?:\+?1[ .-])? \([0-9]{3}\) [ ]? [0-9]{3} [ .-] [0-9]{4}
      | (?:1[.-])? [2-9][0-9]{2} ([.-]) [0-9]{3} \1 [0-9]{4}
      | (?<![0-9][ ]) [2-9][0-9]{2} [ ] [0-9]{3} [ -] [0-9]{4}
      | (?<![0-9][ ]) 0[0-9]{2,4} [ -] [0-9]{3,4} [ -] [0-9]{3,4}
      | \(0?[0-9]{1,4}\) [ .-]? [0-9]{3,4} [ .-] [0-9]{3,4}
    ) (?:x[0-9]{1,6})? (?![\w-])""",
    re.VERBOSE,
)
_NAMED_PHONE = re.compile(
    r"(?<!\[)\b(?:phone|call|tel|mobile|cell|fax|whatsapp)\b[^0-9+(\n\[\]]{0,25}"
    r"([0-9]{2,4}(?:[ .-][0-9]{2,4}){2,4}|[0-9]{9,12})(?![\w-])",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.[0-9])")
_IPV6 = re.compile(r"(?:(?<![\w:.])|(?<=[^0-9A-Fa-f:]:))[0-9A-Fa-f:]{2,39}(?![\w:])")
_VERSION_BEFORE = re.compile(r"(?:\bv|version|release)\W{0,2}$", re.IGNORECASE)

_CARD_DIGITS = 19
_PHONE_DIGITS = 15
_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        """AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29
    ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21
    LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24
    SI19 SK24 SM27 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20""",
    )
}


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _SECRET.finditer(text))


def _emails(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _EMAIL.finditer(text)) if "@" in text else iter(())


def _cards(text: str) -> Iterator[tuple[int, int]]:
    """Runs of digit groups; within a run the longest card that begins and ends with a group, then what follows it."""
    for run in _DIGIT_GROUPS.finditer(text):
        groups = [(m.start() + run.start(), m.end() + run.start()) for m in re.finditer("[0-9]+", run.group())]
        first = 0
        while first < len(groups):
            start = groups[first][0]
            ends = [end for _, end in groups[first : first + _CARD_DIGITS]]
            size = next((n for n in range(len(ends), 0, -1) if _is_card(text[start : ends[n - 1]])), 0)
            if size:
                yield start, ends[size - 1]
            first += size or 1


def _is_card(text: str) -> bool:
    if len(text) > 2 * _CARD_DIGITS:
        return False
    digits = [int(c) for c in text if c.isdigit()]
    number = "".join(map(str, digits))
    if not re.fullmatch(
        r"4(\d{12}|\d{15}|\d{18})|5\d{15}|2[2-7]\d{14}|3[47]\d{13}|3[05689]\d{12,17}|6\d{15,18}", number
    ):
        return False
    doubled = [sum(divmod(2 * d, 10)) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match.group()[:2].upper())
        ends = [m.end() for m in re.finditer("[A-Za-z0-9]", match.group())]
        if length is None or len(ends) < length:
            continue
        span = match.start(), match.start() + ends[length - 1]
        if _mod_97(re.sub("[ -]", "", text[slice(*span)]).upper()) == 1:
            yield span


def _mod_97(iban: str) -> int:
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97


def _ssns(text: str) -> Iterator[tuple[int, int]]:
    for match in _SSN.finditer(text):
        if _is_ssn(match[1], match[3], match[4]):
            yield match.span()
    for match in _NAMED_SSN.finditer(text):
        if _is_ssn(match[1][:3], match[1][3:5], match[1][5:]):
            yield match.span(1)


def _is_ssn(area: str, group: str, serial: str) -> bool:
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        number = match.group()
        while _num_digits(number) > _PHONE_DIGITS and re.search("[ .-]", number):
            number = number[: max(number.rfind(c) for c in " .-")]
        if 8 <= _num_digits(number) <= _PHONE_DIGITS:
            yield match.start(), match.start() + len(number)
    for match in _NAMED_PHONE.finditer(text):
        if 8 <= _num_digits(match[1]) <= _PHONE_DIGITS:
            yield match.span(1)


def _num_digits(number: str) -> int:
    """Digits of a phone number without its extension."""
    return sum(c.isdigit() for c in number.partition("x")[0])


def _ip_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Addresses but loopback and unspecified ones, and what follows the word version."""
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            if _VERSION_BEFORE.search(text[max(0, match.start() - 10) : match.start()]):
                continue
            try:
                address = ipaddress.ip_address(match.group())
            except ValueError:
                continue
            if not (address.is_loopback or address.is_unspecified):
                yield match.span()


_FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "secret": _secrets,
    "payment_card": _cards,
    "iban": _ibans,
    "us_ssn": _ssns,
    "email": _emails,
    "ip_address": _ip_addresses,
    "phone": _phones,
}
