"""`decide`: a draft policy, tried on the candidates of the past."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json, workspace
from safety_assets.errors import EvaluationError
from safety_assets.flows.replay import document, replay
from safety_assets.policy import Policy
from safety_assets.settings import read_settings


@app.command(name="decide")
@in_words
def decide_command(
    policy: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The draft.")],
    history: Annotated[bool, typer.Option("--history", help="Try it on every past candidate.")] = False,
    as_json: JSON = False,
) -> None:
    """Say what a draft policy would have decided on past candidates, from their stored scores. Changes nothing.

    Compared are the checks that scores and a policy's numbers decide; signatures and staleness are of the day.
    """
    if not history:
        raise typer.BadParameter("say --history; on a recipe, `run` and `materialize release_decision` decide")
    found, gone = replay(workspace(), read_settings(policy, Policy))
    if not found and not gone:
        raise EvaluationError(
            "no candidate was decided upon yet", expected="decisions with their scores in the store",
            do="safety-assets run RECIPE",
        )  # fmt: skip
    said = document(found, gone)
    if as_json:
        print_json(said)
    else:
        _show(said)


def _show(said: dict[str, Any]) -> None:
    table = Table("recipe", "decided on", "was", "would be", "what changes")
    for one in said["candidates"]:
        told = [f"{c['check']}: {c['was'] or 'no check'} -> {c['would'] or 'no check'}" for c in one["changed"]]
        table.add_row(one["recipe"], one["decided_on"], one["was"], one["would"], escape("\n".join(told)))
    console.print(table)
    console.print(f"{said['changed']} of {len(said['candidates'])} candidates would be decided otherwise")
    for sentence in said["gone"]:
        complaints.print(sentence, markup=False, soft_wrap=True)
