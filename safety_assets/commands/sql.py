"""`sql`: the corpus, its findings and what became of it, asked in SQL."""

import math
from collections import Counter
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace
from safety_assets.errors import ProjectError
from safety_assets.flows.views import Answer, ask, described

SHOWN_ROWS = 100


@app.command()
@in_words
def sql(
    query: Annotated[
        str | None, typer.Argument(help="A query in DuckDB's SQL; without one the views are listed.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Ask the current corpus in SQL: rows, turns, findings, audited, quarantine, pairs (docs/roles/data.md).

    The views stand in corpus.duckdb under the project's storage, for any other program too. Nothing can be changed.
    """
    store = workspace().store
    answer = ask(store, query) if query else described(store)
    if as_json:
        print_json(_records(answer))
    else:
        _show(answer)


def _records(answer: Answer) -> list[object]:
    """A JSON object per row; ProjectError where two columns have one name, since one would be lost."""
    twice = [name for name, number in Counter(answer.columns).items() if number > 1]
    if twice:
        raise ProjectError(f"several columns are called {', '.join(twice)}", do="give each a name of its own, with AS")
    return [_plain(dict(zip(answer.columns, row, strict=True))) for row in answer.rows]


def _plain(value: object) -> object:
    """A value in JSON types: what is not finite is null, what JSON has no word for is text."""
    match value:
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
    return str(value)


def _show(answer: Answer) -> None:
    table = Table(*answer.columns)
    for row in answer.rows[:SHOWN_ROWS]:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    if len(answer.rows) > SHOWN_ROWS:
        table.caption = f"and {len(answer.rows) - SHOWN_ROWS:,} more rows; --json prints all"
    console.print(table)
