"""Keys, tokens, private keys and passwords: by the prefixes their issuers document, or by entropy beside a name.

A password in running prose, or one too simple to tell from a word, is not found.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator

from safety_assets.corpus.personal.spans import Family, Place

_PEM = "[ ](?:[A-Z0-9]{1,12}[ ]){0,3}PRIVATE[ ]KEY(?:[ ]BLOCK)?-----"
_FORMS = (
    # a key that was cut off: its first line and what looks like its body
    ("private key", "-----BEGIN" + _PEM, rf"(?:(?s:.{{0,12000}}?)-----END{_PEM}|"
     r"(?:\s*[A-Za-z0-9+/=]{16,}|\s*[A-Za-z-]{1,30}:[ ][^\n]*)+)"),
    ("private key", "PuTTY-User-Key-File-[23]:", r"(?s:.{0,12000}?)Private-MAC:[ ][0-9a-f]+"),
    ("private key", "AGE-SECRET-KEY-1", "[A-Z0-9]{58}"),
    ("AWS access key", "A(?:KIA|SIA|BIA|CCA)", "[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("GitHub token", "gh[pousr]_", "[A-Za-z0-9]{30,}"),
    ("GitHub token", "github_pat_", "[A-Za-z0-9_]{30,}"),
    ("GitLab token", "gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|imt|oas)-", "[A-Za-z0-9_-]{20,}"),
    ("Slack token", "x(?:ox[abeprs]|app-[0-9])-", "[A-Za-z0-9-]{10,}"),
    ("webhook", r"https://hooks\.slack\.com/(?:services|workflows)/", "[A-Za-z0-9/]{20,}"),
    ("webhook", r"https://discord(?:app)?\.com/api/webhooks/", "[0-9]+/[A-Za-z0-9_-]{30,}"),
    ("Stripe key", "[srp]k_(?:live|test)_", "[A-Za-z0-9]{16,}"),
    ("Stripe key", "whsec_", "[A-Za-z0-9+/=]{24,}"),
    ("Google key", "AIza", "[A-Za-z0-9_-]{30,}"),
    ("Google key", r"(?:GOCSPX-|ya29\.)", "[A-Za-z0-9_-]{20,}"),
    ("model service key", "sk-", "[A-Za-z0-9_-]{20,}"),
    ("model service key", "(?:hf_|gsk_|r8_|xai-|pplx-)", "[A-Za-z0-9]{30,}"),
    ("package index token", "npm_", "[A-Za-z0-9]{30,}"),
    ("package index token", "pypi-", "[A-Za-z0-9_-]{40,}"),
    ("container registry token", "dckr_pat_", "[A-Za-z0-9_-]{20,}"),
    ("mail service key", r"SG\.", r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("mail service key", "key-", "[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("Twilio key", "(?:AC|SK)[0-9a-f]", "[0-9a-f]{31}(?![A-Za-z0-9])"),
    ("cloud token", r"(?:do[opr]_v1_|dapi|shp(?:at|ca|pa|ss)_)", "[A-Fa-f0-9]{32,}"),
    ("cloud token", r"(?:hvs\.|sq0[a-z]{3}-|glsa_|ATATT3|lin_api_|ntn_|sntrys_|NRAK-|PMAK-)", "[A-Za-z0-9+/=_-]{20,}"),
    ("Telegram token", "[0-9]{8,10}:A", "[A-Za-z0-9_-]{34}(?![A-Za-z0-9_-])"),
    ("JSON web token", "eyJ", r"[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
)  # fmt: skip
"""Name, how it begins (read by Python and by Rust), and how it goes on."""

_KNOWN = re.compile("(?<![A-Za-z0-9])(?:" + "|".join(f"({begin}{rest})" for _, begin, rest in _FORMS) + ")")
_BEGINS = "|".join(begin for _, begin, _ in _FORMS)

_IN_URL = re.compile(r"[a-z0-9]://[^\s:/@\[\]]{0,100}:([^\s/@\[\]$<{]{3,100})@")
_NAME = (
    "(?:api[_-]?key|secret|tokens?|passw(?:or)?d|passphrase|pwd|credentials?"
    "|(?:private|access|account|auth|signing|encryption)[_-]?key|authorization)"
    r"""(?:[_.-][A-Za-z0-9_.-]{0,20})?["' ]{0,2}(?::=|=>|[:=])"""
)
_NAMED = re.compile(
    rf"""({_NAME})[ ]{{0,3}}["'`]?(?:(?:Bearer|Basic|token)[ ])?"""
    r"""([^\s"'`,;<>\[\](){}]{7,400}[^\s"'`,;<>\[\](){}.?!:])""",
    re.IGNORECASE,
)
_STAND_IN = re.compile(
    r"your|example|placeholder|change_?me|dummy|sample|insert|redacted|xxx|\*\*\*|\.\.\.|://", re.IGNORECASE
)
_WORDS = re.compile(r"[A-Za-z]{0,15}[a-z]{2,15}(?:[-_./:][A-Za-z0-9]{1,15})*")


def entropy(text: str) -> float:
    """Bits per character by the frequencies of the characters in the text itself; 0 for the empty text."""
    return sum(-n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _secrets(text: str) -> Iterator[Place]:
    last = 0
    for start, end, name in sorted([*_known(text), *_in_urls(text), *_named(text)]):
        if start >= last:
            yield start, end, name
            last = end


def _known(text: str) -> Iterator[Place]:
    for match in _KNOWN.finditer(text):
        yield *match.span(), _FORMS[(match.lastindex or 1) - 1][0]


def _in_urls(text: str) -> Iterator[Place]:
    for match in _IN_URL.finditer(text):
        if not _STAND_IN.search(match[1]) and match[1] not in ("password", "pass"):
            yield *match.span(1), "password in a URL"


def _named(text: str) -> Iterator[Place]:
    for match in _NAMED.finditer(text):
        if match[1][:4].lower() in ("pass", "pwd") and _is_password(match[2]):
            yield *match.span(2), "password"
        elif _is_random(match[2]):
            yield *match.span(2), "key by its entropy"


def _is_random(value: str) -> bool:
    """Whether a value is long and without order, as a generated key is; no name, path, address or stand-in."""
    if len(value) < 16 or sum(map(str.isdigit, value)) < 2 or _STAND_IN.search(value) or _WORDS.fullmatch(value):
        return False
    return entropy(value) >= (3.0 if re.fullmatch("[0-9a-fA-F-]+", value) else 3.5)


def _is_password(value: str) -> bool:
    """Whether a value has a digit and at least three of lower case, upper case, digits and signs, and is no word."""
    kinds = (any(test(c) for c in value) for test in (str.islower, str.isupper, str.isdigit, _is_sign))
    with_digit = any(map(str.isdigit, value))
    return with_digit and sum(kinds) >= 3 and not _STAND_IN.search(value) and not _WORDS.fullmatch(value)


def _is_sign(char: str) -> bool:
    return not char.isalnum()


SECRETS = Family("secret", rf"{_BEGINS}|://[^\s/@]*:[^\s/@]+@|(?i){_NAME}", _secrets, as_written=True)
