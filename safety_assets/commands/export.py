"""`export`: scores in the formats of other tools."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from safety_assets.commands.probe_place import place_of
from safety_assets.commands.replaced import replaced
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json
from safety_assets.evals.interchange.inspect_log import inspect_log
from safety_assets.evals.interchange.lm_eval_files import write_lm_eval
from safety_assets.evals.probes import read_probes
from safety_assets.evals.score_files import read_table
from safety_assets.records import RESPONSES, SCORES


class Format(StrEnum):
    """Whose."""

    INSPECT = "inspect"
    LM_EVAL = "lm-eval"


@app.command(name="export")
@in_words
def export_command(
    scores: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Scores that `score` wrote.")],
    responses: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The answers beside them.")],
    probes: Annotated[str, typer.Option(help="The probes that were asked: file, folder or standard.")],
    to: Annotated[Format, typer.Option(help="Inspect's EvalLog (JSON), or results and samples of lm-eval.")],
    out: Annotated[Path, typer.Option(help="File of the log, or folder of the results.")],
    as_json: JSON = False,
) -> None:
    """Write scores, with questions and answers, for the viewers and data frames of other tools."""
    if to is Format.INSPECT and out.suffix != ".json":
        raise typer.BadParameter(f"{out} must end in .json: Inspect goes by that", param_hint="--out")
    table, facts = read_table(scores, SCORES)
    answers, _ = read_table(responses, RESPONSES)
    asked, now = read_probes(place_of(probes)), datetime.now(UTC)
    if to is Format.INSPECT:
        with replaced(out) as fresh:
            fresh.write_text(inspect_log(table, answers, asked, facts, now), encoding="utf-8")
        files = [out]
    else:
        files = write_lm_eval(out, table, answers, asked, facts, now)
    if as_json:
        print_json({"format": to.value, "files": [str(file) for file in files], "items": table.height})
    else:
        console.print(f"{table.height:,} items written to {files[0]}", soft_wrap=True)
