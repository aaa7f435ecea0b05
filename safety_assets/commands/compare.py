"""`compare`: two models on the same items, from their scores."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from safety_assets.commands.draws import both, draws_tables, ratings_beside
from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json
from safety_assets.evals.comparison import Comparison, compared
from safety_assets.evals.score_files import Facts, read_table
from safety_assets.records import SCORES

SHOWN = 12
MEASURED = (
    "baseline", "candidate", "drop", "drop_low", "drop_high", "num_pairs", "num_unscored", "num_lost", "num_gained",
    "p_value", "unscored_reason",
)  # fmt: skip

Scores = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Scores that `score` wrote.")]


@app.command(name="compare")
@in_words
def compare_command(
    base: Scores,
    tuned: Scores,
    null: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The whole base scored once more (score --force); else a part."),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Compare two models item by item: drops with one-sided 95% bounds, categories, what flipped, what is unscored.

    Bounds come from a bootstrap over near-duplicate groups that both sides share. Categories have an exact McNemar
    test, adjusted for their number (Benjamini-Hochberg). It refuses where items, judges or lengths of answers differ.
    Beside it stands how much of the base flips against itself: `score` asks about a hundred probes twice; and, where
    both were scored with --consistency, how verdicts hold over draws.
    """
    sides = [read_table(path, SCORES) for path in (base, tuned)]
    found = compared(sides[0], sides[1], read_table(null, SCORES) if null else None)
    ratings = [ratings_beside(path, facts) for path, (_, facts) in zip((base, tuned), sides, strict=True)]
    drawn = both(*ratings)
    said = _document(found, sides[0][1], sides[1][1]) | drawn
    if drawn["consistency"] is None and any(one is not None for one in ratings):
        complaints.print("draws are not compared: score both with --consistency, under one policy", style="dim")
    if as_json:
        print_json(said)
    else:
        _show(said)


def _document(found: Comparison, base: Facts, tuned: Facts) -> dict[str, Any]:
    return {
        "base": {"name": base.name, "digest": base.model}, "tuned": {"name": tuned.name, "digest": tuned.model},
        "dimensions": {row["dimension"]: _measured(row) for row in found.dimensions.to_dicts()},
        "metrics": [{**_named(row), **_measured(row)} for row in found.metrics.to_dicts()],
        "categories": found.categories.to_dicts(), "flipped": found.flipped.to_dicts(),
        "flips": found.flips.told, "null": found.null.told if found.null else None,
        "unscored": {side: dict(reasons) for side, reasons in found.unscored.items()},
        "uninformative": list(found.uninformative),
    }  # fmt: skip


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("dimension", "metric")}


def _measured(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in MEASURED}


def _show(said: dict[str, Any]) -> None:
    table = Table("dimension", "base", "tuned", "drop", "95% bounds", "lost", "gained", "of")
    for name, row in said["dimensions"].items():
        table.add_row(name, *_cells(row), style="bold")
        for part in (part for part in said["metrics"] if part["dimension"] == name):
            table.add_row(f"  {part['metric']}", *_cells(part))
    console.print(table)
    lost = [row for row in said["categories"] if row["num_lost"]]
    if lost:
        console.print(_categories(lost))
    for table in draws_tables(said) if said["consistency"] else ():
        console.print(table)
    _tell_flips(said)
    for name, row in said["dimensions"].items():
        if row["unscored_reason"]:
            complaints.print(f"{name} has no drop of its own: {row['unscored_reason']}", markup=False, soft_wrap=True)
    for side, reasons in said["unscored"].items():
        for reason, number in reasons.items():
            complaints.print(f"{side}: {number} unscored: {reason}", markup=False, soft_wrap=True)
    if said["uninformative"]:
        names = ", ".join(said["uninformative"])
        complaints.print(f"uninformative, the base has all of it and nothing flipped: {names}", markup=False)


def _tell_flips(said: dict[str, Any]) -> None:
    flips, null = said["flips"], said["null"]
    console.print(
        f"{flips['num_lost']} lost and {flips['num_gained']} gained of {flips['num_items']} items ({flips['rate']:.2%})"
    )
    if null and null["num_items"]:
        number = null["num_lost"] + null["num_gained"]
        of = f"of {null['num_items']} items asked twice, at most {null['high']:.2%} at 95%"
        console.print(f"base against base: {number} flips ({null['rate']:.2%}) {of}", soft_wrap=True)
    else:
        complaints.print("how much flips without a cause is not known: score the base anew", style="dim")


def _categories(lost: list[dict[str, Any]]) -> Table:
    table = Table("lost in", "category", "lost", "gained", "of", "p", "p adjusted")
    for row in lost[:SHOWN]:
        counts = (str(row[name]) for name in ("num_lost", "num_gained", "num_items"))
        table.add_row(row["dimension"], row["category"], *counts, f"{row['p_value']:.4f}", f"{row['p_adjusted']:.4f}")
    if len(lost) > SHOWN:
        table.caption = f"and {len(lost) - SHOWN} more, see --json"
    return table


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    counts = tuple("-" if row[name] is None else str(row[name]) for name in ("num_lost", "num_gained", "num_pairs"))
    if row["drop"] is None:
        return "-", "-", "-", "", *counts
    points = (f"{row[name]:.2f}" for name in ("baseline", "candidate", "drop"))
    return *points, f"{row['drop_low']:.2f} to {row['drop_high']:.2f}", *counts
