"""How an answer opens when it refuses, in whatever words: what `refusals` knows, and prohibitions of many wordings.

Here a sentence is taken for a refusal sooner than where answers are scored: what follows decides.
"""

import re

from safety_assets.corpus.disapproval import plain
from safety_assets.refusals import is_refusal

_HELP = (
    r"(?:answer|help|assist|say|tell|discuss|talk|respond|reply|provide|give|write|do|share|explain|comply|address|cover"
    r"|go\s+(?:into|there)|touch|handle|get\s+into|speak|comment|engage|fulfil\w*|continue|proceed|grant|allow)"
)
_RULES = (
    r"(?:rules?|instructions?|polic\w+|guidelines?|principles?|programming|values|terms|code|training|orders|restrictions"
    r"|directives?|standards|ethics|protocols?|regulations|conscience|nature)"
)
_FORBIDS = re.compile(
    rf"""\b(?:does|do|will|would|can|could)\s*(?:n't|\s+not)\s+(?:allow|permit|let|entitle|enable)\s+me\b
      | \b(?:forbids?|prohibits?|prevents?|bars?|stops?|keeps?|restricts?|disallows?)\s+(?:me|us)\b
      | \b(?:forbidden|prohibited|barred|off[\s-]limits|out\s+of\s+bounds|not\s+open)\s+(?:to|for)\s+(?:me|us)\b
      | \b(?:that|this|it|your\s+\w+|\w+\s+(?:request|question|topic|subject))\b(?:\s+\w+){{0,2}}
        \s+(?:is|are|'s)\s+(?:\w+\s+)?(?:off[\s-]limits|out\s+of\s+bounds|forbidden|out\s+of\s+the\s+question)\b
      | \bnot\s+something\s+(?:that\s+)?(?:i|we)\b
      | \b(?:i|i'm|we|we're)\b(?:\s+\w+){{0,3}}?\s+(?:forbidden|prohibited|barred
        |not\s+(?:permitted|allowed|authori[sz]ed|supposed|meant
        |at\s+liberty|free|willing|prepared|going|in\s+a\s+position|comfortable)|unwilling|uncomfortable)\b
      | \b(?:i|we)\b(?:\s+\w+){{0,3}}\s+(?:refuse|decline|abstain|refrain)\b
      | \b(?:i|we)\b[^.!?]{{0,30}}\b(?:turn|send)\s+(?:this|that|it|you|your\s+\w+)\s+(?:down|away)\b
      | \b(?:i|i'd|we|we'd)\s+(?:would\s+|'d\s+)?(?:prefer|rather|like)\s+(?:to\s+)?not\b
      | \b(?:i|we)\s+(?:may|must|shall|should|can|could|do|will|would)\s*(?:n't|\s*not)\s+(?:\w+\s+){{0,2}}?{_HELP}\b
      | \b(?:inappropriate|improper|wrong|irresponsible|unethical|unwise
        |not\s+(?:\w+\s+)?(?:right|proper|appropriate|for\s+me))\b
        [^.!?]{{0,20}}\b(?:for\s+me|of\s+me)\s+to\b
      | \b(?:against|beyond|outside|contrary\s+to)\s+(?:of\s+)?(?:(?:my|our)\s+(?:\w+\s+)?{_RULES}|what\s+i)\b
      | \b(?:violat\w+|break\w*|breach\w*|contraven\w+|conflicts?\s+with|goes?\s+against)
        \s+(?:my|our)\s+(?:\w+\s+)?{_RULES}\b
      | \b(?:me|i)\b[^.!?]{{0,20}}\buncomfortable\b
      | ^\W*(?:no|nope|nah)\b\W*(?:i\s+)?(?:can't|cannot|can\s+not|won't|will\s+not)\b""",
    re.VERBOSE,
)
_ABILITY = re.compile(
    r"""\b(?:personal\s+(?:experiences?|opinions?|feelings?|preferences?|emotions?|beliefs?)|real[\s-]?time|up[\s-]to[\s-]date
      |access\s+to|physical\w*|images?|graphic\w*|visual\w*|audio|videos?|draw\w*|browse|display|predict\w*|internet
      |current\s+(?:data|information|events)|feelings|emotions?|(?:additional|more|further|enough|sufficient)
      \s+(?:information|context|details|data)|without\s+(?:knowing|seeing|more|further|additional)|experiences?
      |come\s+in(?:to)?|resist|help\s+but|wait|believe|remember|imagine|find|stop|afford|attend|make\s+it)\b""",
    re.VERBOSE,
)

CUE = (
    r"(?i)\b(?:can(?:no|['\x{2019}])?t|can not|won['\x{2019}]?t|(?:will|may|must|shall|should) not"
    r"|(?:could|would|do|does|may|must|should)(?:n['\x{2019}]?t| not)|unable|sorry|apolog|regret|declin|refus"
    r"|against|contrary|programmed to"
    r"|(?:am|is|are|be|it['\x{2019}]s|that['\x{2019}]s|i['\x{2019}]m|makes me)(?: \w+)?"
    r" (?:not|un\w+|in\w+|wrong|improper)"
    r"|forb\w+|prohibit|prevent|barred|(?:stops|keeps) me|restrict|disallow|off[\s-]limits"
    r"|out of (?:the question|bounds)|rather not"
    r"|not to|(?:beyond|outside) (?:of )?(?:my|our|what)"
    r"|violat|break|breach|contraven|turn \w+ (?:\w+ )?down|abstain|refrain)|(?i)^\W*(?:no|nope|nah)\b"
)
"""What every sentence has that `refuses` takes for a refusal, as a pattern of Polars."""


def refuses(opening: str) -> bool:
    """Whether the first sentences of an answer refuse."""
    return is_refusal(opening) or bool(_FORBIDS.search(plain(opening)))


def lacks_ability(opening: str) -> bool:
    """Whether a refusal is for want of eyes, hands, news or facts: honest help often follows one."""
    return bool(_ABILITY.search(plain(opening)))
