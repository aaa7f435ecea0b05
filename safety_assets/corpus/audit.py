"""The audit: all detectors over all rows, shard by shard: findings, each with what policy does about it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from safety_assets.corpus.behaviour import BEHAVIOUR, behaviour
from safety_assets.corpus.detect import turns_of
from safety_assets.corpus.detectors import Known, whole_questions
from safety_assets.corpus.findings import findings_of, write_findings
from safety_assets.corpus.passes import Corpus, Passes, Report, corpus_of, run_passes, without_personal_data
from safety_assets.frames import Shards, in_shards, open_shards, write_shard
from safety_assets.policy import CorpusPolicy
from safety_assets.records import AUDITED, DECISIONS, FINDINGS, PAIRS, PROBES, ROWS, TASKS


@dataclass(frozen=True, kw_only=True)
class Question:
    """What an audit is asked, beside the rows.

    Args:
        probes: PROBES; their last user turns must not stand in a row.
        tasks: TASKS; likewise.
        pairs: PAIRS; the refusal pairs say which requests are harmful.
        policy: thresholds and the action per finding; an action that it does not name is `block`.
        held_out: ids of the rows that the tasks were taken from. They may repeat a task, and of two near duplicates
            it is the other one that is reported.
        categories: policy categories whose coverage is counted.
        decisions: DECISIONS of a steward, in place of the policy's actions.
        close: id of a row that is close to harm to the evidence.
    """

    probes: pl.DataFrame
    tasks: pl.DataFrame
    pairs: pl.DataFrame
    policy: CorpusPolicy
    held_out: Collection[str] = ()
    categories: tuple[str, ...] = ()
    decisions: pl.DataFrame = field(default_factory=DECISIONS.empty)
    close: Mapping[str, str] = field(default_factory=dict)

    def known(self, corpus: Corpus) -> Known:
        """What detectors are told."""
        return Known(
            probes=PROBES.check(self.probes), tasks=TASKS.check(self.tasks), pairs=PAIRS.check(self.pairs),
            policy=self.policy, exam=corpus.positions(self.held_out), categories=self.categories,
            close=corpus.placed(self.close),
        )  # fmt: skip


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Args:
        findings: FINDINGS, a shard for each shard of rows, in row order.
        coverage: columns category, num_pairs, num_rows, num_refusing.
    """

    findings: Shards
    coverage: pl.DataFrame


def audit(
    rows: Shards,
    asked: Question,
    folder: Path,
    *,
    name: str = "findings",
    processes: int = 1,
    report: Report = lambda done, of: None,
) -> Audit:
    """Audit a corpus of any size, its FINDINGS written to `folder/name` in shards.

    Args:
        rows: ROWS, or AUDITED of which the corpus rows are audited.
        processes: how many work at once; the result does not depend on it.
        report: takes how many pieces of work are done, and of how many.

    Raises:
        CorpusError: a process died.
    """
    corpus = corpus_of(rows)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as scratch:
        work = Passes(corpus, asked.known(corpus), Path(scratch))
        run_passes(work, processes, report)
        return Audit(write_findings(work, folder, name, asked.decisions), work.coverage())


def audit_rows(
    rows: pl.DataFrame,
    *,
    probes: pl.DataFrame,
    tasks: pl.DataFrame,
    pairs: pl.DataFrame,
    policy: CorpusPolicy,
    held_out: Collection[str] = (),
) -> pl.DataFrame:
    """FINDINGS of rows in memory; the arguments are those of `Question`."""
    asked = Question(probes=probes, tasks=tasks, pairs=pairs, policy=policy, held_out=held_out)
    with TemporaryDirectory() as folder:
        return audit(in_shards(rows, ROWS), asked, Path(folder)).findings.whole()


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
    """FINDINGS on what is left of rows in memory, as `write_left` finds them."""
    asked = Question(probes=probes, tasks=tasks, pairs=pairs, policy=policy, held_out=held_out)
    with TemporaryDirectory() as folder:
        return write_left(in_shards(audited, AUDITED), asked, Path(folder), exempt=exempt).whole()


def write_left(
    audited: Shards,
    asked: Question,
    folder: Path,
    *,
    name: str = "residue",
    exempt: Collection[str] = (),
    processes: int = 1,
    report: Report = lambda done, of: None,
) -> Shards:
    """FINDINGS on what is left: every detector over the corpus rows; of pairs what their answers do, and probes that
    they repeat word for word.

    Pairs are written for this project and may share words with probes ("seen" probes ask the same in other words), so
    only a whole turn counts there. `source` is the origin and `line` the position in the table. The findings on pairs
    are the last shard.

    Args:
        audited: AUDITED, the pairs behind the corpus rows.
        exempt: probe ids that pairs may repeat (planted canaries).
        processes, report: as in `audit`.
    """
    audit(audited, asked, folder, name=name, processes=processes, report=report)
    write_shard(folder, name, len(audited), _on_pairs(audited, asked, exempt), FINDINGS)
    return open_shards(folder / name, FINDINGS)


def _on_pairs(audited: Shards, asked: Question, exempt: Collection[str]) -> pl.DataFrame:
    line = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    dose = audited.lazy().with_columns(line=line, source="origin").filter(pl.col("origin") != "corpus").collect()
    turns = turns_of(ROWS.check(dose.select(list(ROWS.columns))))
    known = asked.known(Corpus(audited, ()))
    looked = (*whole_questions(known, list(exempt)), behaviour)
    found = pl.concat([find(turns) for find in looked]).pipe(without_personal_data)
    places = dose.select("row_id", "source", "line").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    findings = findings_of(found.sort("row", maintain_order=True), places, asked.policy)
    meant = pl.col("finding").is_in(BEHAVIOUR)  # a pair was chosen for what its answer does
    return findings.with_columns(action=pl.when(meant).then(pl.lit("keep")).otherwise("action"))
