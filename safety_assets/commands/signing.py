"""`sign`, `waive`, `dispose`, `hold`: acts of people, each one signed file in the project's folder `signed/`."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from safety_assets.commands.completion import Recipe, recipe_names
from safety_assets.commands.keys import Key, opened
from safety_assets.commands.terminal import JSON, app, complaints, console, in_words, print_json, workspace
from safety_assets.flows import signing
from safety_assets.flows.signing import Subject
from safety_assets.flows.workspace import Workspace
from safety_assets.people import Role

Reason = Annotated[str, typer.Option(help="Why, in a sentence; it is signed.")]
AsRole = Annotated[str | None, typer.Option("--role", help=f"In which role: {', '.join(get_args(Role))}.")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it holds.")]
Yes = Annotated[bool, typer.Option("--yes", help="Sign without being asked.")]
Of = Annotated[str | None, typer.Option("--recipe", help="Of this recipe's weights.", autocompletion=recipe_names)]
Weights = Annotated[str | None, typer.Option("--weights", help="Of weights with this identity digest.")]
Whole = Annotated[bool, typer.Option("--project", help="Of the whole project.")]


@app.command()
@in_words
def sign(
    reason: Reason,
    recipe: Annotated[str | None, typer.Argument(help="The decision on this recipe.", autocompletion=recipe_names)] = (
        None
    ),
    policy: Annotated[bool, typer.Option("--policy", help="The policy in force, for what an older one bound.")] = False,
    weights: Weights = None,
    until: Until = None,
    role: AsRole = None,
    key: Key = None,
    yes: Yes = False,
    as_json: JSON = False,
) -> None:
    """Sign a decision with its evidence, weights whatever their evidence, or the policy in force."""
    if sum([recipe is not None, policy, weights is not None]) != 1:
        raise typer.BadParameter("name a recipe, or --weights, or --policy: one of them")
    ws = workspace()
    if recipe is not None:
        decision = signing.decided(ws, recipe)
        subject = Subject("decision", decision.case)
        if not as_json:
            told = [f"The decision on {recipe} is {decision.status}.", *decision.reasons]
            complaints.print(*told, sep="\n  ", markup=False, soft_wrap=True)
    else:
        subject = signing.policy_in_force(ws) if policy else Subject("weights", weights)
    follow = f"safety-assets materialize release_decision --recipe {recipe or 'RECIPE'}"
    _signed(ws, key, role, subject, yes, as_json, follow, kind="sign_off", reason=reason, expires=signing.until(until))


@app.command()
@in_words
def waive(
    dimension: Annotated[str, typer.Argument(help="A supporting dimension.")],
    reason: Reason,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it holds.")],
    recipe: Of = None,
    weights: Weights = None,
    project: Whole = False,
    role: AsRole = None,
    key: Key = None,
    yes: Yes = False,
    as_json: JSON = False,
) -> None:
    """Accept the breach of a supporting dimension until a day. Critical dimensions cannot be waived."""
    ws = workspace()
    said = {"kind": "waiver", "dimension": dimension, "reason": reason, "expires": until.date()}
    _signed(ws, key, role, _subject(ws, recipe, weights, project), yes, as_json, DECIDE, **said)


@app.command()
@in_words
def dispose(
    recipe: Recipe,
    dimension: Annotated[str, typer.Argument(help="Dimension of the loss.")],
    category: Annotated[str, typer.Argument(help="Category that was lost.")],
    reason: Reason,
    accept: Annotated[bool, typer.Option("--accept/--fix", help="Accept it until a day, or have it mended first.")],
    until: Until = None,
    role: AsRole = None,
    key: Key = None,
    yes: Yes = False,
    as_json: JSON = False,
) -> None:
    """Say what becomes of a lost category of one candidate: accepted until a day, or mended before a release."""
    ws = workspace()
    signing.demand_lost(ws, recipe, dimension, category)
    said = {
        "kind": "disposition", "dimension": dimension, "category": category, "reason": reason,
        "outcome": "accept" if accept else "fix", "expires": signing.until(until),
    }  # fmt: skip
    _signed(ws, key, role, signing.weights_of(ws, recipe), yes, as_json, DECIDE, **said)


@app.command()
@in_words
def hold(
    reason: Reason,
    recipe: Of = None,
    weights: Weights = None,
    project: Whole = False,
    lift: Annotated[str | None, typer.Option(help="Lift the hold whose digest begins so.")] = None,
    until: Until = None,
    role: AsRole = None,
    key: Key = None,
    yes: Yes = False,
    as_json: JSON = False,
) -> None:
    """Hold weights or the project back from release, or lift a hold. What is served stays."""
    ws = workspace()
    said: dict[str, Any] = {"kind": "hold", "reason": reason, "expires": signing.until(until)}
    if lift is None:
        subject = _subject(ws, recipe, weights, project)
    elif recipe or weights or project or until:
        raise typer.BadParameter("--lift names a hold, which says itself what it is about")
    else:
        held = signing.hold_named(ws, lift)
        subject, said = Subject(held.about, held.digest), {"kind": "lift", "reason": reason, "lifts": held.act_digest}
    _signed(ws, key, role, subject, yes, as_json, DECIDE if lift else "safety-assets status", **said)


DECIDE = "safety-assets materialize release_decision --recipe RECIPE"


def _subject(ws: Workspace, recipe: str | None, weights: str | None, project: bool) -> Subject:
    if sum([recipe is not None, weights is not None, project]) != 1:
        raise typer.BadParameter("name --recipe, --weights or --project: one of them")
    if recipe is not None:
        return signing.weights_of(ws, recipe)
    return Subject("project") if project else Subject("weights", weights)


def _signed(
    ws: Workspace, path: Path | None, role: str | None, subject: Subject, yes: bool, as_json: bool, follow: str,
    **said: Any,
) -> None:  # fmt: skip
    """Say what would be signed, ask on a terminal, sign, and tell where it stands."""
    key = opened(ws.project, path)
    act = signing.draft(ws, key, role, subject, **said)  # type: ignore[arg-type]
    if not as_json:
        complaints.print(f"To be signed: {act.sentence()}", markup=False, soft_wrap=True)
    if sys.stdin.isatty() and not yes and not as_json:
        typer.confirm("Sign it?", abort=True, err=True)
    file = signing.put(ws, act, key)
    if as_json:
        body = act.model_dump(mode="json")
        print_json({"file": str(file), "digest": act.act_digest, "act": body, "says": act.sentence(), "next": follow})
    else:
        console.print(f"Signed: {file}", markup=False, soft_wrap=True, highlight=False)
        console.print(f"Next: {follow}", markup=False, soft_wrap=True, highlight=False)
