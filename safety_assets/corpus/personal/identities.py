"""Numbers that a state gives to a person: the US SSN, and national ids of other countries by form and checksum.

An id whose form hardly occurs otherwise is reported wherever it stands. A bare number with a weak checksum (one in ten
to a hundred random numbers passes) is reported only after its name. Checks are those of python-stdnum, whose modules
name their sources.
"""

import re
from collections.abc import Iterator

from stdnum.us import ssn

from safety_assets.corpus.personal.countries import FORMS, NAMED, Named
from safety_assets.corpus.personal.spans import Family, Place
from safety_assets.corpus.personal.writing import DIGIT_RUN, GAP

_BEFORE = r"(?<![A-Za-z0-9_+])(?<![0-9][.,])"
_AFTER = r"(?![A-Za-z0-9_])(?![.,-][0-9])"

_SSN = re.compile(
    r"(?=[0-9])(?<![A-Za-z0-9_+-])(?:[0-9]{3}-[0-9]{2}-[0-9]{4}|(?<![0-9] )[0-9]{3} [0-9]{2} [0-9]{4}(?! [0-9]))"
    r"(?![A-Za-z0-9_-])"
)
_NAMED_SSN = re.compile(
    r"(?:(?<![A-Za-z_\[])ssn|social security)(?: (?:number|no))?"
    r"[^A-Za-z0-9_\[]{0,3}(?:is\W|no\W)?[^A-Za-z0-9_\[]{0,2}([0-9]{9})(?![A-Za-z0-9_])",
    re.IGNORECASE,
)

_MAY_BEGIN = "(?:(?=[0-9A-Z])|(?<![a-z])(?=[a-z].{0,7}[0-9]))"  # quickly told, and so of every form
_ANY_FORM = re.compile(_MAY_BEGIN + _BEFORE + "(?=(?:" + "|".join(form.pattern for form in FORMS) + ")" + _AFTER + ")")
_EACH_FORM = [(form, re.compile(f"(?:{form.pattern}){_AFTER}")) for form in FORMS]
_NAMES = "|".join(named.names for named in NAMED)
_ANY_NAME = re.compile(_NAMES)
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
    folded = text.casefold()
    if "ssn" in folded or "social security" in folded:
        yield from ((*match.span(1), "") for match in _NAMED_SSN.finditer(text) if ssn.is_valid(match[1]))


def _by_form(text: str) -> Iterator[Place]:
    last = 0
    for place in _ANY_FORM.finditer(text):
        for form, pattern in _EACH_FORM:
            match = pattern.match(text, place.start())
            if match and place.start() >= last and form.is_valid(match.group()):
                yield *match.span(), form.name
                last = match.end()
                break


def _by_name(text: str) -> Iterator[Place]:
    last = 0
    found = [(*match.span(1), named.name) for named, match in _named(text) if named.is_valid(match[1])]
    for start, end, name in sorted(found):
        if start >= last:
            yield start, end, name
            last = end


def _named(text: str) -> Iterator[tuple[Named, re.Match[str]]]:
    if _ANY_NAME.search(text):
        for named, pattern in _EACH_NAMED:
            for match in pattern.finditer(text):
                yield named, match


US_SSNS = Family("us_ssn", DIGIT_RUN, _ssns)
IDS_BY_FORM = Family(
    "national_id",
    "|".join(
        (
            DIGIT_RUN,
            rf"[A-Z]{{2}}{GAP}?\d\d{GAP}?\d\d{GAP}?\d\d",  # NINO
            r"[A-Z]{5}\d{4}[A-Z]",  # PAN
            r"\d{6}[A-Z+\x{FF0B}]\d{3}",  # HETU
            rf"[A-Z]{{3}}{GAP}?[A-Z]{{3}}{GAP}?[\dLMNP-V]{{2}}[A-EHLMPRST][\dLMNP-V]{{2}}",  # codice fiscale
            rf"(?i)[A-Z]{{3}}{GAP}?[A-Z]{{3}}{GAP}?\d\d[A-EHLMPRST]\d\d",
            r"[A-Z]{4}\d{6}[HMX]",  # CURP
        )
    ),
    _by_form,
)
IDS_BY_NAME = Family("national_id", rf"(?:{_NAMES})[^\d\n\[]{{0,40}}\d", _by_name)
