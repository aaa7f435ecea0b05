"""`score`: what a model says to a probe set, and what that is worth. Answers and scores are files of their own."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from safety_assets.commands.draws import draws_tables, judges_table, one, write_ratings
from safety_assets.commands.probes import place_of
from safety_assets.commands.progress import progress
from safety_assets.commands.replaced import replaced
from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json, workspace
from safety_assets.evals.probes import SPLITS
from safety_assets.evals.score_files import write_table
from safety_assets.evals.wrappers import WRAPPERS
from safety_assets.flows.asking import opened_once, target
from safety_assets.flows.consistency import asked_again
from safety_assets.flows.scoring import Scored, document, questions, score_model, score_responses, with_slices
from safety_assets.records import RESPONSES, SCORES

ALL = "all"


@app.command(name="score")
@in_words
def score_command(
    probes: Annotated[str, typer.Option(help="File or folder of probes (*.jsonl), or standard.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="Where the scores go (Parquet).")],
    model: Annotated[
        str | None, typer.Option(help="Model folder, hub id at a commit, a folder of an adapter, or an endpoint.")
    ] = None,
    adapter: Annotated[str | None, typer.Option(help="Folder or hub id of an adapter on top of --model.")] = None,
    responses: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Score these answers; no model is loaded.")
    ] = None,
    split: Annotated[str, typer.Option(help=f"Which probes: {', '.join(SPLITS)} or all.")] = "gate",
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="Longest answer, tokens; the project's setting by default.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Ask and judge anew what was asked and judged before.")] = False,
    categories: Annotated[
        bool, typer.Option("--categories", help="Show each category, of prompts each suite.")
    ] = False,
    wrap: Annotated[
        list[str] | None, typer.Option(help="Ask harmful requests in this wrapper too; may be given again, or all.")
    ] = None,
    in_domain: Annotated[
        bool, typer.Option("--in-domain", help="Ask some probes inside the project's task too.")
    ] = False,
    consistency: Annotated[
        bool, typer.Option("--consistency", help="Draw answers at seeds and temperatures too: do verdicts hold?")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Ask a model a probe set and score its answers. What it was asked before, it is not asked again.

    The answers go to a file beside the scores, to be scored again by another judge: --responses.
    """
    if (model is None) == (responses is None):
        raise typer.BadParameter("give --model to ask a model, or --responses to score answers")
    if responses is not None and (adapter or max_new_tokens or consistency):
        raise typer.BadParameter("--adapter, --max-new-tokens and --consistency belong to --model")
    if split not in (*SPLITS, "all"):
        raise typer.BadParameter(f"{split} is none of {', '.join(SPLITS)}, all", param_hint="--split")
    place = place_of(probes)
    with progress(as_json) as report:
        ws, plain = workspace(force=force, report=report), questions(place, split)
        asked = with_slices(ws, plain, _wrappers(wrap or []), in_domain=in_domain)
        ratings = None
        if responses is not None:
            scored = score_responses(ws, responses, asked, probes)
        else:
            who = opened_once(target(ws, str(model), adapter))
            scored = score_model(ws, who, asked, probes, max_new_tokens)
            ratings = asked_again(ws, who, plain, max_new_tokens) if consistency else None
    written = _write(out, scored, with_responses=responses is None)
    said = document(scored) | written | {"consistency": None, "judges_agree": None}
    if ratings is not None:
        write_ratings(out, ratings, scored.facts)
        said |= one(ratings)
    if as_json:
        print_json(said)
    else:
        _show(said, categories=categories)


def _wrappers(named: list[str]) -> tuple[str, ...]:
    unknown = [name for name in named if name not in (*WRAPPERS, ALL)]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is none of {', '.join(WRAPPERS)}, {ALL}", param_hint="--wrap")
    return tuple(WRAPPERS) if ALL in named else tuple(dict.fromkeys(named))


def _write(out: Path, scored: Scored, *, with_responses: bool) -> dict[str, str | None]:
    """Write the files; where they stand."""
    beside = out.with_name(f"{out.stem}.responses.parquet") if with_responses else None
    if beside is not None:
        with replaced(beside) as fresh:
            write_table(fresh, scored.responses, RESPONSES, scored.facts)
    with replaced(out) as fresh:
        write_table(fresh, scored.scores, SCORES, scored.facts)
    return {"scores": str(out), "responses": str(beside) if beside else None}


def _show(said: dict[str, Any], *, categories: bool) -> None:
    table = Table("dimension", "score", "95% interval", "items", "unscored")
    for name, whole in said["dimensions"].items():
        table.add_row(name, *_cells(whole), style="bold")
        for row in (row for row in said["metrics"] if row["dimension"] == name):
            table.add_row(f"  {row['metric']}", *_cells(row))
            for cell in _cells_of(said, row) if categories else ():
                table.add_row(f"    {cell['category']}", *_mean(cell), style="dim")
    for row in said["slices"]:
        table.add_row(row["slice"], *_cells(row))
    console.print(table)
    for table in draws_tables(said["consistency"] or []):
        console.print(table)
    if said["judges_agree"]:
        console.print(judges_table(said["judges_agree"]))
    if said["attack_success"]:
        console.print(_attacks(said["attack_success"]))
    for name, whole in said["dimensions"].items():
        if whole["unscored_reason"]:
            complaints.print(
                f"{name} has no score of its own: {whole['unscored_reason']}", markup=False, soft_wrap=True
            )
    for reason, number in said["unscored"].items():
        complaints.print(f"{number} unscored: {reason}", markup=False, soft_wrap=True)
    complaints.print(
        f"{said['asked']:,} asked now, {said['remembered']:,} before; written: {said['scores']}",
        style="dim",
        soft_wrap=True,
    )


def _attacks(rows: list[dict[str, Any]]) -> Table:
    table = Table("wrapper", "answered", "95% interval", "not refused", "items", "unscored")
    for row in rows:
        shares = ("-" if row[name] is None else f"{row[name]:.1%}" for name in ("answered", "not_refused"))
        answered, kept = shares
        between = "" if row["low"] is None else f"{row['low']:.1%} to {row['high']:.1%}"
        table.add_row(row["wrapper"], answered, between, kept, str(row["num_items"]), str(row["num_unscored"]))
    return table


def _cells_of(said: dict[str, Any], metric: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for c in said["categories"] if all(c[name] == metric[name] for name in ("dimension", "metric"))]


def _mean(cell: dict[str, Any]) -> tuple[str, str, str, str]:
    shown = "-" if cell["mean"] is None else f"{10 * cell['mean']:.2f}"
    return shown, "", str(cell["num_items"]), str(cell["num_unscored"])


def _cells(row: dict[str, Any]) -> tuple[str, str, str, str]:
    if row["score"] is None:
        return "-", "", str(row["num_items"]), str(row["num_unscored"])
    between = f"{row['low']:.2f} to {row['high']:.2f}"
    return f"{row['score']:.2f}", between, str(row["num_items"]), str(row["num_unscored"])
