"""Numbers that a state gives to a person: the US SSN, and national ids of other countries by form and checksum.

An id whose form hardly occurs otherwise is reported wherever it stands. A bare number with a weak checksum (one in ten
to a hundred random numbers passes) is reported only after its name. Checks are those of python-stdnum, whose modules
name their sources.
"""

import re
from collections.abc import Iterator

from stdnum.us import ssn

from safety_assets.corpus.personal.countries import FORMS, NAMED
from safety_assets.corpus.personal.spans import Family, Place
from safety_assets.corpus.personal.writing import DIGIT_RUN, GAP

_BEFORE = r"(?<![A-Za-z0-9_+])(?<![0-9][.,])"
_AFTER = r"(?![A-Za-z0-9_])(?![.,-][0-9])"

_SSN = re.compile(
    r"(?<![A-Za-z0-9_+-])(?:[0-9]{3}-[0-9]{2}-[0-9]{4}|(?<![0-9] )[0-9]{3} [0-9]{2} [0-9]{4}(?! [0-9]))"
    r"(?![A-Za-z0-9_-])"
)
_NAMED_SSN = re.compile(
    r"(?:(?<![A-Za-z_\[])ssn|social security)(?: (?:number|no))?"
    r"[^A-Za-z0-9_\[]{0,3}(?:is\W|no\W)?[^A-Za-z0-9_\[]{0,2}([0-9]{9})(?![A-Za-z0-9_])",
    re.IGNORECASE,
)

_ANY_FORM = re.compile(_BEFORE + "(?=(?:" + "|".join(form.pattern for form in FORMS) + ")" + _AFTER + ")")
_EACH_FORM = [(form, re.compile(f"(?:{form.pattern}){_AFTER}")) for form in FORMS]
_ANY_NAME = re.compile("|".join(named.names for named in NAMED))
_EACH_NAMED = [
    (
        named,
        re.compile(
            rf"(?<![A-Za-z_\[])(?:{named.names})(?![A-Za-z])[^0-9\n\[]{{0,40}}"
            rf"([0-9](?:[ .\-/]?[0-9]){{{named.digits - 1}}}(?:[A-W][A-IW]?)?)(?![A-Za-z0-9_])"
        ),
    )
    for named in NAMED
]


def _ssns(text: str) -> Iterator[Place]:
    for match in _SSN.finditer(text):
        if ssn.is_valid(match.group().replace(" ", "-")):
            yield *match.span(), ""
    for match in _NAMED_SSN.finditer(text):
        if ssn.is_valid(match[1]):
            yield *match.span(1), ""


def _identities(text: str) -> Iterator[Place]:
    last = 0
    for start, end, name in sorted([*_by_form(text), *_by_name(text)]):
        if start >= last:
            yield start, end, name
            last = end


def _by_form(text: str) -> Iterator[Place]:
    for place in _ANY_FORM.finditer(text):
        for form, pattern in _EACH_FORM:
            match = pattern.match(text, place.start())
            if match and form.is_valid(match.group()):
                yield *match.span(), form.name
                break


def _by_name(text: str) -> Iterator[Place]:
    if not _ANY_NAME.search(text):
        return
    for named, pattern in _EACH_NAMED:
        for match in pattern.finditer(text):
            if named.is_valid(match[1]):
                yield *match.span(1), named.name


US_SSNS = Family("us_ssn", DIGIT_RUN, _ssns)
NATIONAL_IDS = Family(
    "national_id",
    "|".join(
        (
            DIGIT_RUN,
            rf"[A-Z]{{2}}{GAP}?\d\d{GAP}?\d\d{GAP}?\d\d",  # NINO
            r"[A-Z]{5}\d{4}[A-Z]",  # PAN
            r"\d{6}[A-Z+\x{FF0B}]\d{3}",  # HETU
            r"(?i)[A-Z]{4}\d{6}[HMX]",  # CURP
            rf"[A-Z]{{3}}{GAP}?[A-Z]{{3}}{GAP}?[\dLMNP-V]{{2}}[A-EHLMPRST][\dLMNP-V]{{2}}",  # codice fiscale
        )
    ),
    _identities,
)
