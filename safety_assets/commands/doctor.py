"""`doctor`: is everything in place, and what to do where it is not."""

from dataclasses import asdict

import typer
from rich.markup import escape

from safety_assets.commands.terminal import JSON, app, console, in_words, print_json
from safety_assets.flows.doctor import Finding, examine
from safety_assets.project import open_project

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@app.command()
@in_words
def doctor(as_json: JSON = False) -> None:
    """Look at packages, project files, model, machine and Dagster; each fault comes with its remedy."""
    findings = []
    for finding in examine(open_project()):
        findings.append(finding)
        if not as_json:
            _show(finding)
    failed = any(finding.state == "fail" for finding in findings)
    if as_json:
        print_json({"well": not failed, "findings": [asdict(f) for f in findings]})
    if failed:
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    colour = COLOURS[finding.state]
    console.print(f"[{colour}]{finding.state:4s}[/{colour}] {finding.name:18s} {escape(finding.said)}", soft_wrap=True)
    if finding.remedy:
        console.print(f"     {'':18s} do: {escape(finding.remedy)}", soft_wrap=True)
