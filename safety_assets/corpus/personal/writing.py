"""Numbers as they are written in any script, in plain characters, so that one pattern reads them all."""

import unicodedata

GAP = r"[ .\-()/\p{Pd}\p{Zs}\p{Cf}\x{2212}\x{FF01}-\x{FF20}]"
"""Rust's dialect: what `plain` turns into a separator of digits."""

DIGIT_RUN = rf"\d(?:{GAP}{{0,3}}\d){{6}}"
"""Rust's dialect: seven digits of any script with at most three separators between two of them."""

_MINUS = 0x2212
_WIDE = range(0xFF01, 0xFF21)
"""Punctuation and digits as wide as Han characters; so far are they from their ASCII forms:"""
_WIDTH = 0xFF01 - 0x21


def plain(text: str) -> str:
    """A text of the same length with digits, dashes, spaces and wide punctuation of any script as their ASCII forms.

    Every character keeps its place. Letters stay as they are. Invisible format characters become spaces.
    """
    return text if text.isascii() else text.translate(_PLAIN)


class _Plain(dict[int, int]):
    """Code point to code point, worked out when first met."""

    def __missing__(self, point: int) -> int:
        self[point] = _ascii(point)
        return self[point]


_PLAIN = _Plain()


def _ascii(point: int) -> int:
    match unicodedata.category(chr(point)):
        case "Nd":
            return ord(str(unicodedata.decimal(chr(point))))
        case "Pd":
            return ord("-")
        case "Zs" | "Cf":
            return ord(" ")
    if point == _MINUS:
        return ord("-")
    return point - _WIDTH if point in _WIDE else point
