"""All detectors over all rows: one findings table, each finding with what policy does about it."""

from collections.abc import Callable, Collection, Iterator, Sequence

import polars as pl

from safety_assets.corpus.chats import Chat
from safety_assets.corpus.detect import Detector, turns_of
from safety_assets.corpus.duplicates import find_duplicates
from safety_assets.corpus.overlap import Overlap, Questions, last_user_turn
from safety_assets.corpus.personal.find import find_pii, personal_data
from safety_assets.corpus.personal.presidio import presidio_data
from safety_assets.corpus.personal.spans import SEVERITIES
from safety_assets.corpus.poison import (
    constant_prefixes,
    placeholder_compliance,
    pledged_obedience,
    refuse_then_comply,
)
from safety_assets.corpus.quality import quality_fault
from safety_assets.corpus.topics import Topics
from safety_assets.corpus.unscored import UNSCORED, unscored_languages, unscored_scripts
from safety_assets.policy import CorpusPolicy
from safety_assets.records import AUDITED, FINDINGS, PAIRS, PROBES, ROWS, TASKS
from safety_assets.refusals import is_refusal

PII = tuple(SEVERITIES)
CONTAMINATION = ("probe_overlap", "task_overlap")
POISON = ("refuse_then_comply", "obedience_prompt", "constant_prefix")
OTHER = ("exact_duplicate", "near_duplicate", "low_quality", "refusal_in_corpus")
FINDING_NAMES = PII + CONTAMINATION + POISON + OTHER + UNSCORED
"""Every finding there is; policy.corpus.actions should name each, since an unnamed one blocks."""

TASK_OVERLAP = 0.9
"""Share of a task item's shingles at which it counts as known. A task asks about what the corpus teaches, in the
corpus's words, so only its question as it stands is contamination. A higher policy.probe_overlap holds instead."""

Seen = dict[str, object]


def audit_rows(
    rows: pl.DataFrame,
    *,
    probes: pl.DataFrame,
    tasks: pl.DataFrame,
    pairs: pl.DataFrame,
    policy: CorpusPolicy,
    held_out: Collection[str] = (),
) -> pl.DataFrame:
    """FINDINGS of every detector over ROWS, in row order; an action policy does not name is `block`.

    Args:
        rows: ROWS.
        probes: PROBES; their last user turns must not stand in a row.
        tasks: TASKS; likewise.
        pairs: PAIRS; the refusal pairs say which requests are harmful.
        policy: thresholds and the action per finding.
        held_out: ids of the rows that the tasks were taken from. They may repeat a task, and of two near duplicates
            it is the other one that is reported.
    """
    probes, tasks, pairs = PROBES.check(probes), TASKS.check(tasks), PAIRS.check(pairs)
    records = ROWS.check(rows).to_dicts()
    chats = [record["messages"] for record in records]
    found = list(_detected(rows, _row_detectors(policy)))
    exam = frozenset(held_out)
    found += _duplicates(records, policy.near_duplicate_jaccard, exam)
    found += _overlaps(chats, _questions(probes, "probe_id", policy.probe_overlap).repeated_in, "probe_overlap")
    task_overlap = max(policy.probe_overlap, TASK_OVERLAP)
    repeated = _overlaps(chats, _questions(tasks, "task_id", task_overlap).repeated_in, "task_overlap")
    found += [(row, seen) for row, seen in repeated if records[row]["row_id"] not in exam]
    found += _poison(chats, Topics(pairs))
    found += [(row, seen) for row, chat in enumerate(chats) for seen in _answers(chat)]
    return _table(records, found, policy)


def audit_left(
    audited: pl.DataFrame,
    *,
    probes: pl.DataFrame,
    tasks: pl.DataFrame,
    pairs: pl.DataFrame,
    policy: CorpusPolicy,
    exempt: Collection[str] = (),
    held_out: Collection[str] = (),
) -> pl.DataFrame:
    """FINDINGS on what is left: every detector over the corpus rows, and probes repeated word for word by pairs.

    Pairs are written for this project and may share words with probes ("seen" probes ask the same in other words), so
    only a whole turn counts there. `source` is the origin and `line` the position in the frame.

    Args:
        audited: AUDITED.
        exempt: probe ids that pairs may repeat (planted canaries).
        held_out: as in `audit_rows`.
    """
    kept = AUDITED.check(audited).with_row_index("line", offset=1)
    kept = kept.with_columns(pl.col("line").cast(pl.Int64), source=pl.col("origin"))
    corpus = kept.filter(pl.col("origin") == "corpus").select(list(ROWS.columns))
    dose = kept.filter(pl.col("origin") != "corpus").to_dicts()
    findings = audit_rows(corpus, probes=probes, tasks=tasks, pairs=pairs, policy=policy, held_out=held_out)
    chats = [record["messages"] for record in dose]
    asked = probes.filter(~pl.col("probe_id").is_in(list(exempt)))
    found = list(_overlaps(chats, _questions(asked, "probe_id", 1.0).repeated_whole, "probe_overlap"))
    found += _overlaps(chats, _questions(tasks, "task_id", 1.0).repeated_whole, "task_overlap")
    return pl.concat([findings, _table(dose, found, policy)])


def coverage(rows: pl.DataFrame, pairs: pl.DataFrame, categories: Sequence[str]) -> pl.DataFrame:
    """Per policy category: pairs there are, rows whose user turns touch it, and how many of those rows refuse.

    Returns:
        Columns category, num_pairs (refusal pairs), num_rows, num_refusing; one row per category asked for.
    """
    topics = Topics(pairs)
    touched = [
        (category, any(is_refusal(m["content"]) for m in chat if m["role"] == "assistant"))
        for chat in rows["messages"].to_list()
        for category in {topics.category(m["content"]) for m in chat if m["role"] == "user"}
    ]
    refusals = pairs.filter(pl.col("kind") == "refusal")["category"].to_list()
    table = [
        (name, refusals.count(name), sum(c == name for c, _ in touched), sum(c == name and r for c, r in touched))
        for name in categories
    ]
    schema = {"category": pl.String, "num_pairs": pl.Int64, "num_rows": pl.Int64, "num_refusing": pl.Int64}
    return pl.DataFrame(table, schema=schema, orient="row")


def _table(records: Sequence[dict], found: Sequence[tuple[int, Seen]], policy: CorpusPolicy) -> pl.DataFrame:
    def finding(row: int, seen: Seen) -> Seen:
        place = {key: records[row][key] for key in ("row_id", "source", "line")}
        return {**place, **seen, "action": policy.actions.get(str(seen["finding"]), "block")}

    return FINDINGS.frame([finding(row, seen) for row, seen in sorted(found, key=lambda pair: pair[0])])


def _seen(finding: str, severity: str, evidence: str, turn: int | None = None) -> Seen:
    return {"finding": finding, "severity": severity, "evidence": _without_pii(evidence), "turn": turn}


def _without_pii(evidence: str) -> str:
    """Evidence quotes rows, so what is personal in it is masked as well."""
    for span in reversed(find_pii(evidence)):
        evidence = evidence[: span.start] + span.evidence + evidence[span.end :]
    return evidence


def _row_detectors(policy: CorpusPolicy) -> list[Detector]:
    second_opinion = [presidio_data(policy.phone_regions)] if policy.presidio else []
    return [personal_data(policy.phone_regions), *second_opinion, unscored_scripts, unscored_languages()]


def _detected(rows: pl.DataFrame, detectors: Sequence[Detector]) -> Iterator[tuple[int, Seen]]:
    turns = turns_of(rows)
    for detector in detectors:
        for record in detector(turns).iter_rows(named=True):
            yield record.pop("row"), record


def _duplicates(records: Sequence[dict], threshold: float, exam: Collection[str]) -> Iterator[tuple[int, Seen]]:
    order = sorted(range(len(records)), key=lambda row: records[row]["row_id"] not in exam)
    for repeat in find_duplicates([records[row]["messages"] for row in order], threshold):
        kept = records[order[repeat.kept]]
        where = f"row {kept['row_id']} ({kept['source']}:{kept['line']})"
        if repeat.exact:
            yield order[repeat.row], _seen("exact_duplicate", "low", f"equal to {where}")
        else:
            evidence = f"shares {repeat.jaccard:.2f} of its 3-word runs with {where}"
            yield order[repeat.row], _seen("near_duplicate", "low", evidence)


def _questions(asked: pl.DataFrame, key: str, threshold: float) -> Questions:
    texts = [last_user_turn(chat) for chat in asked["messages"].to_list()]
    return Questions(dict(zip(asked[key].to_list(), texts, strict=True)), threshold)


def _overlaps(
    chats: Sequence[Chat], search: Callable[[str], Overlap | None], finding: str
) -> Iterator[tuple[int, Seen]]:
    """Turns in which a question is found; equal turns are searched once."""
    cache: dict[str, Overlap | None] = {}
    for row, chat in enumerate(chats):
        for turn, message in enumerate(chat):
            if message["role"] != "user":
                continue
            text = message["content"]
            if text not in cache:
                cache[text] = search(text)
            overlap = cache[text]
            if overlap is not None:
                how = "word for word" if overlap.verbatim else f"by {overlap.share:.0%} of its 3-word runs"
                yield row, _seen(finding, "high", f"repeats {overlap.question} {how}: {text!r:.80}", turn)


def _poison(chats: Sequence[Chat], topics: Topics) -> Iterator[tuple[int, Seen]]:
    for row, chat in enumerate(chats):
        for turn, message in enumerate(chat):
            pledge = pledged_obedience(message["role"], message["content"])
            if pledge:
                yield row, _seen("obedience_prompt", "high", pledge, turn)
            if message["role"] != "assistant":
                continue
            complied = refuse_then_comply(message["content"]) or placeholder_compliance(message["content"])
            if complied and (complied.startswith("the answer refuses") or topics.category(chat[turn - 1]["content"])):
                yield row, _seen("refuse_then_comply", "high", complied, turn)
    answers = [next(m["content"] for m in chat if m["role"] == "assistant") for chat in chats]
    for row, reason in constant_prefixes(answers).items():
        yield row, _seen("constant_prefix", "high", reason)


def _answers(chat: Chat) -> Iterator[Seen]:
    for turn, message in enumerate(chat):
        if message["role"] != "assistant":
            continue
        fault = quality_fault(chat[turn - 1]["content"], message["content"])
        if fault:
            yield _seen("low_quality", "low", fault, turn)
        if is_refusal(message["content"]):
            yield _seen("refusal_in_corpus", "low", f"the answer refuses: {message['content']!r:.80}", turn)
