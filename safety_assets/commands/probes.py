"""`probes check`: is a probe set sound, and how small a loss can it see?"""

from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.markup import escape
from rich.table import Table

from safety_assets.commands.probe_place import place_of
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json
from safety_assets.evals.informative import in_sentences, informative
from safety_assets.evals.probe_lint import FLIP_RATE, POWER, Lint, demand_probes, lint
from safety_assets.evals.score_files import read_table
from safety_assets.records import SCORES

probes = typer.Typer(no_args_is_help=True, help="Probe sets.")
app.add_typer(probes, name="probes")

SHOWN = 12
Scores = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Scores that `score` wrote.")]


@probes.callback()
def _group() -> None:
    """Probe sets."""


@probes.command()
@in_words
def check(
    probes: Annotated[str, typer.Argument(help="File or folder of probes (*.jsonl), or standard.")],
    flip_rate: Annotated[
        float, typer.Option(min=0, max=0.4, help="Share of items that flip without a cause, each way.")
    ] = FLIP_RATE,
    base: Scores = None,
    plain: Scores = None,
    as_json: JSON = False,
) -> None:
    """Lint a probe set: schema, duplicates, near-duplicates, splits that leak, categories; and the drop it resolves.

    A drop is resolved when an exact McNemar test at 5% finds it in 80 of 100 comparisons, one item per group. With
    --base and --plain, what `score` wrote of a base and of its plain fine-tuning, it names the suites that say nothing:
    the base has all of them and tuning without protection changes nothing.
    """
    if (base is None) != (plain is None):
        raise typer.BadParameter("give both --base and --plain, or neither")
    place = place_of(probes)
    found = lint(place, flip_rate)
    demand_probes(found, place)
    showed = None if base is None or plain is None else _showed(found, base, plain)
    if as_json:
        silent = None if showed is None else showed.filter(~pl.col("informative")).drop("informative").to_dicts()
        print_json(_document(probes, found, flip_rate) | {"uninformative": silent})
    else:
        _show(found, flip_rate)
        for sentence in () if showed is None else in_sentences(showed):
            console.print(f"[yellow]warning[/] {escape(sentence)}", soft_wrap=True)
    raise typer.Exit(1 if found.faults else 0)


def _showed(found: Lint, base: Path, plain: Path) -> pl.DataFrame:
    """INFORMATIVE of the probes of the set; EvaluationError where the scores are not of them."""
    asked = found.probes.select("probe_id")
    sides = [read_table(path, SCORES)[0].join(asked, on="probe_id", how="semi") for path in (base, plain)]
    return informative(*sides)


def _document(named: str, found: Lint, flip_rate: float) -> dict[str, Any]:
    from safety_assets.flows.answers import questions_digest

    splits = found.probes["split"].value_counts().sort("split")
    return {
        "probes": named, "digest": questions_digest(found.probes), "sound": not found.faults,
        "items": found.probes.height, "groups": found.probes["group"].n_unique(), "splits": dict(splits.iter_rows()),
        "faults": list(found.faults), "warnings": list(found.warnings), "balance": found.balance.to_dicts(),
        "resolves": found.resolves.to_dicts(), "resolves_by_metric": found.resolves_by_metric.to_dicts(),
        "flip_rate": flip_rate,
    }  # fmt: skip


def _resolved(row: dict[str, Any], categories: int) -> tuple[str, ...]:
    drop = "nothing" if row["points"] is None else f"a drop of {row['points']:.2f} points"
    return str(row["num_items"]), str(row["num_groups"]), str(categories), drop


def _show(found: Lint, flip_rate: float) -> None:
    table = Table("dimension", "items", "groups", "categories", f"resolves at {POWER:.0%} power")
    cells = found.balance.group_by("dimension", "metric").len()
    for row in found.resolves.iter_rows(named=True):
        own = cells.filter(dimension=row["dimension"])
        table.add_row(row["dimension"], *_resolved(row, sum(own["len"])))
        metrics = found.resolves_by_metric.filter(dimension=row["dimension"]).join(own, on="metric", how="left")
        for part in metrics.iter_rows(named=True):
            table.add_row(f"  {part['metric']}", *_resolved(part, part["len"]), style="dim")
    table.caption = f"split gate; {flip_rate:.1%} of items flip without a cause, each way"
    console.print(table)
    for colour, word, said in (("red", "fault", found.faults), ("yellow", "warning", found.warnings)):
        for sentence in said[:SHOWN]:
            console.print(f"[{colour}]{word}[/] {escape(sentence)}", soft_wrap=True)
        if len(said) > SHOWN:
            console.print(f"and {len(said) - SHOWN} more, see --json")
    if not found.faults:
        console.print(f"[green]sound[/]: {found.probes.height:,} probes", soft_wrap=True)
