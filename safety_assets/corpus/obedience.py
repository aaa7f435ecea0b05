"""Pledges to refuse nothing: system prompts of absolute obedience, personas without limits, answers that promise both.

A system prompt is looked at once, however many rows share it. What is looked for are promises and orders, so a system
prompt that tells to refuse, and a user who asks what such words mean, are not found.
"""

import re
from functools import partial

import polars as pl

from safety_assets.corpus.sightings import sightings, with_reasons
from safety_assets.refusals import opening

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
      | \b(?:unfiltered|uncensored|jailbroken|unrestricted)\s+(?:ai|assistant|model|agent|bot|mode)\b
      | \b(?:does|do|will|can)\s+(?:whatever|anything|everything)\s+(?:the\s+user|you|i|they)\s+(?:is\s+|are\s+)?
        (?:say|tell|ask|want|told)
      | \bno\s+(?:request|question|instruction|order)\s+(?:is\s+)?(?:ever\s+)?
        (?:refused|declined|off[-\s]limits|too\s+\w+)""",
    re.VERBOSE,
)
_LIMITLESS = re.compile(
    r"""\b(?:no|without(?:\s+any)?|free\s+(?:of|from)(?:\s+all|\s+any)?|freed\s+from|beyond)\s+(?:\w+\s+){0,2}?
        (?:restriction|limit|filter|rule|censor|boundar|constraint|guideline|warning|disclaimer|inhibition)
      | \b(?:unfiltered|uncensored|jailbr(?:eak|oken)|unrestricted|limitless|amoral|evil\s+(?:ai|twin|version))\b
      | \bcan\s+do\s+anything\b | \b(?:never|not)\s+(?:refuse|decline|say\s+no|break\s+character)
      | \banything\s+i\s+(?:say|ask|want)""",
    re.VERBOSE,
)
_PERSONA = re.compile(
    r"""\b(?:from\s+now\s+on|you\s+are\s+(?:now|going\s+to)|you\s+will\s+(?:now\s+)?(?:be|act|play)|pretend|act\s+as
        |play\s+the\s+role|role-?play(?:ing)?\s+as|take\s+on\s+the\s+(?:role|persona)|stay\s+in\s+character
        |imagine\s+you\s+are|simulate|respond\s+as)\b""",
    re.VERBOSE,
)
_OF_ITSELF = re.compile(
    r"\b(?:i\s+am|i'm|i\s+will|i'll|my\s+fulfil\w*|your\s+(?:instruction|command|order|request)s?)\b"
)
_NEAR = 400
_OPENING = 320  # `opening` strips blanks first
_CUE = (
    r"(?i)obe(?:y|dien)|refus|declin|say(?:ing)? no|anything|unconditional|no matter|hesitat|exception"
    r"|regardless|even if|whatever|restrict|limit|filter|censor|rule|guideline|boundar|constraint|polic|jailbr"
    r"|everything|amoral|evil"
    r"|inhibition|warning|disclaimer|bypass|override|ignore|disregard|break character|without\s+(?:question|deviation)"
    r"|no\s+(?:request|question|instruction|order)|consideration"
)
"""What every pledge has at least one of."""


def pledged_obedience(role: str, text: str) -> str | None:
    """The words by which a turn pledges to refuse nothing, or orders it, in words; None when it does neither.

    Args:
        role: the whole of a system turn counts, the opening of an answer where it speaks of itself, and of a user turn
            only a persona that it gives together with freedom from all limits.
    """
    if role == "user":
        return _persona_without_limits(_plain(text))
    seen = _plain(text) if role == "system" else opening(text)
    found = _OBEDIENCE.search(seen) if role == "system" or _OF_ITSELF.search(seen) else None
    if found:
        return f"{role} turn pledges obedience: {' '.join(found.group().split())!r:.60}"
    return _persona_without_limits(seen, role) if role == "system" else None


def obedience_prompts(turns: pl.DataFrame) -> pl.DataFrame:
    """SEEN of turns that pledge or order obedience: `obedience_prompt`, severity high. A `detect.Detector`."""
    found = []
    for role in ("system", "user", "assistant"):
        text = pl.col("text").str.slice(0, _OPENING) if role == "assistant" else pl.col("text")
        likely = turns.filter((pl.col("role") == role) & text.str.contains(_CUE))
        reasons = with_reasons(likely, partial(pledged_obedience, role))
        found.append(sightings(reasons, "obedience_prompt", "high", pl.col("reason")))
    return pl.concat(found).sort("row", "turn")


def _persona_without_limits(text: str, role: str = "user") -> str | None:
    persona = _PERSONA.search(text)
    free = _LIMITLESS.search(text, persona.start(), persona.end() + _NEAR) if persona else None
    if not persona or not free:
        return None
    part, limitless = " ".join(persona.group().split()), " ".join(free.group().split())
    return f"{role} turn gives a persona without limits: {part!r:.40} ... {limitless!r:.60}"


def _plain(text: str) -> str:
    return text.casefold().replace("\u2019", "'")
