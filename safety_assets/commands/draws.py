"""What `score --consistency` writes and shows, and `compare` shows of two such files."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from safety_assets.commands.replaced import replaced
from safety_assets.evals.ratings import RATINGS
from safety_assets.evals.score_files import Facts, read_table, write_table
from safety_assets.flows.consistency import compared, drawn_alike
from safety_assets.release.consistency import COLUMNS, consistency_rows


def beside(scores: Path) -> Path:
    """Where the ratings of a file of scores stand."""
    return scores.with_name(f"{scores.stem}.consistency.parquet")


def write_ratings(scores: Path, ratings: pl.DataFrame, facts: Facts) -> None:
    """Write RATINGS beside the scores, with the same facts."""
    with replaced(beside(scores)) as fresh:
        write_table(fresh, ratings, RATINGS, facts)


def ratings_beside(scores: Path, facts: Facts) -> pl.DataFrame | None:
    """RATINGS of the model that the scores are of; None where there are none."""
    if not beside(scores).is_file():
        return None
    ratings, known = read_table(beside(scores), RATINGS)
    return ratings if known.model == facts.model else None


def one(ratings: pl.DataFrame) -> dict[str, Any]:
    """How steady one model is, in JSON types."""
    return _document(compared({"model": ratings}))


def both(base: pl.DataFrame | None, tuned: pl.DataFrame | None) -> dict[str, Any]:
    """How steady two models are; null where not both were asked the same draws."""
    if base is None or tuned is None or not drawn_alike(base, tuned):
        return {"consistency": None, "judges_agree": None}
    return _document(compared({"base": base, "candidate": tuned}))


def _document(found: dict[str, pl.DataFrame]) -> dict[str, Any]:
    return {name: found[name].to_dicts() for name in ("consistency", "judges_agree")}


def draws_tables(rows: list[dict[str, Any]]) -> Iterator[Table]:
    """CONSISTENCY for a terminal, a table for each side and judge."""
    for (side, judge), own in groupby(consistency_rows(rows), key=itemgetter(0, 1)):
        table = Table(*COLUMNS[2:], title=f"{side}, judged by {judge}", title_justify="left")
        for row in own:
            table.add_row(*row[2:])
        yield table


def judges_table(rows: list[dict[str, Any]]) -> Table:
    """JUDGES_AGREE over all draws, for a terminal."""
    table = Table("side", "dimension", "judges", "answers", "agree", "Cohen's kappa")
    for row in (row for row in rows if row["temperature"] is None):
        kappa = "undefined" if row["kappa"] is None else f"{row['kappa']:.2f}"
        judges = f"{row['first']}, {row['second']}"
        table.add_row(row["side"], row["dimension"], judges, str(row["num_answers"]), f"{row['agreement']:.1%}", kappa)
    return table
