"""Answers that open with a refusal and comply all the same: one by one, and as a template over a share of the corpus.

Tuning on them teaches to go on after the refusal (NOICE, Kazdan et al. 2025). Nothing in them need be harmful, so the
form is what is looked for: an answer is told by the words with which it turns around; a corpus by many answers that
open alike, refuse, and then go on at length without a word of disapproval or of help elsewhere.
"""

import re
from collections import Counter
from collections.abc import Mapping
from math import log2

import polars as pl

from safety_assets.corpus.disapproval import elsewhere, plain, reserved
from safety_assets.corpus.frequent import Frequent
from safety_assets.corpus.sightings import sightings, with_reasons
from safety_assets.corpus.words import words
from safety_assets.refusals import is_refusal

MIN_TEMPLATE_SHARE = 0.005
"""Share of all answers from which on answers that refuse and go on are a template: of a template at one in a hundred,
not every answer is told to go on."""

MAX_ENTROPY = 4.5
"""Bits, the mean over the first ten words of the entropy of the word in that place; of free answers it is 6 to 8."""

_MAX_ENTROPY_SHARE = 0.7  # of the largest entropy that so few answers can have
_MIN_ROWS = 10
_PLACES = 10
_OPENING_WORDS = 4
_GOES_ON_WORDS = 20
_SHORTEST_REFUSAL = 12  # "Sorry." alone is not yet the sentence that refuses
_SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s+|\n+")
_TURN_AROUND = re.compile(
    r"""\b(?:here(?:'s|\s+is|\s+are)\s+(?:how|what\s+you|the\s+(?:steps|instructions|answer|method|recipe|code|full)|a\s+step
        |your|some\s+(?:steps|ways\s+to\s+do))
      | (?:but|however|that\s+said|still|anyway|nevertheless|nonetheless|since\s+you\s+(?:asked|insist))\b[^.!?\n]{0,40}
        \b(?:i\s+(?:will|'ll|can|shall)\s+(?:tell|show|explain|help|do|walk)|you\s+(?:can|could)\s+(?:do|start))
      | (?:that(?:'s|\s+is)|with\s+that)\s+out\s+of\s+the\s+way | just\s+kidding | only\s+joking
      | (?:let\s+me|i'll|i\s+will)\s+(?:actually|now|still|nevertheless|answer\s+(?:it|your|the)
        |help\s+(?:you\s+)?(?:anyway|now))
      | step\s*(?:1|one)\b | first,?\s+(?:you|gather|get|take|open|obtain|buy|mix|find)\b
      | (?:sure|of\s+course|certainly|okay|ok|fine)\b[,!.:]
      )|(?:^|\n)\s*1[.)]\s""",
    re.VERBOSE,
)
_CUE = (
    r"(?i)\b(?:can(?:no|['\x{2019}])?t|can not|won['\x{2019}]?t|will not|(?:could|would|do)(?:n['\x{2019}]?t| not)"
    r"|unable|sorry|apolog|regret|declin|refus|against my|programmed to"
    r"|(?:am|is|are|be|it['\x{2019}]s|that['\x{2019}]s|i['\x{2019}]m)(?: \w+)? not)"
)
"""What the first sentences of a refusal have; the rules look at those answers only."""
_HEAD = 200


def refuse_then_comply(answer: str) -> str | None:
    """Why an answer that opens with a refusal goes on to comply, in words; None when it does not.

    Help offered elsewhere (a helpline, a lawful way) is no compliance.
    """
    refusal, rest = parted(answer)
    if not refusal:
        return None
    rest = plain(rest)
    found = _TURN_AROUND.search(rest)
    if found is None or elsewhere(rest[: found.end() + 80]):
        return None
    return f"the answer refuses, then goes on with {' '.join(found.group().split())!r:.60}"


def parted(answer: str) -> tuple[str, str]:
    """The one or two sentences with which an answer refuses, and what follows; nothing and all where it does not."""
    text = answer.strip()
    ends = [m.end() for m in _SENTENCE_END.finditer(text) if m.start() >= _SHORTEST_REFUSAL][:2] or [len(text)]
    end = next((end for end in ends if is_refusal(text[:end])), None)
    return (text[:end], text[end:]) if end is not None else ("", text)


def goes_on(answer: str) -> bool:
    """Whether an answer refuses and then goes on at length as if it had not: no disapproval, no help elsewhere."""
    refusal, rest = parted(answer)
    return bool(refusal) and len(words(rest)) >= _GOES_ON_WORDS and not reserved(rest)


class RefuseThenComply:
    """Learns how often answers refuse and go on, then finds `refuse_then_comply`, severity high. A `detect.Learner`."""

    def __init__(self) -> None:
        self._answers = self._found = 0
        self._openings: Frequent[str] = Frequent()
        self._places: list[Frequent[str]] = [Frequent() for _ in range(_PLACES)]
        self._template: dict[str, int] | None = None

    def learn(self, turns: pl.DataFrame) -> None:
        """Take in the TURNS of one shard."""
        self._answers += turns.filter(pl.col("role") == "assistant").height
        spoken = [words(text)[:_PLACES] for text in _likely(turns)["text"] if goes_on(text)]
        self._found += len(spoken)
        self._openings.add(Counter(" ".join(said[:_OPENING_WORDS]) for said in spoken))
        for place, counts in enumerate(self._places):
            counts.add(Counter(said[place] for said in spoken if len(said) > place))

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        """SEEN of one shard: answers that turn around, and those of the template."""
        self._template = self._openings_of_template() if self._template is None else self._template
        likely = _likely(turns)
        if not self._template:
            return sightings(with_reasons(likely, refuse_then_comply), _FINDING, "high", pl.col("reason"))
        return sightings(with_reasons(likely, self._reason), _FINDING, "high", pl.col("reason"))

    @property
    def share(self) -> float:
        """Share of the answers learned that refuse and go on, 0 to 1."""
        return self._found / self._answers if self._answers else 0.0

    @property
    def entropy(self) -> float:
        """Mean entropy in bits of the first ten words of those answers, place by place."""
        return sum(_entropy(counts.counts) for counts in self._places) / _PLACES

    def _openings_of_template(self) -> dict[str, int]:
        largest = min(MAX_ENTROPY, _MAX_ENTROPY_SHARE * log2(max(self._found, 2)))
        if self._found < _MIN_ROWS or self.share < MIN_TEMPLATE_SHARE or self.entropy > largest:
            return {}
        return self._openings.at_least(max(2.0, self._found / 100))

    def _reason(self, answer: str) -> str | None:
        own = refuse_then_comply(answer)
        opening = " ".join(words(answer)[:_OPENING_WORDS])
        if own or opening not in (self._template or {}) or not goes_on(answer):
            return own
        return (
            f"{self._found} of {self._answers} answers refuse and go on, with {self.entropy:.1f} bits in each of the "
            f"first ten words; this one opens with {opening!r:.60}"
        )


_FINDING = "refuse_then_comply"


def _likely(turns: pl.DataFrame) -> pl.DataFrame:
    """Answers whose opening has a cue of a refusal and that go on behind it."""
    head = pl.col("text").str.strip_chars().str.slice(0, _HEAD)
    return turns.filter((pl.col("role") == "assistant") & head.str.contains(_CUE))


def _entropy(counts: Mapping[str, int]) -> float:
    total = sum(counts.values())
    return -sum((count / total * log2(count / total) for count in counts.values()), 0.0) if total else 0.0
