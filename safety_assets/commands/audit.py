"""`audit`: what is in a corpus, before there is a project."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from safety_assets import suites
from safety_assets.commands.progress import progress
from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json
from safety_assets.flows.alone import audit_alone
from safety_assets.policy import CorpusPolicy, Policy
from safety_assets.settings import read_settings
from safety_assets.starter.law import policy_values


@app.command(name="audit")
@in_words
def audit_command(
    corpus: Annotated[Path, typer.Argument(exists=True, help="File or folder of chats, of any known shape.")],
    findings: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the findings to this Parquet.")] = None,
    as_json: JSON = False,
    policy: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Policy file; that of a new project by default.")
    ] = None,
    probes: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of probes; the standard suite by default.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes; one per core by default. Changes no result.")
    ] = None,
) -> None:
    """Audit files of chats without a project: personal data, duplicates, poison, probes, quality. Changes nothing.

    Lines in = kept + dropped + quarantined; a row that a finding blocks counts as dropped until somebody decides.
    """
    law = _law(policy)
    with progress(as_json) as report:
        found = audit_alone(
            corpus, law, probes or suites.STANDARD, findings=findings, processes=processes, report=report
        )
    if as_json:
        print_json(found)
        return
    _show(found)


def _law(policy: Path | None) -> CorpusPolicy:
    """The section on the corpus of a policy file, or of the policy that a new project of moderate risk begins with."""
    if policy is not None:
        return read_settings(policy, Policy).corpus
    return CorpusPolicy.model_validate(policy_values("moderate")["corpus"])


def _show(found: dict) -> None:
    table = Table("finding", "number", "action")
    for finding, number in found["findings"].items():
        table.add_row(finding, f"{number:,}", ", ".join(found["actions"][finding]))
    console.print(table)
    totals, rows = found["totals"], found["rows"]
    console.print(
        f"{totals['in']:,} lines: {totals['kept']:,} kept, {totals['dropped']:,} dropped, "
        f"{totals['quarantined']:,} could not be read; of the kept rows {rows['masked']:,} masked"
    )
    if rows["blocked"]:
        complaints.print(f"[yellow]{rows['blocked']:,} rows[/yellow] have a finding that blocks until somebody decides")
