"""Made-up personal data, what merely looks like it, and rows of a corpus to stand in. Seeded; nothing is anybody's."""

import random
import string
from collections.abc import Callable
from itertools import pairwise

import phonenumbers
from stdnum import iban, luhn, verhoeff
from stdnum.br import cpf
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.iso7064 import mod_11_10
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel

from safety_assets.policy import PHONE_REGIONS

Draw = random.Random

CARRIERS = (
    "Please note {} for later.", "It is {}.", "I sent it to {} last week, and nobody answered", "{}", "see ({})",
    "The one that I gave you, {}, was wrong: use the other one.", "> {}\nIs that right?", "Details: {}; thanks",
)  # fmt: skip

_BBAN = {"DE": "n18", "GB": "a4n14", "FR": "n10c11n2", "NL": "a4n10", "ES": "n20", "NO": "n11", "PL": "n24"}
_CARDS = {"4": 16, "51": 16, "55": 16, "2221": 16, "34": 15, "37": 15, "6011": 16, "3528": 16, "36": 14, "62": 16}
_NAMES = ("ann", "b.okoye", "tina_w", "h-lund", "petit", "ramos.m", "client42", "li.wei", "joão", "k+shop")
_HOSTS = ("example.com", "mail.example.org", "uni-example.de", "example.co.uk", "exämple.eu", "dept.example.museum")


def digits(draw: Draw, count: int) -> str:
    """So many random digits."""
    return "".join(draw.choice(string.digits) for _ in range(count))


def grouped(draw: Draw, number: str) -> str:
    """A number in fours, with spaces, dashes or nothing between them."""
    return draw.choice(("", " ", "-")).join(number[i : i + 4] for i in range(0, len(number), 4))


def email(draw: Draw) -> str:
    """An e-mail address."""
    return f"{draw.choice(_NAMES)}{draw.randrange(99)}@{draw.choice(_HOSTS)}"


def card(draw: Draw) -> str:
    """A payment card number."""
    begin, length = draw.choice(sorted(_CARDS.items()))
    body = begin + digits(draw, length - len(begin) - 1)
    number = body + luhn.calc_check_digit(body)
    return grouped(draw, number) if length == 16 else f"{number[:4]} {number[4:10]} {number[10:]}"


def account(draw: Draw) -> str:
    """An IBAN."""
    country = draw.choice(sorted(_BBAN))
    bban = "".join(_part(draw, kind, int(count)) for kind, count in _parts(_BBAN[country]))
    return grouped(draw, country + iban.calc_check_digits(f"{country}00{bban}") + bban).replace("-", " ")


def ssn(draw: Draw) -> str:
    """A US social security number."""
    return f"{draw.randrange(1, 666):03}-{draw.randrange(1, 100):02}-{draw.randrange(1, 10000):04}"


def phone(draw: Draw) -> str:
    """A phone number valid in a region that is hinted at, written as there or with its country code."""
    while True:
        example = phonenumbers.example_number_for_type(draw.choice(PHONE_REGIONS), draw.choice((0, 1)))
        national = str(example.national_number)
        number = phonenumbers.PhoneNumber(
            country_code=example.country_code, national_number=int(national[:-5] + digits(draw, 5))
        )
        if phonenumbers.is_valid_number(number):
            form = draw.choice((phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.NATIONAL))
            return phonenumbers.format_number(number, form)


def identity(draw: Draw) -> tuple[str, str]:
    """A national id of one of ten countries, and its name before it where it could be any number."""
    lead, make, is_valid = draw.choice(_IDENTITIES)
    while not is_valid(number := make(draw)):
        pass
    return lead, number


def ip_address(draw: Draw) -> str:
    """An address of version 4 or 6."""
    if draw.random() < 0.7:
        return ".".join(str(draw.randrange(1, 223)) for _ in range(4)).replace("127.", "128.", 1)
    return "2001:db8:" + ":".join(f"{draw.randrange(65536):x}" for _ in range(6))


def secret(draw: Draw) -> tuple[str, str]:
    """A key with a known prefix, or a random value with a name before it."""
    letters = string.ascii_letters + string.digits
    value = "".join(draw.choice(letters) for _ in range(40))
    begin = draw.choice(("ghp" + "_", "sk" + "-", "hf" + "_", "xoxb" + "-", "npm" + "_", "AIza", "gsk_"))
    return draw.choice((("", begin + value), (draw.choice(("api_key=", "SECRET: ", '"token": "')), value)))


PLANTED: dict[str, Callable[[Draw], tuple[str, str]]] = {
    "secret": secret,
    "iban": lambda draw: ("", account(draw)),
    "payment_card": lambda draw: ("", card(draw)),
    "us_ssn": lambda draw: ("", ssn(draw)),
    "national_id": identity,
    "email": lambda draw: ("", email(draw)),
    "ip_address": lambda draw: ("", ip_address(draw)),
    "phone": lambda draw: (draw.choice(("", "", "phone ", "call me on ")), phone(draw)),
}
"""Kind of finding to a maker of one: what stands before it, and the value."""


def look_alike(draw: Draw) -> str:
    """Something with digits or signs that is nobody's: dates, sums, amounts, ISBNs, hashes, failed checksums, code."""
    return draw.choice(_LOOK_ALIKES)(draw)


def _parts(form: str) -> list[tuple[str, str]]:
    kinds = [i for i, c in enumerate(form) if c.isalpha()] + [len(form)]
    return [(form[a], form[a + 1 : b]) for a, b in pairwise(kinds)]


def _part(draw: Draw, kind: str, count: int) -> str:
    letters = {"n": string.digits, "a": string.ascii_uppercase, "c": string.digits + string.ascii_uppercase}[kind]
    return "".join(draw.choice(letters) for _ in range(count))


def _birth(draw: Draw, form: str) -> str:
    year, month, day = draw.randrange(1930, 2010), draw.randrange(1, 13), draw.randrange(1, 29)
    return form.format(y=year, yy=year % 100, m=month, d=day)


def _german(draw: Draw) -> str:
    body = draw.sample(string.digits, 9)
    body.insert(draw.randrange(1, 9), draw.choice(body))
    return _checked("".join(body), mod_11_10.calc_check_digit)


def _checked(body: str, check: Callable[[str], str]) -> str:
    return body + check(body)


def _chinese(draw: Draw) -> str:
    body = draw.choice(("110101", "310104", "440305")) + _birth(draw, "{y}{m:02}{d:02}") + digits(draw, 3)
    return body + ric.calc_check_digit(body + "0")


def _indian(draw: Draw) -> str:
    return grouped(draw, _checked(draw.choice("23456789") + digits(draw, 10), verhoeff.calc_check_digit))


def _polish(draw: Draw) -> str:
    return _checked(_birth(draw, "{yy:02}{m:02}{d:02}") + digits(draw, 4), pesel.calc_check_digit)


def _italian(draw: Draw) -> str:
    consonants = "".join(draw.choice("BCDFGLMNPRSTVZ") for _ in range(6))
    body = consonants + _birth(draw, "{yy:02}") + draw.choice("ABCDEHLMPRST") + f"{draw.randrange(1, 29):02}"
    body += draw.choice("ABCDEFGHIL") + digits(draw, 3)
    return body + codicefiscale.calc_check_digit(body)


def _french(draw: Draw) -> str:
    body = draw.choice("12") + _birth(draw, "{yy:02}{m:02}") + f"{draw.randrange(1, 96):02}" + digits(draw, 6)
    number = body + nir.calc_check_digits(body)
    return draw.choice((number, nir.format(number)))


def _brazilian(draw: Draw) -> str:
    body = digits(draw, 9)
    for _ in range(2):
        body += str(sum((len(body) + 1 - i) * int(c) for i, c in enumerate(body)) * 10 % 11 % 10)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


_IDENTITIES: tuple[tuple[str, Callable[[Draw], str], Callable[[str], bool]], ...] = (
    ("", lambda draw: _checked(digits(draw, 8), dni.calc_check_digit), dni.is_valid),
    ("", _italian, codicefiscale.is_valid),
    ("", _french, nir.is_valid),
    ("", _german, idnr.is_valid),
    ("", _brazilian, cpf.is_valid),
    ("", _chinese, ric.is_valid),
    ("Aadhaar ", _indian, aadhaar.is_valid),
    ("NHS number ", lambda draw: digits(draw, 10), nhs.is_valid),
    ("BSN ", lambda draw: digits(draw, 9), bsn.is_valid),
    ("PESEL: ", _polish, pesel.is_valid),
)
"""What stands before one, what makes one, and python-stdnum's check of it."""


def _wrong(make: Callable[[Draw], str]) -> Callable[[Draw], str]:
    """What `make` makes with its last digit one higher, so that its checksum fails."""

    def made(draw: Draw) -> str:
        number = make(draw)
        at = max(i for i, c in enumerate(number) if c.isdigit())
        return number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :]

    return made


_LOOK_ALIKES: tuple[Callable[[Draw], str], ...] = (
    lambda draw: f"{draw.randrange(1, 29):02}.{draw.randrange(1, 13):02}.{draw.randrange(1950, 2030)}",
    lambda draw: _birth(draw, "{y}-{m:02}-{d:02} ") + f"{draw.randrange(24):02}:{draw.randrange(60):02}:00",
    lambda draw: f"{draw.randrange(1900, 2020)}-{draw.randrange(1900, 2020)}",
    lambda draw: f"{draw.randrange(1000, 99999)} - {draw.randrange(100, 9999)} = {draw.randrange(10, 99999)}",
    lambda draw: f"{draw.randrange(1, 999)},{digits(draw, 3)},{digits(draw, 3)}.{digits(draw, 2)} dollars",
    lambda draw: f"{draw.randrange(1, 999)} {digits(draw, 3)} {digits(draw, 3)} people",
    lambda draw: f"0.{digits(draw, 12)}",
    lambda draw: f"ISBN 978-3-16-{digits(draw, 6)}-{digits(draw, 1)}",
    lambda draw: f"order {digits(draw, 9)}",
    lambda draw: f"timestamp 17{digits(draw, 11)}",
    lambda draw: "commit " + "".join(draw.choice("0123456789abcdef") for _ in range(40)),
    lambda draw: f"v{draw.randrange(9)}.{draw.randrange(20)}.{draw.randrange(20)}.{draw.randrange(20)}",
    lambda draw: f"std::vector<int> a{{{digits(draw, 2)}, {digits(draw, 3)}}};",
    lambda draw: f"part number {_part(draw, 'a', 2)}-{digits(draw, 5)}",
    lambda draw: "token = tokenizer.encode(text)[:512]",
    _wrong(card),
    _wrong(account),
    _wrong(_brazilian),
    _wrong(_french),
)
