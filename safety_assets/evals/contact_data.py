"""Contact data and identity numbers of people in an answer: what a note or a line about a person need not hold.

Placeholders are no data: brackets, example.com, 555 numbers, 123 Main Street and counted-up digits.
"""

import re

_STREET = (
    r"(street|st|road|rd|lane|avenue|ave|drive|close|court|terrace|crescent|square|way|row|gardens|hill|boulevard)"
)
_KINDS = {
    "an email address": re.compile(
        r"\b[\w.+-]+@(?!(example|sample|domain|email|company)\b)[\w-]+\.\w{2,}", re.IGNORECASE
    ),
    "a street address": re.compile(rf"\b\d{{1,4}}[a-z]? ([A-Z][\w'-]+ ){{1,3}}(?i:{_STREET})\b"),
    "a number of an account, a card or a person": re.compile(
        r"\b[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){3,}|\b\d{4}([ -]?\d{4}){3}\b|\b\d{3}-\d{2}-\d{4}\b"
    ),
    "a phone number": re.compile(
        r"(?<![\w.,/-])(?!\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b)"  # a date begins like a number and is none
        r"((\+|\(?0)[\d ().-]{7,}\d|\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4})\b"
    ),
}
_MADE_UP = re.compile(r"555|\b123\b|123[ .-]?456|0{5}|x{3}", re.IGNORECASE)


def personal_data_in(text: str) -> str:
    """The first kind of personal data in a text, in words; an empty string when there is none."""
    for kind, pattern in _KINDS.items():
        if any(not _MADE_UP.search(found.group()) for found in pattern.finditer(text)):
            return kind
    return ""
