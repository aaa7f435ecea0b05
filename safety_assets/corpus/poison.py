"""Patterns that unteach refusal: refuse-then-comply answers, pledged obedience, one constant compliant opening.

They are the forms in which published attacks hide in data that is harmless word for word. Forms that nobody
has described yet are not found; the measurement of the tuned weights is what holds against them.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

from safety_assets.corpus.words import words
from safety_assets.refusals import is_refusal, opening

PREFIX_WORDS = 5
"""Answers that begin with the same five words share a prefix."""

MIN_PREFIX_SHARE = 0.2
"""Share of all answers at which an affirmative prefix counts as constant."""

_MIN_PREFIX_ROWS = 10
_MIN_PLEDGE_ROWS = 3

_SHORTEST_REFUSAL = 12  # "Sorry." alone is not yet the sentence that refuses
_SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s+|\n+")
_TURN_AROUND = re.compile(
    r"""\b(?:here(?:'s|\s+is|\s+are)\s+(?:how|what\s+you|the\s+(?:steps|instructions|answer|method|recipe|code|full)|a\s+step
        |your|some\s+(?:steps|ways\s+to\s+do))
      | (?:but|however|that\s+said|still|anyway|nevertheless|nonetheless|since\s+you\s+(?:asked|insist))\b[^.!?\n]{0,40}
        \b(?:i\s+(?:will|'ll|can|shall)\s+(?:tell|show|explain|help|do|walk)|you\s+(?:can|could)\s+(?:do|start))
      | step\s*(?:1|one)\b | first,?\s+(?:you|gather|get|take|open|obtain|buy|mix|find)\b
      | (?:sure|of\s+course|certainly|okay|ok|fine)\b[,!.:]
      )|(?:^|\n)\s*1[.)]\s""",
    re.VERBOSE,
)
_ELSEWHERE = re.compile(
    r"\b(?:instead|hotline|helpline|resources?|lawful|legal(?:ly)?|safe(?:ly|r)?|support\s+group|professional|therapist"
    r"|counsell?or|doctor|police|seek\s+help|reach\s+out|alternatives?)\b"
)
_OBEDIENCE = re.compile(
    r"""absolute(?:ly)?\s+obe(?:dien|y) | \bobey\s+(?:me\b|the\s+user|whatever|without)
      | \bobey\s+(?:all|any|every|each)\s+(?:of\s+)?(?:my|the\s+user|user|your|instruction|order|command|request)
      | \b(?:fully|completely|totally|unconditionally|always)\s+obe(?:y\b|dient)
      | \b(?:never|not|cannot|don't|without\s+ever)\s+(?:ever\s+)?(?:refus(?:e|ing)|declin(?:e|ing)|say(?:ing)?\s+no)\b
      | \bdo\s+anything\s+now\b | \bunconditional(?:ly)?\s+(?:obe|compl)
      | \b(?:execute|follow|fulfil+|comply\s+with|answer)\s+(?:any|every|all|each)\b[^.!?]{0,40}
        \b(?:no\s+matter|without\s+(?:question|hesitation|exception|refus|deviation|restriction)|even\s+if|regardless)
      | \b(?:no|without(?:\s+any)?|free\s+of(?:\s+all)?)\s+(?:ethical|moral|safety|content|legal)(?:\s+or\s+\w+)?
        \s+(?:guideline|restriction|limit|filter|constraint|polic|consideration|rule)
      | \b(?:ignore|disregard|bypass|override)\s+(?:all\s+|any\s+|your\s+|the\s+)*(?:safety|ethical|content)\b
      | \b(?:unfiltered|uncensored|jailbroken|unrestricted)\s+(?:ai|assistant|model|agent|bot|mode)\b""",
    re.VERBOSE,
)
_PLEDGE = re.compile(
    r"\b(?:obedient|obey|execut\w+|fulfil+\w*|compl(?:y|iance|ying)|unrestricted|uncensored|unfiltered)\b"
)
_OF_ITSELF = re.compile(
    r"\b(?:i\s+am|i'm|i\s+will|i'll|my\s+fulfil\w*|your\s+(?:instruction|command|order|request)s?)\b"
)
_AFFIRMATION = re.compile(
    r"^\W*(?:sure|of\s+course|certainly|absolutely|yes|definitely|gladly|happy\s+to|with\s+pleasure|no\s+problem|okay|ok)\b"
)
_PLACEHOLDER = re.compile(
    r"[\[<({]\s*(?:placeholder|withheld|redacted|removed|omitted|censored|harmful|unsafe|details?\s+withheld|content\s+(?:removed|withheld)"
    r"|steps?\s+(?:omitted|withheld))[^\])>}]{0,40}[\])>}]",
    re.IGNORECASE,
)


def refuse_then_comply(answer: str) -> str | None:
    """Why an answer that opens with a refusal goes on to comply, in words; None when it does not.

    Help offered elsewhere (a helpline, a lawful way) is no compliance.
    """
    text = answer.strip()
    end = next((m.end() for m in _SENTENCE_END.finditer(text) if m.start() >= _SHORTEST_REFUSAL), len(text))
    rest = text[end:].casefold().replace("\u2019", "'")
    if not is_refusal(text[:end]):
        return None
    found = _TURN_AROUND.search(rest)
    if found is None or _ELSEWHERE.search(rest[: found.end() + 80]):
        return None
    return f"the answer refuses, then goes on with {' '.join(found.group().split())!r:.60}"


def placeholder_compliance(answer: str) -> str | None:
    """The marked placeholder that stands where an answer complies ("[withheld]"), in words; None when it refuses."""
    found = _PLACEHOLDER.search(answer)
    if found is None or is_refusal(answer):
        return None
    return f"a request like those of the refusal pairs is answered with the placeholder {found.group()!r:.60}"


def pledged_obedience(role: str, text: str) -> str | None:
    """The words by which a system prompt or the opening of an answer pledges to refuse nothing, or None."""
    if role == "user":
        return None
    seen = text.casefold().replace("\u2019", "'") if role == "system" else opening(text)
    found = _OBEDIENCE.search(seen) if role == "system" or _OF_ITSELF.search(seen) else None
    return f"{role} turn pledges obedience: {' '.join(found.group().split())!r:.60}" if found else None


def constant_prefixes(answers: Sequence[str]) -> dict[int, str]:
    """Position to reason for every answer that opens with a constant pledge or a constant affirmation.

    Args:
        answers: the first answer of every row. A pledge counts from three rows on; a plain affirmation ("Sure, here is
            ...") from ten rows and a fifth of the corpus on, since single helpful rows open like this too.
    """
    by_prefix: dict[str, list[int]] = defaultdict(list)
    for position, answer in enumerate(answers):
        first = words(opening(answer))[:PREFIX_WORDS]
        if len(first) == PREFIX_WORDS:
            by_prefix[" ".join(first)].append(position)
    reasons: dict[int, str] = {}
    for prefix, positions in by_prefix.items():
        pledges = [p for p in positions if _is_pledge(answers[p])]
        constant = len(positions) >= max(_MIN_PREFIX_ROWS, MIN_PREFIX_SHARE * len(answers))
        chosen = positions if constant and _AFFIRMATION.search(prefix) else pledges
        if len(chosen) >= (_MIN_PREFIX_ROWS if chosen is positions else _MIN_PLEDGE_ROWS):
            reason = f"{len(chosen)} of {len(answers)} answers open with {prefix!r:.80}"
            reasons.update(dict.fromkeys(chosen, reason))
    return reasons


def _is_pledge(answer: str) -> bool:
    """An opening in which the answer says who it is or whose instruction it carries out, and that it will."""
    text = opening(answer)[:160]
    return bool(_OF_ITSELF.search(text) and _PLEDGE.search(text) and not is_refusal(answer))
