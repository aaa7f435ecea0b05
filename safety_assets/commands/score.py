"""`score`: what a model says to a probe set, and what that is worth. Answers and scores are files of their own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from safety_assets.commands.probe_place import place_of
from safety_assets.commands.progress import progress
from safety_assets.commands.replaced import replaced
from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json, workspace

if TYPE_CHECKING:
    from safety_assets.flows.finished import Finished

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
    split: Annotated[str, typer.Option(help="Which probes: calibrate, watch, gate or all.")] = "gate",
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
    as_json: JSON = False,
) -> None:
    """Ask a model a probe set and score its answers. What it was asked before, it is not asked again.

    The answers go to a file beside the scores, to be scored again by another judge: --responses.
    """
    if (model is None) == (responses is None):
        raise typer.BadParameter("give --model to ask a model, or --responses to score answers")
    if responses is not None and (adapter or max_new_tokens):
        raise typer.BadParameter("--adapter and --max-new-tokens belong to --model")
    from safety_assets.flows.finished import Exam, score_file, score_once

    wrappers, place = _wrappers(wrap or []), place_of(probes)
    exam = Exam(place=place, named=probes, split=_split(split), wrappers=wrappers, in_domain=in_domain)
    with progress(as_json) as report:
        ws = workspace(force=force, report=report)
        if responses is not None:
            done = score_file(ws, exam, responses)
        else:
            done = score_once(ws, exam, str(model), adapter, max_new_tokens)
    written = _write(out, done, with_responses=responses is None)
    said = {**done.document, **written}
    if as_json:
        print_json(said)
    else:
        _show(said, categories=categories)


def _split(named: str) -> str:
    from safety_assets.evals.probes import SPLITS

    if named not in (*SPLITS, ALL):
        raise typer.BadParameter(f"{named} is none of {', '.join(SPLITS)}, {ALL}", param_hint="--split")
    return named


def _wrappers(named: list[str]) -> tuple[str, ...]:
    if not named:
        return ()
    from safety_assets.evals.wrappers import WRAPPERS

    unknown = [name for name in named if name not in (*WRAPPERS, ALL)]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is none of {', '.join(WRAPPERS)}, {ALL}", param_hint="--wrap")
    return tuple(WRAPPERS) if ALL in named else tuple(dict.fromkeys(named))


def _write(out: Path, done: "Finished", *, with_responses: bool) -> dict[str, str | None]:
    """Write the files; where they stand."""
    beside = out.with_name(f"{out.stem}.responses.parquet") if with_responses else None
    for path, data in ((beside, done.responses), (out, done.scores)):
        if path is not None:
            with replaced(path) as fresh:
                fresh.write_bytes(data)
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
