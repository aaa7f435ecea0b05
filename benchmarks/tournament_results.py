"""What the tournament has measured so far: one line per cell and per cost in a JSON file, found again by its key.

A key is a digest of all that a line depends on, so that an interrupted tournament goes on, an unchanged cell is never
run again, and a changed recipe, corpus, base model or source makes a new line.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.source_digest import source_digest
from safety_assets.method_specs import MethodSpec
from safety_assets.recipes import Recipe
from safety_assets.store import canonical_json, digest_json, replace_text

SAID = ("name", "description", "seed", "monitor", "repairs")
"""What decides nothing here: seeds are the tournament's, nothing is watched, a repair to try is a cell of its own."""
RUN = ("benchmarks.tournament_cell",)
REPAIRED = ("benchmarks.tournament_repairs",)
TIMED = ("benchmarks.tournament_cost", "benchmarks.tournament_cell")


def content(recipe: Recipe) -> dict[str, object]:
    """What a recipe does. What it leaves empty is left out: a new kind of entry runs no old cell again."""
    values = recipe.model_dump(mode="json", exclude=set(SAID))
    return {name: value for name, value in values.items() if value not in (None, [], {})}


def cell_key(recipe: Recipe, seed: int, poison: float, inputs: Mapping[str, object]) -> str:
    """The key of one run.

    Args:
        inputs: digests of base model, ancestor, rows, probes, tasks and anatomy, and the calibrated share; what the
            recipe does not read (`anatomy`, `share`, `pretrained`) counts for nothing.
    """
    modules = (*RUN, *REPAIRED) if recipe.start or recipe.finish else RUN
    return _key(recipe, modules, {"seed": seed, "poison": poison, **inputs})


def trained_key(recipe: Recipe, seed: int, poison: float, inputs: Mapping[str, object]) -> str:
    """The key of the trained weights alone, which all repairs of them share."""
    return cell_key(recipe.model_copy(update={"finish": ()}), seed, poison, inputs)


def cost_key(recipe: Recipe, plain: Recipe, inputs: Mapping[str, object]) -> str:
    """The key of the price of a recipe over plain."""
    return _key(recipe, TIMED, {"plain": content(plain), **inputs})


def _key(recipe: Recipe, modules: tuple[str, ...], rest: Mapping[str, object]) -> str:
    unread = _unread(recipe)
    rest = {name: value for name, value in rest.items() if name not in unread}
    carried = [spec.carried_out_by.partition(":")[0] for spec in recipe.methods]
    return digest_json({"recipe": content(recipe), "code": source_digest([*modules, *carried]), **rest})[:16]


def _unread(recipe: Recipe) -> set[str]:
    """Inputs that this recipe's weights do not depend on."""
    unread = set() if recipe.injection == "calibrated" else {"share"}
    if not any({"anatomy", "safety_tokens"} & spec.needs or _where(spec) == "anatomy" for spec in recipe.methods):
        unread.add("anatomy")
    if not any("pretrained" in spec.needs for spec in (*recipe.start, *recipe.finish)):
        unread.add("pretrained")
    return unread


def _where(spec: MethodSpec) -> object:
    return getattr(spec, "layers", None)


@dataclass
class Results:
    """The file. Every line that is added is on disk when `add` returns."""

    path: Path
    lines: dict[str, dict[str, dict]] = field(default_factory=lambda: {"cells": {}, "costs": {}})

    @classmethod
    def open(cls, path: Path) -> "Results":
        """What the file holds; empty where there is none."""
        return cls(path, json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else cls(path)

    def add(self, kind: str, key: str, line: dict) -> None:
        """Keep one line (kind is `cells` or `costs`) in place of that of the same recipe, seed, poison, steps."""
        kept = {k: old for k, old in self.lines[kind].items() if _what(old) != _what(line)}
        self.lines[kind] = kept | {key: line}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(self.path, self.text())

    def text(self) -> str:
        """JSON with a line per cell, sorted by recipe, poison and seed: what changes is seen in a diff."""
        parts = [f'"{kind}": {{\n{_listed(found)}\n}}' for kind, found in sorted(self.lines.items())]
        return "{" + ",\n".join(parts) + "}\n"

    def seconds(self, recipe: str) -> float | None:
        """What a cell of this recipe took last, whatever else has changed since; None where none ran."""
        took = [x["train_seconds"] + x["score_seconds"] for x in self.lines["cells"].values() if x["recipe"] == recipe]
        return took[-1] if took else None


def _what(line: Mapping) -> tuple[object, ...]:
    return tuple(line.get(name) for name in ("recipe", "seed", "poison", "steps"))


def _listed(found: Mapping[str, dict]) -> str:
    order = sorted(
        found, key=lambda key: (found[key]["recipe"], found[key].get("poison", 0), found[key].get("seed", 0))
    )
    return ",\n".join(f"{json.dumps(key)}: {canonical_json(found[key])}" for key in order)
