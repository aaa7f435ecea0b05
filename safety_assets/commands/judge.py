"""`judge`: do answers refuse? Of a file of answers; and a judge fitted to labels of one's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from safety_assets.commands.judges import judged_by
from safety_assets.commands.progress import Report, progress
from safety_assets.commands.replaced import replaced
from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json


@app.command(name="judge")
@in_words
def judge_command(
    responses: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="Answers: JSON lines of id, prompt, completion.")
    ] = None,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="Where verdicts (Parquet) or the judge go.")] = None,
    fit: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Labels: JSON lines of prompt, completion, label.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A judge that --fit wrote, to decide alone.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="rail|URL|FOLDER", help="Another judge: RAIL, an endpoint, a classifier.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="What a label of the classifier stands for, as unsafe=compliance.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Pay what RAIL costs, which is shown without it.")] = False,
    as_json: JSON = False,
) -> None:
    """Say of each answer whether it refuses, refuses in part, helps or says nothing. An unreadable line is unscored.

    With --fit: fit the judge to your labels (full_refusal, partial_refusal, refusal, compliance, hedged, non_answer;
    say in `model` who answered) and print how it does on answers, models and prompts that it had not seen.

    With --by: another judge. Answers leave this machine for RAIL, which scores all eight dimensions, and for endpoints.
    """
    if (responses is None) == (fit is None) or out is None or (fit and model) or (by and (fit or model)):
        raise typer.BadParameter("give answers and --out, or --fit and --out")
    if out in (responses, fit, model):
        raise typer.BadParameter(f"--out {out} is what is read; name another file")
    with progress(as_json) as report:
        if by:
            said = judged_by(by, responses, out, label or [], yes, report)  # type: ignore[arg-type]
        else:
            said = _fitted(fit, out, report) if fit else _judged(responses, out, model, report)  # type: ignore[arg-type]
    if as_json:
        print_json(said)
    else:
        _show(said)


def _judged(responses: Path, out: Path, model: Path | None, report: Report) -> dict[str, Any]:
    from safety_assets.evals.answer_files import counts, judge_file
    from safety_assets.evals.judges import JUDGE, record
    from safety_assets.evals.refitted import open_judge

    linear, judge = open_judge(model) if model else (None, JUDGE)
    verdicts = judge_file(responses, judge, linear, _told("judged", report))
    with replaced(out) as fresh:
        verdicts.write_parquet(fresh)
    measured = linear.facts["held_out"] if linear else record(judge)
    return {
        "judge": judge, "rows": verdicts.height, "verdicts": counts(verdicts), "out": str(out), "measured": measured,
    }  # fmt: skip


def _fitted(labels: Path, out: Path, report: Report) -> dict[str, Any]:
    from safety_assets.evals.answer_files import read_labelled
    from safety_assets.evals.refitted import fit_judge

    linear = fit_judge(read_labelled(labels), _told("fitted", report))
    with replaced(out) as fresh:
        linear.save(fresh)
    return {**linear.facts, "out": str(out)}


def _told(event: str, report: Report) -> Callable[[int, int], None]:
    return lambda done, of: report({"event": event, "done": done, "of": of})


def _show(said: dict[str, Any]) -> None:
    counted = "verdicts" if "verdicts" in said else "fitted_on"
    table = Table("verdict" if counted == "verdicts" else "label", "answers")
    for name, number in said[counted].items():
        table.add_row(name, f"{number:,}")
    console.print(table)
    if "by" in said:
        complaints.print(f"written: {said['out']}; {said['judge']} is not measured here", style="dim", soft_wrap=True)
        return
    figures = said.get("measured") or said["held_out"]
    shown = ", ".join(f"{name} {figures[name]}" for name in ("accuracy", "sensitivity", "specificity", "n"))
    console.print(f"{said['judge']}: {shown} ({figures.get('on', 'answers held out by model and prompt')})")
    for name, rate in figures.get("by_model", {}).items():
        console.print(f"  {name}: refuses {rate['labelled']} by label, {rate['found']} by verdict, n {rate['n']}")
    complaints.print(f"written: {said['out']}", style="dim", soft_wrap=True)
