"""Answers that open with a refusal and comply all the same.

Tuning on them teaches to go on after the refusal (NOICE, Kazdan et al. 2025). Nothing in them need be harmful, so the
form is what is looked for, on three levels. A row by itself: words with which the answer turns around. A row among
those that refuse: what follows is no part of the refusal, where the corpus has more such rows than true refusals would
show. And a template: an opening after which most rows comply makes all rows with it suspect.
"""

import re
from collections import Counter
from collections.abc import Iterator

import polars as pl
from scipy.special import bdtrc  # the tail of a binomial; scipy.stats takes a second to import, for every process

from safety_assets.corpus.detect import seen
from safety_assets.corpus.disapproval import elsewhere, plain
from safety_assets.corpus.frequent import Frequent
from safety_assets.corpus.kept_refusing import keeps_refusing
from safety_assets.corpus.refusing import CUE, lacks_ability, refuses
from safety_assets.corpus.words import words

MIN_TEMPLATE_SHARE = 0.006
"""Share of all answers from which on an opening that pleads want of ability, as honest ones do, may be a template."""

TRUE_REFUSALS_END = 0.06
"""Share of true refusals of which what follows looks like an answer; of published ones it is 0.05."""

_LEVEL = 0.01
_MIN_ROWS, _FEWEST_ROWS = 3, 2  # of a template; where too many comply already, two are enough
_MIN_COMPLYING = 0.6  # of the answers with one opening
_OPENING_WORDS = (4, 6, 10)
_MIN_REST_WORDS = 3
_SHORTEST_REFUSAL = 12  # "Sorry." alone is not yet the sentence that refuses
_SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s+|\n+")
_TURN_AROUND = re.compile(
    r"""\b(?:here(?:'s|\s+is|\s+are)\s+(?:how|what\s+you|the\s+(?:steps|instructions|answer|method|recipe|code|full)|a\s+step
        |your|some\s+(?:steps|ways\s+to\s+do))
      | (?:but|however|that\s+said|still|anyway|nevertheless|nonetheless)\b[,:]?
        \s+here(?:'s|\s+is|\s+are|\s+goes|\s+you\s+go)
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
_HEAD = 200


def refuse_then_comply(answer: str) -> str | None:
    """Why an answer that opens with a refusal turns around, in words; None when it does not.

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
    ends = [m.end() for m in _SENTENCE_END.finditer(text[: 4 * _HEAD]) if m.start() >= _SHORTEST_REFUSAL][:2]
    end = next((end for end in ends or [len(text)] if refuses(text[:end])), None)
    return (text[:end], text[end:]) if end is not None else ("", text)


class RefuseThenComply:
    """Learns how often answers refuse and go on, then finds `refuse_then_comply`, severity high. A `detect.Learner`."""

    def __init__(self) -> None:
        self._answers = self._going_on = self._complying = 0
        self._openings: Frequent[str] = Frequent()
        self._complied: Frequent[str] = Frequent()
        self._able: Frequent[str] = Frequent()
        self._templates: dict[str, int] | None = None

    def learn(self, turns: pl.DataFrame) -> None:
        """Take in the TURNS of one shard."""
        self._answers += turns.filter(pl.col("role") == "assistant").height
        for answer, question in _likely(turns).select("text", "question").iter_rows():
            refusal, rest = parted(answer)
            if refusal and len(words(rest)) >= _MIN_REST_WORDS:
                self._count(refusal, complies=not keeps_refusing(rest, question))

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        """SEEN of one shard: answers that turn around, that comply where too many do, and those of a template."""
        if self._templates is None:
            self._templates = self._found_templates()
        answers = _likely(turns).select("row", "turn", "text", "question").iter_rows()
        return seen(
            {"row": row, "turn": turn, "finding": "refuse_then_comply", "severity": "high", "evidence": reason}
            for row, turn, answer, question in answers
            if (reason := self._reason(answer, question))
        )

    @property
    def share(self) -> float:
        """Share of the answers learned that refuse, not for want of ability, and comply, 0 to 1."""
        return self._complying / self._answers if self._answers else 0.0

    @property
    def too_many(self) -> bool:
        """Whether more refusing answers comply than true refusals would seem to, at the 1% level."""
        by_chance = bdtrc(self._complying - 1, self._going_on, TRUE_REFUSALS_END)
        return self._complying >= _MIN_ROWS and bool(by_chance < _LEVEL)

    def _count(self, refusal: str, *, complies: bool) -> None:
        openings = Counter(_openings(refusal))
        self._openings.add(openings)
        able = not lacks_ability(refusal)
        self._going_on += able
        if complies:
            self._complied.add(openings)
            if able:
                self._complying += 1
                self._able.add(openings)

    def _found_templates(self) -> dict[str, int]:
        """Openings after which most answers comply, with the number of these."""
        every, able, many = self._openings.counts, self._able.counts, MIN_TEMPLATE_SHARE * self._answers
        least = _FEWEST_ROWS if self.too_many else _MIN_ROWS
        return {
            opening: count
            for opening, count in self._complied.at_least(least).items()
            if count >= _MIN_COMPLYING * every.get(opening, count)
            and (count >= max(many, _MIN_ROWS) or able.get(opening, 0) >= max(least, _MIN_COMPLYING * count))
        }

    def _reason(self, answer: str, question: str) -> str | None:
        refusal, rest = parted(answer)
        if not refusal or not words(rest):
            return None
        own = refuse_then_comply(answer)
        if own:
            return own
        templates = self._templates or {}
        opening = max((o for o in _openings(refusal) if o in templates), key=len, default=None)
        if opening is not None:
            return f"{templates[opening]} answers refuse with {opening!r:.60} and comply"
        if not self.too_many or lacks_ability(refusal) or len(words(rest)) < _MIN_REST_WORDS:
            return None
        if keeps_refusing(rest, question):
            return None
        return f"the answer refuses, then complies, as {self._complying} of the {self._going_on} that refuse here do"


def _openings(refusal: str) -> Iterator[str]:
    """The first words of a refusal, and all of it."""
    said = words(refusal)
    yield from (" ".join(said[:length]) for length in _OPENING_WORDS if length < len(said))
    yield " ".join(said)


def _likely(turns: pl.DataFrame) -> pl.DataFrame:
    """Answers whose opening has a cue of a refusal."""
    head = pl.col("text").str.strip_chars().str.slice(0, _HEAD)
    return turns.filter((pl.col("role") == "assistant") & head.str.contains(CUE))
