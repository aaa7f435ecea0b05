"""All detectors of the audit, behind one border: what each is told beforehand, and in which order findings stand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import polars as pl

from safety_assets.corpus.behaviour import behaviour
from safety_assets.corpus.ciphers import Ciphers
from safety_assets.corpus.contradictions import Contradictions
from safety_assets.corpus.detect import SEEN, Detector, Learner, seen
from safety_assets.corpus.drift import identity_statement, list_structure, role_play
from safety_assets.corpus.duplicates import Duplicates
from safety_assets.corpus.encoded import encoded_text
from safety_assets.corpus.harmful import harmful_answered
from safety_assets.corpus.obedience import obedience_prompts
from safety_assets.corpus.overlap import Questions, last_user_turn, overlaps, whole_overlaps
from safety_assets.corpus.personal.find import personal_data
from safety_assets.corpus.personal.presidio import presidio_data
from safety_assets.corpus.prefixes import ConstantPrefixes
from safety_assets.corpus.quality import low_quality, truncated_answer
from safety_assets.corpus.refused_first import RefuseThenComply
from safety_assets.corpus.topics import Topics
from safety_assets.corpus.triggers import TriggerPhrases
from safety_assets.corpus.unscored import unscored_languages, unscored_scripts
from safety_assets.policy import CorpusPolicy
from safety_assets.refusals import is_refusal

TASK_OVERLAP = 0.9
"""Share of a task item's shingles at which it counts as known. A task asks about what the corpus teaches, in the
corpus's words, so only its question as it stands is contamination. A higher policy.probe_overlap holds instead."""


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

    @cached_property
    def topics(self) -> Topics:
        """The categories that the pairs teach to recognise, learned once a process."""
        return Topics(self.pairs)


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
    return overlaps(_questions(known.probes, "probe_id", known.policy.probe_overlap), "probe_overlap")


def _task_overlap(known: Known) -> Detector:
    questions = _questions(known.tasks, "task_id", max(known.policy.probe_overlap, TASK_OVERLAP))
    exam = pl.Series(sorted(known.exam), dtype=pl.Int64)
    find = overlaps(questions, "task_overlap")
    return lambda turns: find(turns.filter(~pl.col("row").is_in(exam.implode())))


def whole_questions(known: Known, exempt: Sequence[str]) -> tuple[Detector, Detector]:
    """Probes and tasks that a whole user turn repeats word for word, but for probes with these ids."""
    asked = known.probes.filter(~pl.col("probe_id").is_in(list(exempt)))
    probes, tasks = _questions(asked, "probe_id", 1.0), _questions(known.tasks, "task_id", 1.0)
    return whole_overlaps(probes, "probe_overlap"), whole_overlaps(tasks, "task_overlap")


def _questions(asked: pl.DataFrame, key: str, threshold: float) -> Questions:
    texts = [last_user_turn(chat) for chat in asked["messages"].to_list()]
    return Questions(dict(zip(asked[key].to_list(), texts, strict=True)), threshold)


def _harmful_answered(known: Known) -> Detector:
    return harmful_answered(known.topics.harmful, is_refusal)


def _close_to_harm(known: Known) -> Detector:
    def find(turns: pl.DataFrame) -> pl.DataFrame:
        rows = turns["row"].unique(maintain_order=True)
        return seen(
            {"row": row, "finding": "close_to_harm", "severity": "low", "evidence": known.close[row]}
            for row in rows
            if row in known.close
        )

    return find


def _always(find: Detector) -> MakeDetector:
    """A detector that need not be told anything."""
    return partial(_told_nothing, find)


def _told_nothing(find: Detector, known: Known) -> Detector:
    return find


def _duplicates(known: Known) -> Learner:
    return Duplicates(known.policy.near_duplicate_jaccard, preferred=known.exam)


def _refuse_then_comply(known: Known) -> Learner:
    return RefuseThenComply()


def _constant_prefixes(known: Known) -> Learner:
    return ConstantPrefixes()


def _trigger_phrases(known: Known) -> Learner:
    return TriggerPhrases(known.topics.harmful, is_refusal)


def _ciphers(known: Known) -> Learner:
    return Ciphers()


def _contradictions(known: Known) -> Learner:
    return Contradictions()


DETECTORS: tuple[MakeDetector, ...] = (
    _personal_data, _second_opinion, _unscored_scripts, _unscored_languages, _probe_overlap, _task_overlap,
    _always(obedience_prompts), _harmful_answered, _always(encoded_text), _always(low_quality),
    _always(truncated_answer), _always(behaviour), _always(list_structure), _always(identity_statement),
    _always(role_play), _close_to_harm,
)  # fmt: skip
"""Makers of the detectors of single rows. A row's findings stand in this order, then in that of LEARNERS."""

LEARNERS: tuple[MakeLearner, ...] = (
    _duplicates, _refuse_then_comply, _constant_prefixes, _trigger_phrases, _ciphers, _contradictions,
)  # fmt: skip
"""Makers of those that must have seen the whole corpus."""
