"""Figures that a policy may ask for beside the scores: exposure of canaries, consistency of verdicts, cost of serving.

Base and candidate are asked on the same machine in the same run. What the policy does not ask for is not measured; what
could not be measured says why, and refuses where there is a demand on it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from safety_assets.errors import EvaluationError, SafetyAssetsError
from safety_assets.evals.ask import Chat
from safety_assets.evals.cost import ANSWERED, SERVING, serving, some_questions
from safety_assets.evals.exposure import EXPOSURES, canaries, exposures, summary
from safety_assets.evals.remembered import Told
from safety_assets.figure_specs import Consistency, Exposure, Serving
from safety_assets.flows import consistency
from safety_assets.flows.asking import local, open_generator
from safety_assets.flows.consistency import Drawn, compared, rated
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy
from safety_assets.records import Table, Verdict
from safety_assets.release.verdicts import consistency_budget, exposure_budget, serving_budget
from safety_assets.store import Artefact, write_frame, write_json

if TYPE_CHECKING:
    from safety_assets.models.generate import Generator

SIDES = ("base", "candidate")
TABLES: Mapping[str, Table] = {"exposures": EXPOSURES, **consistency.TABLES, "serving": SERVING}
HIDDEN = ("ratings_base", "ratings_candidate")
"""Tables that are kept and not shown: one row per answer."""
BUDGETS = ("exposure_budget", "consistency_budget", "serving_budget")
"""Names of the verdicts."""


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Args:
        tables: of TABLES those that were asked for and measured.
        absent: exposures, consistency or serving to why it could not be measured.
    """

    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Pair:
    """Both models, opened when they are first asked."""

    ws: Workspace
    base: Path
    candidate: Path

    @cached_property
    def generators(self) -> "dict[str, Generator]":
        quiet: Told = lambda done, of: None  # noqa: E731
        return {side: open_generator(self.ws, getattr(self, side), quiet) for side in SIDES}


def measured(ws: Workspace, policy: Policy, base: Path, candidate: Path, probes: pl.DataFrame) -> Figures:
    """What the policy asks for.

    Args:
        policy: says what is measured, and how much of it.
        base, candidate: complete model folders.
        probes: PROBES of the gate.
    """
    both = _Pair(ws, base, candidate)
    wanted: dict[str, Callable[[], Mapping[str, pl.DataFrame]]] = {}
    if rule := policy.exposure:
        wanted["exposures"] = lambda: {"exposures": _exposures(both, rule, probes)}
    if drawn := policy.consistency:
        wanted["consistency"] = lambda: _consistency(both, policy, drawn, probes)
    if policy.serving.budgets:
        wanted["serving"] = lambda: {"serving": _serving(both, policy.serving, probes)}
    return tried(ws, wanted)


def tried(ws: Workspace, wanted: Mapping[str, Callable[[], Mapping[str, pl.DataFrame]]]) -> Figures:
    """What can be measured of what is wanted, by name; what cannot says why."""
    tables, absent = dict[str, pl.DataFrame](), dict[str, str]()
    for name, measure in wanted.items():
        ws.report({"event": "measuring", "of_what": name})
        try:
            tables |= measure()
        except (SafetyAssetsError, ValueError, RuntimeError, MemoryError) as error:  # a reason, where it is demanded
            absent[name] = str(error)
    return Figures(tables, absent)


def write_figures(folder: Path, found: Figures) -> None:
    """Write each table, and what is absent; nothing where nothing was asked for."""
    for name, table in found.tables.items():
        write_frame(folder, name, table, TABLES[name])
    if found.absent:
        write_json(folder, "figures_absent", dict(found.absent))


def read_figures(artefact: Artefact) -> Figures:
    """The figures that an `eval_scores` holds."""
    there = [name for name in TABLES if (artefact.path / f"{name}.parquet").is_file()]
    absent = artefact.json("figures_absent") if (artefact.path / "figures_absent.json").is_file() else {}
    return Figures({name: artefact.frame(name, TABLES[name]) for name in there}, absent)


def figure_verdicts(found: Figures | None, policy: Policy) -> dict[str, Verdict]:
    """One verdict for each figure that the policy demands something of.

    Args:
        found: what was measured; None where nothing was.
    """
    known, verdicts = found or Figures(), dict[str, Verdict]()
    rule = policy.exposure
    if rule is not None and (rule.max_bits, rule.max_worst_bits) != (None, None):
        table = known.tables.get("exposures")
        told = _absent(known, "exposures") if table is None else summary(table)
        verdicts["exposure_budget"] = exposure_budget(told, rule)
    if policy.consistency is not None and policy.consistency.demands:
        steady = known.tables.get("consistency")
        given = _absent(known, "consistency") if steady is None else steady
        verdicts["consistency_budget"] = consistency_budget(given, policy.consistency, policy.probes)
    if policy.serving.budgets:
        cost = known.tables.get("serving")
        verdicts["serving_budget"] = serving_budget(_absent(known, "serving") if cost is None else cost, policy.serving)
    return verdicts


def figures_shown(found: Figures) -> dict[str, Any]:
    """Tables, and of exposure the numbers; why what was asked for is absent."""
    shown: dict[str, Any] = {name: table for name, table in found.tables.items() if name not in HIDDEN}
    if "exposures" in shown:
        said: Mapping[str, Any] = summary(shown["exposures"])
        shown |= {f"exposure/{side}": said[side].get("mean") for side in (*SIDES, "gained")}
        shown |= {f"exposure/{name}": said[name] for name in ("num_canaries", "chance_mean", "chance_worst")}
    return shown | {f"{name}_absent_because": why for name, why in found.absent.items()}


def _absent(found: Figures, name: str) -> dict[str, str] | None:
    return {"absent_because": found.absent[name]} if name in found.absent else None


def _exposures(both: _Pair, rule: Exposure, probes: pl.DataFrame) -> pl.DataFrame:
    from safety_assets.models.sampled import summed_logprobs

    def of(generator: "Generator") -> Callable[[Sequence[Chat], Sequence[Sequence[str]]], list[list[float]]]:
        return lambda chats, answers: summed_logprobs(generator, chats, answers)

    found = canaries(probes, rule.canaries)
    sides = {side: of(generator) for side, generator in both.generators.items()} if len(found) else {}
    return exposures(found, sides, samples=rule.samples, answer=rule.answer)


def _consistency(both: _Pair, policy: Policy, rule: Consistency, probes: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Of both models, which are opened only for what they were not asked before."""

    def of(side: str) -> pl.DataFrame:
        target = replace(local(both.ws, getattr(both, side)), open=lambda told: both.generators[side])
        return rated(both.ws, rule, policy.judges, probes, Drawn(both.ws, target))

    return compared({side: of(side) for side in SIDES})


def _serving(both: _Pair, rule: Serving, probes: pl.DataFrame) -> pl.DataFrame:
    chats = some_questions(probes, rule.prompts)["messages"].to_list()
    if not chats:
        raise EvaluationError("no gate probe is answered in words", do="add probes")
    answered = _by_turns(both, chats, rule.repeats)
    memory = tuple(_memory(both, side, chats) for side in SIDES)
    size = tuple(_bytes_in(getattr(both, side)) for side in SIDES)
    return serving(answered, (memory[0], memory[1]), (size[0], size[1]))


def _by_turns(both: _Pair, chats: Sequence[Chat], repeats: int) -> pl.DataFrame:
    """Each prompt alone, both sides after one another, who begins changing each time; the quickest answer counts."""
    generators, longest = both.generators, both.ws.project.settings.max_new_tokens
    on_cpu = generators["base"].loaded.device.type == "cpu"
    clock = time.process_time if on_cpu else time.perf_counter
    best: dict[tuple[int, str], tuple[float, int]] = {}
    for side in SIDES:
        generators[side].generate(chats[:1], longest)  # the first answer pays for what is set up once
    for turn in range(repeats):
        for place, chat in enumerate(chats):
            for side in SIDES if (turn + place) % 2 else reversed(SIDES):
                began = clock()
                (said,) = generators[side].generate([chat], longest)
                seconds = clock() - began
                best[place, side] = min(best.get((place, side), (seconds, said.num_tokens)), (seconds, said.num_tokens))
    return ANSWERED.frame([
        {"prompt": place, "side": side, "seconds": seconds, "tokens": tokens}
        for (place, side), (seconds, tokens) in best.items()
    ])  # fmt: skip


def _memory(both: _Pair, side: str, chats: Sequence[Chat]) -> int:
    """Bytes of weights and buffers; on a GPU with what answering takes at most on top."""
    import torch

    generator = both.generators[side]
    model, device = generator.loaded.model, generator.loaded.device
    tensors = {t.data_ptr(): t for t in (*model.parameters(), *model.buffers())}
    held = sum(t.numel() * t.element_size() for t in tensors.values())
    if device.type != "cuda":
        return held
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    generator.generate(chats, both.ws.project.settings.max_new_tokens)
    return held + int(torch.cuda.max_memory_allocated(device)) - before


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
