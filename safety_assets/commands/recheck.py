"""`recheck`: does an endpoint serve the weights that were released?"""

from typing import Annotated

import typer
from rich.markup import escape

from safety_assets.commands.progress import progress
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace
from safety_assets.flows.recheck import recheck
from safety_assets.served.address import read_address

EXIT_CODES = {"same": 0, "different": 1, "cannot_say": 3}
COLOURS = {"same": "green", "different": "red", "cannot_say": "yellow"}


@app.command(name="recheck")
@in_words
def recheck_command(
    endpoint: Annotated[str, typer.Option(metavar="URL", help="The endpoint, as http://HOST/v1#MODEL.")],
    as_json: JSON = False,
) -> None:
    """Ask an endpoint and the released weights the same questions, and compare the answers.

    All agree: the same. Very many differ: different. Between them, or when answers got lost, nothing can be said. Where
    the policy limits it (max_nats_apart), log-probabilities of the released answers that are further off say different.
    """
    with progress(quiet=as_json) as said:
        found = recheck(workspace(report=said), read_address(endpoint))
    if as_json:
        print_json(found.document())
    else:
        outcome = found.outcome.replace("_", " ")
        console.print(f"[{COLOURS[found.outcome]}]{outcome}[/]: {escape(found.why)}", soft_wrap=True)
    raise typer.Exit(EXIT_CODES[found.outcome])
