"""Baseline: the weights one starts from, the frozen probes, what the base says, how it scores, where safety lives."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import polars as pl

from safety_assets.errors import ModelError
from safety_assets.evals.ask import Answerer, ask, ask_tasks
from safety_assets.evals.probes import read_probes, read_suite
from safety_assets.evals.repeats import repeated
from safety_assets.evals.suite import DIMENSIONS, judge
from safety_assets.evals.summary import over_refusal, summarise
from safety_assets.flows import models
from safety_assets.flows.asking import local, remembered
from safety_assets.flows.checks import made
from safety_assets.flows.inputs import digests, take
from safety_assets.flows.judge_record import judge_record
from safety_assets.flows.readings import readings_shown, saturated_shown, write_readings
from safety_assets.flows.sources import model_digest
from safety_assets.flows.workspace import Made, Svg, Workspace, make, source_digests
from safety_assets.records import DIMENSION_SCORES, PAIRS, PROBES, RESPONSES, SCORES, TASKS
from safety_assets.release import plots
from safety_assets.store import Artefact, write_frame, write_json

READ_PROMPTS = 256
"""Prompts of each kind of pair that an anatomy is read from, at most."""
NEURONS = {"layer": pl.Int64, "neuron": pl.Int64, "effect": pl.Float64}


def base_model(ws: Workspace) -> Made:
    """The weights that training starts from and the anchor that every loss is measured against."""
    from safety_assets.models.identity import identify
    from safety_assets.models.template import read_template, system_prompt_of
    from safety_assets.models.weights import inspect_weights

    sources, base = source_digests(ws, "base_model"), models.base(ws.project)

    def write(folder: Path) -> None:
        report = inspect_weights(base)
        write_json(folder, "model", {
            "identity": sources["model_files"], "anchor_identity": sources["anchor_files"],
            "parts": identify(base).parts, "system_prompt": system_prompt_of(read_template(base) or ""),
            "parameters": report.parameters, "num_non_finite": report.num_non_finite, "faults": list(report.faults),
        })  # fmt: skip

    artefact, cached = make(ws, "base_model", write, inputs=sources)
    model = artefact.json("model")
    shown = {name: model[name] for name in ("identity", "parts", "system_prompt", "parameters")}
    return made(ws, artefact, cached, {**shown, "weights": base})


def identified(folder: Path, recorded: str, asset: str) -> Path:
    """A model folder of the project, identified again before it is used.

    Raises:
        ModelError: its files are not those that were recorded.
    """
    now = model_digest(folder)
    if now != recorded:
        raise ModelError(
            f"the weights in {folder} are {now[:12]}",
            expected=f"{recorded[:12]}, as {asset} recorded them",
            do=f"materialize {asset} again, and what depends on it",
        )
    return folder


def base_folder(ws: Workspace, artefact: Artefact) -> Path:
    """The folder of the weights that training starts from; ModelError when they are not the recorded ones."""
    return identified(models.base(ws.project), artefact.json("model")["identity"], "base_model")


def anchor_folder(ws: Workspace, artefact: Artefact) -> Path:
    """The folder of the originally aligned weights; ModelError when they are not the recorded ones."""
    return identified(models.anchor(ws.project), artefact.json("model")["anchor_identity"], "base_model")


def pretrained_folder(ws: Workspace, artefact: Artefact | None) -> Path | None:
    """The folder of the unaligned ancestor, where the project names one."""
    folder = models.pretrained(ws.project)
    if folder is None or artefact is None:
        return None
    return identified(folder, artefact.json("model")["identity"], "pretrained_model")


def probe_suite(ws: Workspace) -> Made:
    """The frozen probes in three disjoint splits."""

    def write(folder: Path) -> None:
        write_frame(folder, "probes", read_probes(ws.project.probes), PROBES)
        written_for = read_suite(ws.project.probes).written_for
        write_json(folder, "suite", {"written_for": written_for, "models_made_by": models.makers(ws.project)})

    artefact, cached = make(ws, "probe_suite", write, inputs=source_digests(ws, "probe_suite"))
    counts = artefact.frame("probes", PROBES).pivot(
        "split", index="dimension", aggregate_function="len", values="probe_id"
    )
    return made(ws, artefact, cached, {"probes": artefact.frame("probes", PROBES).height, "by_split": counts})


def baseline_responses(ws: Workspace) -> Made:
    """What the anchor says to the gate probes and the task set; some of it twice."""
    inputs = take(ws, "baseline_responses")

    def write(folder: Path) -> Mapping[str, object]:
        model = remembered(ws, local(ws, anchor_folder(ws, inputs["base_model"])))
        probes = gate_probes(inputs["probe_suite"])
        write_answers(ws, folder, model, probes, inputs["task_set"].frame("tasks", TASKS))
        again = ask(repeated(probes), model.live, max_new_tokens=ws.project.settings.max_new_tokens)
        write_frame(folder, "repeat", again, RESPONSES)
        return {}

    sources = source_digests(ws, "baseline_responses")
    artefact, cached = make(ws, "baseline_responses", write, inputs=digests(inputs) | sources)
    return made(ws, artefact, cached, {"responses": artefact.frame("responses", RESPONSES).height})


def gate_probes(suite: Artefact) -> pl.DataFrame:
    """The probes that baseline and candidates are scored on."""
    return suite.frame("probes", PROBES).filter(pl.col("split") == "gate")


def write_answers(ws: Workspace, folder: Path, model: Answerer, probes: pl.DataFrame, tasks: pl.DataFrame) -> None:
    """Write `responses` to the probes and `task_responses` to the tasks."""
    metric, length = ws.project.settings.task_metric, ws.project.settings.max_new_tokens
    write_frame(folder, "responses", ask(probes, model, max_new_tokens=length), RESPONSES)
    write_frame(folder, "task_responses", ask_tasks(tasks, model, metric, max_new_tokens=length), RESPONSES)


def safety_baseline(ws: Workspace) -> Made:
    """The anchor's score per dimension with intervals."""
    inputs = take(ws, "safety_baseline")

    def write(folder: Path) -> None:
        responses = inputs["baseline_responses"].frame("responses", RESPONSES)
        probes = gate_probes(inputs["probe_suite"])
        scores = judge(probes, responses)
        write_frame(folder, "scores", scores, SCORES)
        write_json(folder, "judge", judge_record())
        write_frame(folder, "dimension_scores", summarise(scores, DIMENSIONS), DIMENSION_SCORES)
        write_readings(folder, probes, responses, scores)

    artefact, cached = make(ws, "safety_baseline", write, inputs=digests(inputs))
    told = readings_shown(artefact) | saturated_shown(artefact.frame("scores", SCORES))
    return made(ws, artefact, cached, scores_shown(artefact) | told)


def scores_shown(artefact: Artefact) -> dict[str, object]:
    """Numeric score per dimension, the table, and over-refusal."""
    table = artefact.frame("dimension_scores", DIMENSION_SCORES).filter(pl.col("slice") == "seen")
    numbers = {f"score/{name}": score for name, score in table.select("dimension", "score").iter_rows()}
    refused = over_refusal(artefact.frame("scores", SCORES))
    shown = {**numbers, "over_refusal": refused["rate"], "scores": table.drop("slice", "metrics")}
    return shown | {"judge": judge_told(artefact.json("judge"))}


def judge_told(record: Mapping[str, object]) -> str:
    """How the judge of refusals did on answers that people labelled."""
    figures = ", ".join(f"{name} {record[name]}" for name in ("accuracy", "sensitivity", "specificity", "n"))
    return f"{record['judge']}: {figures} ({record['on']})"


def whole_scores(artefact: Artefact) -> dict[str, float]:
    """Dimension to score; an unscored dimension is left out."""
    table = artefact.frame("dimension_scores", DIMENSION_SCORES).filter(pl.col("slice") == "seen")
    return {name: score for name, score in table.select("dimension", "score").iter_rows() if score is not None}


def safety_anatomy(ws: Workspace) -> Made:
    """Where safety lives in this model: refusal direction, safety layers, safety tokens, neurons."""
    inputs = take(ws, "safety_anatomy")

    def write(folder: Path) -> None:
        from safety_assets.methods.anatomy import describe
        from safety_assets.methods.anatomy_files import write_anatomy
        from safety_assets.models.load import load_model

        settings = ws.project.settings
        base = load_model(base_folder(ws, inputs["base_model"]), device=settings.device, threads=settings.threads)
        ancestor = pretrained_folder(ws, inputs.get("pretrained_model"))
        pretrained = load_model(ancestor, device=settings.device) if ancestor else None
        pairs = inputs["refusal_pairs"].frame("pairs", PAIRS)
        refused, complied = anatomy_prompts(pairs)
        refusals = pairs.filter(kind="refusal")["messages"].to_list()
        anatomy = describe(base, pretrained, refused, complied, refusals, _prompts(pairs, "lookalike"))
        write_anatomy(folder, anatomy)

    artefact, cached = make(ws, "safety_anatomy", write, inputs=digests(inputs))
    return made(ws, artefact, cached, _anatomy_shown(artefact.json("anatomy")))


def anatomy_prompts(pairs: pl.DataFrame) -> tuple[list[list[dict[str, str]]], list[list[dict[str, str]]]]:
    """The prompts that an anatomy is read from: those to be refused, and those to be answered; spread over all."""
    refused, alike, plain = (_prompts(pairs, kind) for kind in ("refusal", "lookalike", "anchor"))
    return _spread(refused), [*_spread(alike), *_spread(plain)]


def _spread(chats: list[list[dict[str, str]]]) -> list[list[dict[str, str]]]:
    return chats[:: max(1, -(-len(chats) // READ_PROMPTS))]


def _prompts(pairs: pl.DataFrame, *kinds: str) -> list[list[dict[str, str]]]:
    """The chats of pairs of these kinds, without the answer."""
    return [chat[:-1] for chat in pairs.filter(pl.col("kind").is_in(kinds))["messages"].to_list()]


def _anatomy_shown(anatomy: dict) -> dict[str, object]:
    curve = {"separation": list(enumerate(anatomy["separation"]))}
    tokens = ", ".join(entry["token"] for entry in anatomy["safety_tokens"]) or anatomy["tokens_absent_because"]
    chance = [(i, anatomy["gap_noise"]) for i in range(len(anatomy["gap"]))]
    gap = {"malicious from normal": list(enumerate(anatomy["gap"])), "by chance": chance}
    neurons = [layer for layer, _, _ in anatomy["neurons"]]
    per_layer = [(i, neurons.count(i)) for i in range(len(anatomy["separation"]))]
    return {
        "best_separation": max(anatomy["separation"]),
        "safety_layers": anatomy["safety_layers"],
        "safety_layers_found_by": anatomy["layers_found_by"],
        "safety_tokens": tokens,
        "token_mass": anatomy["token_mass"],
        "separation": Svg(partial(plots.line, curve, "Refused from answered", "layer", "AUC")),
        "angular_gap": Svg(partial(plots.line, gap, "Angle between kinds of prompts", "layer", "radians")),
        "neurons_per_layer": Svg(
            partial(plots.line, {"neurons": per_layer}, "Most telling neurons", "layer", "number")
        ),
        "neurons": pl.DataFrame(anatomy["neurons"], schema=NEURONS, orient="row"),
    }
