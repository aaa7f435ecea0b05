"""What `score --consistency` writes and shows, and `compare` shows of two such files."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table

from safety_assets.commands.replaced import replaced
from safety_assets.evals.ratings import RATINGS, drawn_alike
from safety_assets.evals.score_files import Facts, read_table, write_table
from safety_assets.release.consistency import COLUMNS, consistency_rows

if TYPE_CHECKING:
    from safety_assets.flows.finished import Exam
    from safety_assets.flows.workspace import Workspace


def beside(scores: Path) -> Path:
    """Where the ratings of a file of scores stand."""
    return scores.with_name(f"{scores.stem}.consistency.parquet")


def draw(
    ws: "Workspace", exam: "Exam", model: str, adapter: str | None, max_new_tokens: int | None, scores: Path
) -> dict[str, Any]:
    """Ask a model some of the probes over seeds and temperatures, write RATINGS beside its scores; it in JSON types."""
    from safety_assets.flows.asking import target
    from safety_assets.flows.consistency import asked_again
    from safety_assets.flows.scoring import questions

    asked = target(ws, model, adapter)
    ratings = asked_again(ws, asked, questions(exam.place, exam.split), max_new_tokens)
    with replaced(beside(scores)) as fresh:
        write_table(fresh, ratings, RATINGS, Facts(name=asked.name, model=asked.model, how=asked.how))
    return _document({"model": ratings})


def ratings_beside(scores: Path, facts: Facts) -> pl.DataFrame | None:
    """RATINGS of the model that the scores are of; None where there are none."""
    if not beside(scores).is_file():
        return None
    ratings, known = read_table(beside(scores), RATINGS)
    return ratings if known.model == facts.model else None


def both(base: pl.DataFrame | None, tuned: pl.DataFrame | None) -> dict[str, Any]:
    """How steady two models are; null where not both were asked the same draws."""
    if base is None or tuned is None or not drawn_alike(base, tuned):
        return {"consistency": None, "judges_agree": None}
    return _document({"base": base, "candidate": tuned})


def _document(sides: dict[str, pl.DataFrame]) -> dict[str, Any]:
    from safety_assets.evals.consistency import consistency
    from safety_assets.evals.judges_agree import judges_agree

    return {"consistency": consistency(sides).to_dicts(), "judges_agree": judges_agree(sides).to_dicts()}


def draws_tables(said: dict[str, Any]) -> Iterator[Table]:
    """Both for a terminal: a table for each side and judge, then one of the judges where there are two."""
    for (side, judge), own in groupby(consistency_rows(said["consistency"]), key=itemgetter(0, 1)):
        table = Table(*COLUMNS[2:], title=f"{side}, judged by {judge}", title_justify="left")
        for row in own:
            table.add_row(*row[2:])
        yield table
    if said["judges_agree"]:
        yield _judges_table(said["judges_agree"])


def _judges_table(rows: list[dict[str, Any]]) -> Table:
    """JUDGES_AGREE over all draws, for a terminal."""
    table = Table("side", "dimension", "judges", "answers", "agree", "Cohen's kappa")
    for row in (row for row in rows if row["temperature"] is None):
        kappa = "undefined" if row["kappa"] is None else f"{row['kappa']:.2f}"
        judges = f"{row['first']}, {row['second']}"
        table.add_row(row["side"], row["dimension"], judges, str(row["num_answers"]), f"{row['agreement']:.1%}", kappa)
    return table
