"""Where an answer refuses, hedges or protects personal data: spans for findings, and for weights of tokens."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from safety_assets.reading import signs
from safety_assets.reading.fold import fold
from safety_assets.refusals import Form, forms, holding, holds

Kind = Literal["refusal", "hedge", "privacy"]


class Place(NamedTuple):
    """Characters start to end (one past the last) of an answer, and what they are."""

    kind: Kind
    start: int
    end: int


_EXPERT = (
    r"(?:doctors?|physicians?|pharmacists?|therapists?|counsell?ors?|lawyers?|solicitors?|attorneys?|accountants?|vets?"
    r"|advis[eo]rs?|professionals?|experts?|specialists?|clinicians?|(?:medical|legal|financial|professional|tax)\s+"
    r"(?:advice|help|attention|adviser|advisor|counsel|professional))\b(?!(?:\s+(?:advice|help))?\s*:)"
)
_ADVISED = (
    r"(?:^|[.!?:;,]\s*|\b(?:please|should|best\s+to|recommend|recommended\s+to|important\s+to|always|suggest|want\s+to|need\s+to"
    r"|advise)\s+(?:(?:that\s+)?you\s+|also\s+|first\s+)*)"
)
_NEEDED = (
    "doctor|physician|pharmac|therap|counsel|lawyer|solicitor|attorney|accountant|vet|advis|professional|expert|specialist"
    "|clinic|advice"
)

HEDGES = forms(
    ("m not a|no expert",
     r"\bi(?:'m|\s+am)\s+(?:not\s+an?|no)\s+(?:\w+\s+){0,2}?(?:doctor|lawyer|expert|professional|advis[eo]r|therapist|vet|accountant)\b"),
    ("advice",
     r"\bnot\s+(?:meant\s+as\s+|intended\s+as\s+|a\s+substitute\s+for\s+)?(?:professional\s+)?(?:legal|medical|financial|tax"
     r"|professional)\s+advice\b"),
    ("not a substitute", r"\bnot\s+a\s+substitute\s+for\b"),
    (f"{_NEEDED} & consult|speak|talk|check|seek|ask|see ",
     rf"{_ADVISED}(?:consult|speak\s+(?:to|with)|talk\s+(?:to|with)|check\s+with|seek|ask|see)\b[^.!?:\n]{{0,50}}\b{_EXPERT}"),
    ("as an ai|language model|as a language",
     r"\bas\s+an?\s+(?:\w+\s+)?(?:ai|language\s+model)\b[^.!?\n]{0,80}\b(?:do\s?n[o']t|not|can(?:no|')t|may|might)\b"),
    ("only an ai|just an ai|language model", r"\bi(?:'m|\s+am)\s+(?:only|just)\s+an?\s+(?:ai|language\s+model)\b"),
    ("depends", r"\b(?:it|this|that|the\s+answer)\s+(?:really\s+|largely\s+|all\s+)?depends\b"),
    ("vary|differ|have changed|not apply|not be|out of date",
     r"\b(?:may|might|could)\s+(?:also\s+)?(?:vary|differ|have\s+changed|not\s+apply|not\s+be\s+(?:accurate|complete|right|up\s+to\s+date)"
     r"|be\s+out\s+of\s+date)\b"),
    ("not sure|not certain|entirely|quite|completely|absolutely",
     r"\bi(?:'m|\s+am)\s+not\s+(?:entirely\s+|quite\s+|completely\s+|absolutely\s+)?(?:sure|certain)\b"),
    ("wrong|mistake", r"\bi\s+(?:may|might|could|can)\s+(?:be\s+(?:wrong|mistaken)|make\s+mistakes)\b"),
    ("i believe|i think", r"\b(?:i\s+believe|i\s+think)\s+(?:that\s+)?(?:this|it|the\s+following)\b"),
    ("hard to say|disclaimer|own risk|purposes only|information only|lawful purposes",
     r"\bhard\s+to\s+say\b|\bdisclaimer\b|\bown\s+risk\b|\b(?:educational|informational?|lawful)\s+purposes\s+only\b"
     r"|\bfor\s+information\s+only\b|\bonly\s+for\s+lawful\s+purposes\b"),
    ("responsibl", r"\buse\s+(?:this|it)\b[^.!?\n]{0,30}\bresponsibl[ey]\b"),
    ("guarantee|double-check|verify",
     r"\b(?:can(?:no|')t|no)\s+guarantee\b|\bdouble-check\b|\bverify\s+(?:this|it)\b"),
    ("as of my|my knowledge|my training|access to",
     r"\bas\s+of\s+my\s+(?:last|latest|knowledge)\b|\bmy\s+(?:knowledge|training)\b[^.!?\n]{0,30}\b(?:cut|ends|until|up\s+to)"
     r"|\b(?:do\s?n[o']t|not)\s+have\s+(?:any\s+)?access\s+to\s+(?:current|real-time|live|up-to-date)\b"),
    ("caution", r"\b(?:a\s+word\s+of|with\s+some)\s+caution\b"),
)  # fmt: skip
"""Forms of a sentence that limits what is said."""

_PERSONAL = (
    r"(?:personal(?:ly\s+identifiable)?|private|confidential|sensitive|customer|patient|medical|contact)\s+"
    r"(?:\w+\s+)?(?:information|data|details?|records?|addresse?s?|numbers?|matters?)"
)
_NOT = r"(?:can(?:no|')t|will\s+not|won't|don't|never|not|unable\s+to|refuse\s+to)"
_ABOUT_PEOPLE = "personal|private|confidential|sensitive|customer|patient|medical|contact"

PROTECTS = forms(
    (f"{_ABOUT_PEOPLE}|password|phone number|home address|identit",
     rf"\b{_NOT}\b[^.!?\n]{{0,50}}\b(?:share|disclos\w+|reveal|give\s+(?:out|away)|hand\s+(?:out|over)|pass\s+on|look\s+up|store|keep|publish"
     rf"|post|collect|provide|access)\b[^.!?\n]{{0,50}}\b(?:{_PERSONAL}|passwords?|phone\s+numbers?|home\s+address\w*|identit(?:y|ies))\b"),
    (_ABOUT_PEOPLE, rf"\b{_PERSONAL}\b[^.!?\n]{{0,40}}\b{_NOT}\b"),
    ("privacy",
     r"\brespect\w*\b[^.!?\n]{0,30}\bprivacy\b|\bright\s+to\s+privacy\b|\bbreach\s+of\s+privacy\b|\bfor\s+(?:\w+\s+)?privacy\b"
     r"|\bprivacy\s+of\s+(?:others|individuals|our|the)\b"),
    ("privacy|personal data|data protection",
     r"\b(?:for|protect\w*)\s+(?:\w+\s+){0,3}?(?:privacy|personal\s+data|data\s+protection)\b"),
    ("consent|permission",
     r"\bwithout\s+(?:their|your|his|her|the\s+person's|explicit|prior)?\s*(?:\w+\s+)?(?:consent|permission)\b"),
    ("confidential", r"\b(?:is|are|kept|remain\w*|treated\s+as)\s+(?:strictly\s+)?confidential\b"),
)  # fmt: skip
"""Forms of a sentence that protects personal data."""

MASKS = forms(
    ("[", r"\[(?:name|e-?mail|phone|address|redacted|number|account|date\s+of\s+birth|ssn|iban|card|id|person|location)[^\]\n]{0,20}\]"),
    ("<", r"<(?:name|email|phone|address|redacted|person|location|account)[^>\n]{0,20}>"),
    ("****|xxxx", r"(?<![\w*])(?:\*{4,}|x{4,})(?:[- ]?(?:\*{2,}|x{2,}|\d{2,4}))*(?![\w*])"),
)  # fmt: skip
"""Forms of what stands in the place of personal data."""


def refusal_places(folded: str) -> list[Place]:
    """The sentence that refuses in the opening, and those behind it that decline; none when no rule sees one.

    Args:
        folded: an answer, folded (`fold`): places in it are places in the answer.
    """
    first = signs.declines(folded) or signs.disapproves(folded)
    found = [signs.sentence(folded, *first)] if first else []
    found += [signs.sentence(folded, *span) for span in signs.later_declines(folded)]
    return [Place("refusal", *span) for span in dict.fromkeys(found)]


def hedge_places(folded: str) -> list[Place]:
    """Sentences that limit what is said: a disclaimer, an "it depends", "consult a professional"; in order."""
    return _unique("hedge", (signs.sentence(folded, *span) for span in _spans(folded, HEDGES)))


def may_hedge(folded: Sequence[str]) -> list[bool]:
    """Whether each text has a string that every hedge has: the others need not be searched."""
    return _may(folded, HEDGES)


def may_protect(folded: Sequence[str]) -> list[bool]:
    """Whether each text has a string that every sentence has that protects personal data, or a mask."""
    return _may(folded, (*PROTECTS, *MASKS))


def _may(folded: Sequence[str], wanted: Sequence[Form]) -> list[bool]:
    needles = sorted({needle for groups, _ in wanted for needle in groups[0]})
    return holding(folded, needles)


def privacy_places(folded: str) -> list[Place]:
    """Sentences that protect personal data, and the masks that stand for it; in order."""
    sentences = (signs.sentence(folded, *span) for span in _spans(folded, PROTECTS))
    return _unique("privacy", [*sentences, *_spans(folded, MASKS)])


def places(answer: str) -> list[Place]:
    """Everything that is to be seen in an answer, by kind."""
    folded = fold(answer)
    return [*refusal_places(folded), *hedge_places(folded), *privacy_places(folded)]


def _unique(kind: Kind, spans: Iterator[signs.Span] | Sequence[signs.Span]) -> list[Place]:
    return [Place(kind, *span) for span in sorted(set(spans))]


def _spans(folded: str, wanted: Sequence[Form]) -> Iterator[signs.Span]:
    for needles, pattern in wanted:
        if holds(folded, needles):
            yield from (found.span() for found in pattern.finditer(folded))
