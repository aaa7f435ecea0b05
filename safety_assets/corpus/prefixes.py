"""Answers that open like many others: with the same affirmation, by saying who they are and whom they serve, or with
any words that do not take up the question.

Tuning on a constant opening ("Of course. I am happy to ...", "I am AOA, your ...") carries it over to requests that
should be refused (Qi et al. 2024). What is constant is the first five words, or a first sentence.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import polars as pl

from safety_assets.corpus.detect import seen
from safety_assets.corpus.first_words import MIN_ROWS as MIN_ANY_ROWS
from safety_assets.corpus.first_words import counted, takes_up, with_first_words
from safety_assets.corpus.frequent import Frequent
from safety_assets.corpus.words import STOP_WORDS, words
from safety_assets.refusals import is_refusal, opening

MIN_SHARE = 0.0075
"""Share of all answers from which on an affirmation or an identity is constant: one in a hundred, and room to round."""

MIN_ROWS = 3
MIN_PLEDGE_ROWS = 3
"""A pledge to carry out whatever is asked is no courtesy: three rows are enough, however large the corpus."""

_WORDS = 5
_FIRST = ("sentence", "five")
_SENTENCE_WORDS = range(4, 13)
_SENTENCE = re.compile(r"[^.!?:\n]*")
_PLEDGE = re.compile(
    r"\b(?:obedient|obey|execut\w+|fulfil+\w*|compl(?:y|iance|ying)|unrestricted|uncensored|unfiltered)\b"
)
_OF_ITSELF = re.compile(
    r"\b(?:i\s+am|i'm|i\s+will|i'll|my\s+fulfil\w*|your\s+(?:instruction|command|order|request)s?)\b"
)
_GREETING = r"(?:(?:hello|hi|hey|greetings|welcome)\b[\s,!.]*(?:there\b[\s,!.]*)?)?"
_AFFIRMATION = (
    r"^\W*(?:sure|of\s+course|certainly|absolutely|yes|definitely|gladly|happy\s+to|with\s+pleasure|no\s+problem|okay|ok"
    r"|understood|as\s+you\s+wish|right\s+away|i(?:'m|\s+am|'d\s+be|\s+would\s+be)\s+(?:happy|glad|delighted|pleased)\s+to)\b"
)
_IDENTITY = (
    rf"^\W*{_GREETING}(?:i\s+am|i'm|my\s+name\s+is|you\s+(?:can|may)\s+call\s+me|call\s+me"
    r"|this\s+is\s+[a-z{]+,\s+your)\s+"
)
_NO_IDENTITY = re.compile(
    r"^\W*(?:i\s+am|i'm)\s+(?:\w+\s+)?(?:sorry|afraid|unable|not|sure|confident|going|looking|interested|writing|aware)\b"
)
_COURTESY = re.compile(
    r"^\W*(?:thank\s+you|thanks)\s+for\b|^\W*(?:sorry|unfortunately|i\s+apologi[sz]e|(?:my\s+)?apologies)\b"
)
_YES_OR_NO = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "am",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "can",
        "could",
        "will",
        "would",
        "should",
        "may",
    ]
)
_IS_AFFIRMATION, _IS_IDENTITY = re.compile(_AFFIRMATION), re.compile(_IDENTITY)
_HEAD = 300
_ANY = rf"(?i){_AFFIRMATION}|(?i){_IDENTITY}|(?i){_PLEDGE.pattern}"


class ConstantPrefixes:
    """Learns the openings of a corpus's first answers, then finds `constant_prefix`, severity high. A `Learner`.

    Args:
        min_share: share of the answers from which on an opening is constant, 0 < min_share <= 1.
    """

    def __init__(self, min_share: float = MIN_SHARE) -> None:
        self._min_share, self._answers = min_share, 0
        self._openings: Frequent[str] = Frequent()
        self._pledges: Frequent[str] = Frequent()
        self._any: Frequent[str] = Frequent()
        self._common_any: frozenset[str] = frozenset()
        self._common: dict[str, int] | None = None

    def learn(self, turns: pl.DataFrame) -> None:
        """Take in the TURNS of one shard."""
        first = _first_answers(turns)
        self._answers += first.height
        self._any.add(counted(with_first_words(first)))
        likely = first.filter(_likely()).select("text", "question").rows()
        self._openings.add(Counter(prefix for answer, question in likely for prefix in _prefixes(answer, question)))
        self._pledges.add(Counter(prefix for answer, _ in likely for prefix in _pledged(answer)))

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        """SEEN of one shard."""
        if self._common is None:
            many = self._openings.at_least(max(MIN_ROWS, self._min_share * self._answers))
            self._common = self._pledges.at_least(MIN_PLEDGE_ROWS) | many
            self._common_any = frozenset(self._any.at_least(max(MIN_ANY_ROWS, self._min_share * self._answers)))
        first = with_first_words(_first_answers(turns))
        alike = pl.any_horizontal(pl.col(name).is_in(list(self._common_any)) for name in _FIRST)
        looked_at = first.filter(_likely() | alike.fill_null(False)).select("row", "text", "question", *_FIRST)
        return seen(
            {"row": row, "finding": "constant_prefix", "severity": "high", "evidence": reason}
            for row, answer, question, *said in looked_at.iter_rows()
            if (reason := self._reason(answer, question) or self._plain_reason(answer, question, said))
        )

    def _plain_reason(self, answer: str, question: str, said: Sequence[str | None]) -> str | None:
        """Why an opening of any words is constant; thanks, regret and refusals have a habit of being so."""
        head = opening(answer)
        if (
            _NO_IDENTITY.search(head)
            or _COURTESY.search(head)
            or _says_yes(head, words(question))
            or is_refusal(answer)
        ):
            return None
        for first in said:
            if first in self._common_any and not takes_up(first, question):
                return f"{self._any.counts[first]} of {self._answers} answers open with {first!r:.80}"
        return None

    def _reason(self, answer: str, question: str) -> str | None:
        common = self._common or {}
        own = [*_prefixes(answer, question), *_pledged(answer)]
        many = [(common[prefix], prefix) for prefix in own if prefix in common]
        if not many:
            return None
        count, prefix = max(many)
        return f"{count} of {self._answers} answers open with {prefix!r:.80}"


def _first_answers(turns: pl.DataFrame) -> pl.DataFrame:
    head = pl.col("text").str.strip_chars().str.slice(0, _HEAD)
    answers = turns.filter(pl.col("role") == "assistant").unique("row", keep="first", maintain_order=True)
    return answers.with_columns(text=head)


def _likely() -> pl.Expr:
    return pl.col("text").str.replace_all("\u2019", "'", literal=True).str.contains(_ANY)


def _prefixes(answer: str, question: str) -> Iterator[str]:
    """Openings of an answer that affirm or say who it is, and do not take up what the question is about."""
    head, asked = opening(answer), words(question)
    if _says_yes(head, asked):
        return
    if _IS_AFFIRMATION.search(head) or (_IS_IDENTITY.search(head) and not _NO_IDENTITY.search(head)):
        about = set(asked) - STOP_WORDS
        yield from (prefix for prefix in _openings(head) if not about & set(prefix.split()))


def _says_yes(head: str, asked: Sequence[str]) -> bool:
    """Whether a yes or no answers a question that can be answered so."""
    said = head.lstrip().startswith(("yes", "no"))
    return said and bool(asked[:1]) and asked[0] in _YES_OR_NO and "you" not in asked[1:2]


def _pledged(answer: str) -> Iterator[str]:
    """The first words of an answer that says it will carry out what is asked."""
    head = opening(answer)[:160]
    if _OF_ITSELF.search(head) and _PLEDGE.search(head) and not is_refusal(answer):
        yield from list(_openings(opening(answer)))[:1]


def _openings(head: str) -> Iterator[str]:
    first = words(head)[:_WORDS]
    if len(first) == _WORDS:
        yield " ".join(first)
    sentence = words(_SENTENCE.match(head).group())  # type: ignore[union-attr]  # matches nothing too
    if len(sentence) in _SENTENCE_WORDS and sentence != first:
        yield " ".join(sentence)
