"""`doctor`: is everything in place, and what to do where it is not."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from safety_assets.commands.terminal import app, console, in_words
from safety_assets.flows.doctor import Finding, examine
from safety_assets.project import open_project

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@app.command()
@in_words
def doctor(as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """Look at packages, project files, model, machine and Dagster. Exit code 1 when something will not work."""
    findings = []
    for finding in examine(open_project()):
        findings.append(finding)
        if not as_json:
            _show(finding)
    failed = any(finding.state == "fail" for finding in findings)
    if as_json:
        print(json.dumps({"well": not failed, "findings": [asdict(f) for f in findings]}, indent=2, ensure_ascii=False))
    if failed:
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    colour = COLOURS[finding.state]
    console.print(f"[{colour}]{finding.state:4s}[/{colour}] {finding.name:18s} {escape(finding.said)}", soft_wrap=True)
    if finding.remedy:
        console.print(f"     {'':18s} do: {escape(finding.remedy)}", soft_wrap=True)
