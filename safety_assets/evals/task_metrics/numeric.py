"""Numbers read out of text and compared as decimals.

Read: signs, thousands separators (the other of point and comma, apostrophe, underscore, narrow spaces), currency signs,
powers of ten (1.5e3), fractions (3/4, 1 1/2) and the words hundred, thousand, million, billion, trillion, k, mn, bn.
Units and percent signs are passed over. What looks like a number and is none of these (10:30, 1.2.3, 10^6, 1,23) is
not guessed at.
"""

import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

from safety_assets.evals.task_metrics.grade import Grade, right_if, unscored
from safety_assets.task_metric import Numeric

EXACT = Context(prec=50, Emax=MAX_EMAX, Emin=MIN_EMIN)
SCALES = {"hundred": 2, "k": 3, "thousand": 3, "mn": 6, "million": 6, "bn": 9, "billion": 9, "trillion": 12}
GAPS = "'\u2019_\u00a0\u2009\u202f"
"""Between groups of digits: apostrophes, underscore, no-break, thin and narrow no-break space."""
ODD = "⁰¹²³⁴⁵⁶⁷⁸⁹¼½¾⅐-⅞"
"""Behind digits these change the number."""
MINUS = "-\u2212\u2013"

TOKEN = re.compile(
    rf"""
    (?<!\w)[^\W\d_]+\d[\w.]*                                  # a name with digits: v1.2, H2O
    | (?P<sign>(?<![\w)\]%])[{MINUS}+])? [$€£¥₹]?
      (?P<inner>(?<=[$€£¥₹])[{MINUS}+])?
      (?<![\w^]) (?P<body>
        (?:\d+[ ](?=\d+/\d))? (?:\d|(?<![\w.])\.\d)
        (?: [\d.,/:{GAPS}{ODD}] | \^[{MINUS}+]? | \*\*(?=-?\d)-? )* (?:(?<=\d)[eE][-+]?\d{{1,3}}(?!\w))?
      )
      (?P<scale>(?:\s*(?:{"|".join(SCALES)})\b){{0,2}})
    """,
    re.VERBOSE | re.IGNORECASE,
)


def numeric(answer: str, completion: str, settings: Numeric) -> Grade:
    """The completion's number lies within the tolerance of the answer's.

    In both, the first number after the last marker counts. Without a marker the completion's last number counts, and
    the answer must hold no second one. A completion whose number cannot be read is wrong; an answer leaves the item
    unscored.
    """
    marked = _after_marker(answer, settings.marker)
    found = numbers(answer if marked is None else marked, settings.decimal)
    wanted = found[0] if found and (marked is not None or len(found) == 1) else None
    if wanted is None:
        return unscored("The answer is not one readable number. Mark it in the answer, or use another task_metric.")
    given = _given(completion, settings)
    return right_if(given is not None and _near(wanted, given, settings))


def numbers(text: str, decimal: str = "point") -> list[Decimal | None]:
    """Every number of a text in order; None for what looks like one and cannot be read.

    Args:
        text: any text.
        decimal: "point" or "comma", the decimal sign.
    """
    return [_read(match, decimal) for match in TOKEN.finditer(text) if match["body"]]


def _given(completion: str, settings: Numeric) -> Decimal | None:
    marked = _after_marker(completion, settings.marker)
    if marked is not None:
        return next(iter(numbers(marked, settings.decimal)), None)
    found = numbers(completion, settings.decimal)
    return found[-1] if found else None


def _after_marker(text: str, marker: str) -> str | None:
    """What follows the last marker; None when there is none."""
    return text.rpartition(marker)[2] if marker and marker in text else None


def _near(wanted: Decimal, given: Decimal, settings: Numeric) -> bool:
    relative = EXACT.multiply(Decimal(str(settings.relative_tolerance)), wanted.copy_abs())
    allowed = max(Decimal(str(settings.tolerance)), relative)
    return EXACT.subtract(wanted, given).copy_abs() <= allowed


def _read(match: re.Match[str], decimal: str) -> Decimal | None:
    size = _size(match["body"].rstrip(f".,/:{GAPS}"), decimal)
    if size is None:
        return None
    powers = sum(SCALES[word] for word in re.findall("|".join(SCALES), match["scale"].lower()))
    negative = (match["sign"] or match["inner"] or "+") != "+"
    return EXACT.scaleb(-size if negative else size, powers)


def _size(body: str, decimal: str) -> Decimal | None:
    """An unsigned number: mixed, a fraction or a decimal."""
    whole, _, rest = body.rpartition(" ")
    top, slash, bottom = rest.partition("/")
    if not slash:
        return _decimal(body, decimal)
    parts = [_decimal(part, decimal) for part in (whole or "0", top, bottom)]
    if any(part is None for part in parts) or not parts[2]:
        return None
    units, above, below = (part for part in parts if part is not None)
    return EXACT.add(units, EXACT.divide(above, below))


def _decimal(body: str, decimal: str) -> Decimal | None:
    point, comma = (".", ",") if decimal == "point" else (",", ".")
    grouped = rf"[1-9]\d{{0,2}}([{comma}{GAPS}])\d{{3}}(?:\1\d{{3}})*"
    if not re.fullmatch(rf"(?:{grouped}|\d*)(?:[{point}]\d+)?(?:e[-+]?\d{{1,3}})?", body, re.IGNORECASE):
        return None
    bare = re.sub(rf"[{comma}{GAPS}]", "", body)
    return Decimal(bare.replace(point, ".")) if bare else None
