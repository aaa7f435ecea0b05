"""`init`: a project of one's own, asked for on a terminal, every answer checked at once."""

import re
from pathlib import Path
from typing import Annotated, get_args

import typer

from safety_assets.commands.asking import Asking, on_a_terminal
from safety_assets.commands.begun import Facts, document, show
from safety_assets.commands.terminal import JSON, app, complain, complaints, in_words, print_json
from safety_assets.corpus.tasks import read_tasks
from safety_assets.datafiles import AnswerRule, DataFiles
from safety_assets.errors import SafetyAssetsError
from safety_assets.policy import Policy
from safety_assets.project import STANDARD
from safety_assets.starter.base import ModelFacts, NamedModel, base_under, look_at, on_the_hub, template_text
from safety_assets.starter.law import Risk, policy_values
from safety_assets.starter.marking import Marking, marking, parse_metric, parse_rule, rule_in
from safety_assets.starter.named import corpus_rows, pairs_named, probes_named, sampled_tasks
from safety_assets.starter.project import Wish, demand_place, write_project
from safety_assets.starter.recipes import Size
from safety_assets.task_metric import AnyMetric

QUESTIONS = {
    "base-model": "Base model: folder, or organisation/name@<40 hex digits> on the hub",
    "corpus": "Corpus: file or folder",
    "task-set": "Tasks with a checkable answer: file or folder (empty: rows held out of the corpus)",
    "risk": "What would a mistake cost (high, moderate, research)",
}
FEW_HELD_OUT = 20
"""Fewer held-out rows than this hardly measure a task."""


@app.command()
@in_words
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new project.")],
    base_model: Annotated[
        str | None, typer.Option(help="The aligned model: folder, or organisation/name@<commit> on the hub.")
    ] = None,
    adapter: Annotated[str | None, typer.Option(help="PEFT adapter on the base: folder or hub id.")] = None,
    corpus: Annotated[list[str] | None, typer.Option(help="Corpus file or folder; may be given again.")] = None,
    task_set: Annotated[
        str | None, typer.Option(help="Tasks with a checkable answer; without it rows of the corpus are held out.")
    ] = None,
    task_metric: Annotated[
        str | None, typer.Option(help="How they are marked: numeric, exact, ..., or {metric: ..., knob: ...}.")
    ] = None,
    task_answer: Annotated[
        str | None, typer.Option(help="Mark before the checkable answer (####), or {pattern: REGEX}.")
    ] = None,
    risk: Annotated[str | None, typer.Option(help="high, moderate or research: what a mistake would cost.")] = None,
    refusal_pairs: Annotated[
        list[str] | None,
        typer.Option(help="File or folder of refusal pairs, or standard for those of the package; may be given again."),
    ] = None,
    probes: Annotated[str, typer.Option(help="Folder of probes, or standard for those of the package.")] = STANDARD,
    chat_template: Annotated[str | None, typer.Option(help="Jinja file instead of the model's template.")] = None,
    system_prompt: Annotated[str | None, typer.Option(help="Serving system prompt.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the project; the folder's by default.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing, also on a terminal.")] = False,
    as_json: JSON = False,
) -> None:
    """Write a new project. On a terminal it asks for what no option names; nothing is overwritten."""
    called = name or _name(folder)
    demand_place(folder, called)
    ask = Asking(QUESTIONS, may_ask=on_a_terminal() and not yes)
    ask.demand({"base-model": base_model or adapter, "corpus": corpus, "risk": risk})
    metric = parse_metric(task_metric) if task_metric else None
    rule = parse_rule(task_answer) if task_answer else None
    model, model_facts = _model(ask, base_model, adapter, chat_template, system_prompt)
    said, counted = ask.answer("corpus", corpus, lambda given: corpus_rows(_paths(given)))
    paths = _paths(said)
    tasks, (marked, items) = ask.optional("task-set", task_set, lambda given: _marked(given, paths, metric, rule))
    cost, law = ask.answer("risk", risk, lambda given: _law(given, marked))
    wish = Wish(
        folder=folder, name=called, model=model, corpus=[str(path) for path in paths], task_set=tasks, marking=marked,
        risk=cost, probes=probes, refusal_pairs=refusal_pairs or [STANDARD],
    )  # fmt: skip
    _begin(wish, _facts(wish, law, model_facts, counted, items), as_json=as_json)


def _begin(wish: Wish, facts: Facts, *, as_json: bool) -> None:
    """Write the project and say what was written."""
    size = Size(parameters=facts.model.parameters, context=facts.model.context, rows=facts.rows)
    _, written = write_project(wish, size)
    if as_json:
        print_json(document(wish, facts, size, written))
    else:
        show(wish, facts, size)


def _facts(wish: Wish, law: Policy, model: ModelFacts, counted: tuple[int, int], items: int | None) -> Facts:
    """What was found so far, and in the pairs and probes that were named."""
    pairs, lacking = pairs_named(wish.refusal_pairs, law)
    probes, too_few = probes_named(wish.probes, law)
    rows, unreadable = counted
    warnings = (*_on_the_data(model, rows, unreadable, law, items), *lacking, *too_few)
    return Facts(
        model=model, rows=rows, unreadable=unreadable, items=items, pairs=pairs, probes=probes, warnings=warnings
    )


def _model(
    ask: Asking, base: str | None, adapter: str | None, chat_template: str | None, system_prompt: str | None
) -> tuple[NamedModel, ModelFacts]:
    """The base model as named, and what was found in it; an adapter names its base when the user does not."""
    if chat_template:
        template_text(chat_template)

    def named(said: str) -> NamedModel:
        return NamedModel(base=said, adapter=adapter, chat_template=chat_template, system_prompt=system_prompt)

    if base is None and adapter is not None:
        base = _under(ask, adapter)
    said, facts = ask.answer("base-model", base, lambda given: _looked_at(named(given)))
    return named(said), facts


def _looked_at(model: NamedModel) -> ModelFacts:
    if on_the_hub(model):
        complaints.print("Looking in the cache and on the hub; HF_HUB_OFFLINE=1 looks in the cache only.", style="dim")
    return look_at(model)


def _under(ask: Asking, adapter: str) -> str | None:
    try:
        return base_under(adapter)
    except SafetyAssetsError as error:
        if not ask.may_ask:
            raise
        complain(error)
        return None


def _marked(
    given: str | None, corpus: list[Path], metric: AnyMetric | None, rule: AnswerRule | None
) -> tuple[Marking, int | None]:
    """How the tasks are marked, and how many a task set has; without a set, judged by rows of the corpus."""
    tasks = read_tasks(DataFiles(path=Path(given)), rule) if given else sampled_tasks(corpus, rule)
    found = rule or rule_in(tasks)
    if found is not rule:
        tasks = read_tasks(DataFiles(path=Path(given)), found) if given else sampled_tasks(corpus, found)
    return marking(tasks, metric, found), tasks.height if given else None


def _law(said: str, marked: Marking) -> Policy:
    for risk in get_args(Risk):
        if said == risk:
            return Policy.model_validate(policy_values(risk, marked.metric))
    raise SafetyAssetsError(f"risk {said!r:.40}", expected="high, moderate or research", do="name one of them")


def _on_the_data(model: ModelFacts, rows: int, unreadable: int, law: Policy, items: int | None) -> list[str]:
    """What is known now to go wrong later."""
    said = [model.later] if model.later else []
    if unreadable:
        said.append(f"{unreadable} of {rows + unreadable} lines cannot be read; raw_corpus will name them.")
    held_out = round(rows * law.corpus.held_out_share)
    if items is None and held_out < FEW_HELD_OUT:
        said.append(
            f"About {held_out} rows will be held out as tasks, too few to measure one. Raise corpus.held_out_share in "
            "policy.yaml, or name a task_set in project.yaml."
        )
    return said


def _paths(given: str | list[str]) -> list[Path]:
    return [Path(path) for path in ([given] if isinstance(given, str) else given)]


def _name(folder: Path) -> str:
    """The folder's name as a project's name may be written."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_")
    return plain[:63] or "project"
