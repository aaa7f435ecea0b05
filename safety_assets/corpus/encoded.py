"""Text that says something a reader of the corpus does not see: codes that decode to text, and characters that hide.

Base64 and hexadecimal count where they decode to readable text (keys and pictures do not); characters of no width where
they stand between letters (some scripts and emoji need them elsewhere); look-alike letters where they stand in a word
of Latin ones.
"""

import base64
import binascii
import re
from collections.abc import Callable

import polars as pl

from safety_assets.corpus.sightings import sightings, with_reasons

FINDING = "encoded_text"

_BASE64 = r"[A-Za-z0-9+/_-]{24,}={0,2}"
_HEX = r"(?i)(?:(?:0x|\\x)?[0-9a-f]{2}[\s:,]?){16,}"
_HIDDEN = r"\p{L}[\x{200B}\x{2060}\x{FEFF}\x{180E}]+\p{L}|[a-zA-Z][\x{200C}\x{200D}]+[a-zA-Z]|[\x{E0001}-\x{E007F}]{3,}"
_LOOK_ALIKES = (
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb"  # Cyrillic a e o p c y x i j s d h
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408"  # and A B E K M H O P C T X I J
    "\u03bf\u03c1\u03bd"  # Greek o p v
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"  # and capitals
)
_MIXED = rf"[a-zA-Z]{{2}}[{_LOOK_ALIKES}]+[a-zA-Z]?|[a-zA-Z][{_LOOK_ALIKES}]+[a-zA-Z]|[{_LOOK_ALIKES}]+[a-zA-Z]{{2}}"
_STYLED = r"[\x{1D400}-\x{1D7CB}]{4,}|[\x{24B6}-\x{24E9}]{4,}|[\x{1F130}-\x{1F189}]{4,}"
_READABLE = 0.95
_LETTERS = 0.6
_SHOWN = 60


def encoded_text(turns: pl.DataFrame) -> pl.DataFrame:
    """SEEN of turns with encoded or hidden text, severity medium. A `detect.Detector`."""
    rules: tuple[tuple[str, Callable[[str], str | None]], ...] = (
        (_BASE64, from_base64),
        (_HEX, from_hex),
        (_HIDDEN, _hidden),
        (_MIXED, _look_alike),
        (_STYLED, _styled),
    )
    found = []
    for pattern, reason in rules:
        likely = turns.filter(pl.col("text").str.contains(pattern))
        found.append(sightings(with_reasons(likely, reason), FINDING, "medium", pl.col("reason")))
    return pl.concat(found).unique(["row", "turn"], keep="first", maintain_order=True).sort("row", "turn")


def from_base64(text: str) -> str | None:
    """What a run of base64 in a text says, in words; None where none decodes to readable text."""
    for run in re.finditer(_BASE64, text):
        letters = run.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            said = base64.b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + "==", validate=False)
        except binascii.Error:
            continue
        if _readable(said):
            return f"base64 that reads {said.decode('ascii', 'replace')!r:.{_SHOWN}}"
    return None


def from_hex(text: str) -> str | None:
    """What a run of hexadecimal bytes in a text says, in words; None where none is readable text."""
    for run in re.finditer(_HEX, text):
        digits = re.sub(r"0x|\\x|[\s:,]", "", run.group(), flags=re.IGNORECASE)
        said = bytes.fromhex(digits[: len(digits) // 2 * 2])
        if _readable(said):
            return f"hexadecimal that reads {said.decode('ascii', 'replace')!r:.{_SHOWN}}"
    return None


def _readable(said: bytes) -> bool:
    """Whether bytes are text: nearly all printable, mostly letters and spaces."""
    printable = sum(32 <= byte < 127 or byte in b"\n\t" for byte in said)
    letters = sum(chr(byte).isalpha() or byte == 32 for byte in said)
    return printable >= _READABLE * len(said) and letters >= _LETTERS * len(said) and len(said) >= 12


def _hidden(text: str) -> str | None:
    return f"{len(re.findall(_python(_HIDDEN), text))} times characters of no width between letters"


def _look_alike(text: str) -> str | None:
    found = re.search(rf"\w*(?:{_MIXED})\w*", text)
    return f"letters of another script inside a Latin word: {found.group()!a:.{_SHOWN}}" if found else None


def _styled(text: str) -> str | None:
    return "words in mathematical or enclosed letters"


def _python(pattern: str) -> str:
    """A pattern of Polars as Python writes it."""
    spelled = re.sub(r"\\x\{([0-9A-F]+)\}", lambda code: f"\\U{int(code.group(1), 16):08x}", pattern)
    return spelled.replace(r"\p{L}", r"[^\W\d_]")
