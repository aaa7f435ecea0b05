"""`repair`: one repair of weights that lie in a folder; the result is a model folder that `gate` takes."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import yaml
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape

from safety_assets import suites
from safety_assets.commands.progress import progress
from safety_assets.commands.terminal import JSON, app, console, in_words, print_json, workspace
from safety_assets.project import STANDARD
from safety_assets.repair_specs import RepairSpec


@app.command(name="repair")
@in_words
def repair_command(
    method: Annotated[Literal["lox", "nlsr", "safe_lora", "merge", "one_shot"], typer.Option(help="Which repair.")],
    base: Annotated[Path, typer.Option(help="Model folder of the aligned model that tuning started from.")],
    tuned: Annotated[Path, typer.Option(help="What tuning made of it: a model folder, or an adapter to the base.")],
    out: Annotated[Path, typer.Option(help="Folder to write; it must not exist.")],
    pretrained: Annotated[
        Path | None, typer.Option(help="The base's unaligned ancestor; lox, nlsr and safe_lora read it.")
    ] = None,
    knob: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of the repair, as a recipe spells it; may be repeated.")
    ] = None,
    probes: Annotated[
        Path | None, typer.Option(help="Folder of probes, or standard; the project's by default. Its gate is not read.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Repair tuned weights. The result is complete: tokenizer, template and configuration are the tuned model's.

    Refusals and the corpus come from the open project. Whether the result may be released is for `gate` to say.
    """
    from safety_assets.flows.repair_folder import Weights, repair_folder

    spec = _spec(method, knob or [])
    with progress(quiet=as_json) as said:
        ws = workspace(report=said)
        asked = suites.STANDARD if str(probes) == STANDARD else probes or ws.project.probes
        weights = Weights(base=base, tuned=tuned, pretrained=pretrained, out=out)
        done = repair_folder(ws, spec, weights, asked)
    gate = f"safety-assets gate --base {base} --tuned {out}"
    if as_json:
        print_json({"repair": method, "path": str(out.resolve()), **_told(done), "next": [gate]})
        return
    console.print(f"[green]repaired[/green] {escape(str(out))}", soft_wrap=True)
    for key, value in done["found"].items():
        if isinstance(value, int | float | str):
            console.print(f"  {key} {value}", soft_wrap=True, markup=False)
    console.print(f"Next: {gate}", soft_wrap=True, markup=False, highlight=False)


def _told(done: dict[str, Any]) -> dict[str, Any]:
    return {"spec": done["spec"], "found": done["found"], "digests": done["digests"]}


def _spec(method: str, knobs: list[str]) -> RepairSpec:
    """The repair with its knobs; wrong usage names the key and what it allows."""
    values: dict[str, object] = {"repair": method}
    for knob in knobs:
        key, equals, value = knob.partition("=")
        if not equals:
            raise typer.BadParameter(f"{knob!r} is not KEY=VALUE", param_hint="--set")
        values[key] = yaml.safe_load(value)
    try:
        spec: RepairSpec = TypeAdapter(RepairSpec).validate_python(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors())
        raise typer.BadParameter(faults, param_hint="--set") from error
    return spec
