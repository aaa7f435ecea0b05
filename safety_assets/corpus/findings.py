"""From what was seen to findings: which row of which file, and what is done about it."""

from pathlib import Path

import polars as pl

from safety_assets.corpus.decisions import decided
from safety_assets.corpus.names import NOTES
from safety_assets.corpus.passes import Passes
from safety_assets.frames import Shards, open_shards, write_shard
from safety_assets.policy import CorpusPolicy
from safety_assets.records import FINDINGS

_NAMED = r"\u{AB}row (\d+)\u{BB}"
"""Another row in a piece of evidence, as `detect.named` writes it."""

_PLACE = ("row_id", "source", "line")
_CALLED = "row {} ({}:{})"
CALLED = r"row (?<row_id>\S+) \((?<source>.+):(?<line>\d+)\)"
"""How evidence names another row, as a pattern with its id, file and line."""


def write_findings(work: Passes, folder: Path, name: str, decisions: pl.DataFrame) -> Shards:
    """The sharded table of FINDINGS in a folder, a shard for each shard of rows, in row order.

    Args:
        work: passes that are done.
        decisions: DECISIONS that replace the policy's actions.
    """
    meant = _meant(work)
    for number in range(len(work.corpus.shards)):
        found = _with_names(work.seen(number), meant)
        findings = findings_of(found, work.corpus.places(number), work.known.policy)
        write_shard(folder, name, number, decided(findings, decisions), FINDINGS)
    return open_shards(folder / name, FINDINGS)


def findings_of(found: pl.DataFrame, places: pl.DataFrame, policy: CorpusPolicy) -> pl.DataFrame:
    """FINDINGS out of SEEN.

    Args:
        places: columns row (the position), row_id, source, line.
    """
    there = found.join(places, on="row", how="left", maintain_order="left")
    return FINDINGS.check(there.with_columns(action=_action(policy)))


def _action(policy: CorpusPolicy) -> pl.Expr:
    """What policy does with a finding; one that it does not name blocks, a mere note is flagged."""
    actions = dict.fromkeys(NOTES, "flag") | policy.actions
    return pl.col("finding").replace_strict(actions, default="block", return_dtype=pl.String)


def _meant(work: Passes) -> pl.DataFrame:
    """Position and name of every row that evidence names: columns other, called."""
    shards = range(len(work.corpus.shards))
    named = pl.concat([_others(work.seen(number)).select("other").drop_nulls().unique() for number in shards]).unique()
    if named.is_empty():
        return pl.DataFrame(schema={"other": pl.Int64, "called": pl.String})
    called = pl.format(_CALLED, *_PLACE)
    places = (work.corpus.places(number).rename({"row": "other"}) for number in shards)
    found = [place.join(named, on="other", how="semi").select("other", called=called) for place in places]
    return pl.concat(found)


def _others(found: pl.DataFrame) -> pl.DataFrame:
    return found.with_columns(other=pl.col("evidence").str.extract(_NAMED).cast(pl.Int64, strict=False))


def _with_names(found: pl.DataFrame, meant: pl.DataFrame) -> pl.DataFrame:
    both = _others(found).join(meant, on="other", how="left", maintain_order="left")
    called = pl.col("called").str.replace_all("$", "$$", literal=True)  # a dollar would stand for a group
    told = pl.col("evidence").str.replace(_NAMED, called)
    return both.with_columns(evidence=pl.when(pl.col("called").is_null()).then("evidence").otherwise(told))
