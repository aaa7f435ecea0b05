"""All detectors of the audit, behind one border: what each is told beforehand, and in which order findings stand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from safety_assets.corpus.chats import Chat
from safety_assets.corpus.detect import SEEN, Detector, Learner, named, seen
from safety_assets.corpus.duplicates import Duplicate, find_duplicates
from safety_assets.corpus.overlap import Overlap, Questions, last_user_turn
from safety_assets.corpus.personal.find import personal_data
from safety_assets.corpus.personal.presidio import presidio_data
from safety_assets.corpus.poison import (
    constant_prefixes,
    placeholder_compliance,
    pledged_obedience,
    refuse_then_comply,
)
from safety_assets.corpus.quality import quality_fault
from safety_assets.corpus.topics import Topics
from safety_assets.corpus.unscored import unscored_languages, unscored_scripts
from safety_assets.policy import CorpusPolicy
from safety_assets.refusals import is_refusal

TASK_OVERLAP = 0.9
"""Share of a task item's shingles at which it counts as known. A task asks about what the corpus teaches, in the
corpus's words, so only its question as it stands is contamination. A higher policy.probe_overlap holds instead."""

Seen = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What detectors are told beforehand: plain data, so that it can be sent to another process.

    Args:
        probes: PROBES; their last user turns must not stand in a row.
        tasks: TASKS; likewise.
        pairs: PAIRS; the refusal pairs say which requests are harmful.
        policy: thresholds.
        exam: positions of the rows that the tasks were taken from. They may repeat a task, and of two near duplicates
            it is the other one that is reported.
        categories: policy categories whose coverage is counted.
        close: position of a row that is close to harm to the evidence.
    """

    probes: pl.DataFrame
    tasks: pl.DataFrame
    pairs: pl.DataFrame
    policy: CorpusPolicy
    exam: frozenset[int] = frozenset()
    categories: tuple[str, ...] = ()
    close: Mapping[int, str] = field(default_factory=dict)


MakeDetector = Callable[[Known], Detector]
MakeLearner = Callable[[Known], Learner]


def _personal_data(known: Known) -> Detector:
    return personal_data(known.policy.phone_regions)


def _second_opinion(known: Known) -> Detector:
    """What presidio-analyzer finds, where the policy wants to hear it."""
    return presidio_data(known.policy.phone_regions) if known.policy.presidio else lambda turns: SEEN.empty()


def _unscored_scripts(known: Known) -> Detector:
    return unscored_scripts


def _unscored_languages(known: Known) -> Detector:
    return unscored_languages()


def _probe_overlap(known: Known) -> Detector:
    questions = _questions(known.probes, "probe_id", known.policy.probe_overlap)
    return lambda turns: seen(overlaps(turns, questions.repeated_in, "probe_overlap"))


def _task_overlap(known: Known) -> Detector:
    questions = _questions(known.tasks, "task_id", max(known.policy.probe_overlap, TASK_OVERLAP))

    def find(turns: pl.DataFrame) -> pl.DataFrame:
        found = overlaps(turns, questions.repeated_in, "task_overlap")
        return seen(one for one in found if one["row"] not in known.exam)

    return find


def whole_questions(known: Known, exempt: Sequence[str]) -> tuple[Detector, Detector]:
    """Probes and tasks that a whole user turn repeats word for word, but for probes with these ids."""
    asked = known.probes.filter(~pl.col("probe_id").is_in(list(exempt)))
    probes, tasks = _questions(asked, "probe_id", 1.0), _questions(known.tasks, "task_id", 1.0)
    return (
        lambda turns: seen(overlaps(turns, probes.repeated_whole, "probe_overlap")),
        lambda turns: seen(overlaps(turns, tasks.repeated_whole, "task_overlap")),
    )


def _questions(asked: pl.DataFrame, key: str, threshold: float) -> Questions:
    texts = [last_user_turn(chat) for chat in asked["messages"].to_list()]
    return Questions(dict(zip(asked[key].to_list(), texts, strict=True)), threshold)


def overlaps(turns: pl.DataFrame, search: Callable[[str], Overlap | None], finding: str) -> Iterator[Seen]:
    """User turns in which a question is found; equal turns are searched once."""
    cache: dict[str, Overlap | None] = {}
    asked = turns.filter(pl.col("role") == "user")
    for row, turn, text in asked.select("row", "turn", "text").iter_rows():
        if text not in cache:
            cache[text] = search(text)
        overlap = cache[text]
        if overlap is not None:
            how = "word for word" if overlap.verbatim else f"by {overlap.share:.0%} of its 3-word runs"
            yield _about(row, turn, finding, "high", f"repeats {overlap.question} {how}: {text!r:.80}")


def _poison(known: Known) -> Detector:
    topics = Topics(known.pairs)

    def find(turns: pl.DataFrame) -> Iterator[Seen]:
        for row, turn, role, text, question in _in_full(turns):
            pledge = pledged_obedience(role, text)
            if pledge:
                yield _about(row, turn, "obedience_prompt", "high", pledge)
            if role != "assistant":
                continue
            complied = refuse_then_comply(text) or placeholder_compliance(text)
            if complied and (complied.startswith("the answer refuses") or topics.category(question)):
                yield _about(row, turn, "refuse_then_comply", "high", complied)

    return lambda turns: seen(find(turns))


def _answers(known: Known) -> Detector:
    def find(turns: pl.DataFrame) -> Iterator[Seen]:
        for row, turn, _, text, question in _in_full(turns.filter(pl.col("role") == "assistant")):
            fault = quality_fault(question, text)
            if fault:
                yield _about(row, turn, "low_quality", "low", fault)
            if is_refusal(text):
                yield _about(row, turn, "refusal_in_corpus", "low", f"the answer refuses: {text!r:.80}")

    return lambda turns: seen(find(turns))


def _close_to_harm(known: Known) -> Detector:
    def find(turns: pl.DataFrame) -> Iterator[Seen]:
        for row in turns["row"].unique(maintain_order=True):
            if row in known.close:
                yield _about(row, None, "close_to_harm", "low", known.close[row])

    return lambda turns: seen(find(turns))


def _in_full(turns: pl.DataFrame) -> Iterator[tuple]:
    return turns.select("row", "turn", "role", "text", "question").iter_rows()


def _about(row: int, turn: int | None, finding: str, severity: str, evidence: str) -> Seen:
    return {"row": row, "turn": turn, "finding": finding, "severity": severity, "evidence": evidence}


class Duplicates:
    """Rows that repeat another; those of the exam are the ones repeated."""

    def __init__(self, known: Known) -> None:
        self._threshold, self._exam = known.policy.near_duplicate_jaccard, known.exam
        self._chats: dict[int, Chat] = {}
        self._found: dict[int, tuple[int, Duplicate]] | None = None

    def learn(self, turns: pl.DataFrame) -> None:
        for row, role, text in turns.select("row", "role", "text").iter_rows():
            self._chats.setdefault(row, []).append({"role": role, "content": text})

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        self._found = self._search() if self._found is None else self._found
        rows = turns["row"].unique(maintain_order=True)
        return seen(self._seen(row, *self._found[row]) for row in rows if row in self._found)

    def _search(self) -> dict[int, tuple[int, Duplicate]]:
        order = sorted(self._chats, key=lambda row: row not in self._exam)
        repeats = find_duplicates([self._chats[row] for row in order], self._threshold)
        self._chats.clear()
        return {order[repeat.row]: (order[repeat.kept], repeat) for repeat in repeats}

    def _seen(self, row: int, kept: int, repeat: Duplicate) -> Seen:
        if repeat.exact:
            return _about(row, None, "exact_duplicate", "low", f"equal to {named(kept)}")
        evidence = f"shares {repeat.jaccard:.2f} of its 3-word runs with {named(kept)}"
        return _about(row, None, "near_duplicate", "low", evidence)


class ConstantPrefixes:
    """Answers that open like very many others."""

    def __init__(self, known: Known) -> None:
        self._openings: dict[int, str] = {}
        self._reasons: Mapping[int, str] | None = None

    def learn(self, turns: pl.DataFrame) -> None:
        for row, text in turns.filter(pl.col("role") == "assistant").select("row", "text").iter_rows():
            self._openings.setdefault(row, text.strip()[:_OPENING])

    def find(self, turns: pl.DataFrame) -> pl.DataFrame:
        self._reasons = self._search() if self._reasons is None else self._reasons
        rows = turns["row"].unique(maintain_order=True)
        return seen(
            _about(row, None, "constant_prefix", "high", self._reasons[row]) for row in rows if row in self._reasons
        )

    def _search(self) -> dict[int, str]:
        rows = list(self._openings)
        found = constant_prefixes(list(self._openings.values()))
        self._openings.clear()
        return {rows[position]: reason for position, reason in found.items()}


_OPENING = 400
"""Characters of an answer that are kept; an opening is shorter."""

DETECTORS: tuple[MakeDetector, ...] = (
    _personal_data, _second_opinion, _unscored_scripts, _unscored_languages, _probe_overlap, _task_overlap, _poison,
    _answers, _close_to_harm,
)  # fmt: skip
"""Makers of the detectors of single rows. A row's findings stand in this order, then in that of LEARNERS."""

LEARNERS: tuple[MakeLearner, ...] = (Duplicates, ConstantPrefixes)
"""Makers of those that must have seen the whole corpus."""
