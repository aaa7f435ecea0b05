"""What `init` says when a project is begun: what was found, what is missing, what to type next."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.markup import escape

from safety_assets.commands.terminal import complaints, console
from safety_assets.starter.base import ModelFacts
from safety_assets.starter.marking import as_setting
from safety_assets.starter.project import Wish
from safety_assets.starter.recipes import Size


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was found in what the user named.

    Args:
        model: of the base.
        rows, unreadable: of the corpus.
        items: tasks of the task set; None where rows of the corpus are held out.
        pairs: refusal pairs, those of the package included.
        probes: probes, all splits.
        warnings: what will not work yet or not well, in sentences.
    """

    model: ModelFacts
    rows: int
    unreadable: int
    items: int | None
    pairs: int
    probes: int
    warnings: tuple[str, ...]


def _next(wish: Wish) -> list[str]:
    """The next commands to type."""
    return [
        f"cd {shlex.quote(str(wish.folder))}", "safety-assets doctor", "safety-assets plan protected",
        "safety-assets run plain --smoke", "safety-assets run protected", "dagster dev -f definitions.py",
    ]  # fmt: skip


def document(wish: Wish, facts: Facts, size: Size, written: Sequence[Path]) -> dict:
    """Everything `init` knows, as plain values."""
    rule = wish.marking.rule
    return {
        "project": {"name": wish.name, "folder": str(wish.folder.resolve())},
        "files": [str(path.resolve()) for path in written],
        "facts": {
            "model": {"base": wish.model.base, "adapter": wish.model.adapter, **asdict(facts.model)},
            "corpus": {"rows": facts.rows, "unreadable": facts.unreadable},
            "tasks": {
                "items": facts.items, "held_out": facts.items is None, "metric": as_setting(wish.marking.metric),
                "answer": as_setting(rule) if rule else None, "why": wish.marking.why,
            },
            "refusal_pairs": facts.pairs,
            "probes": facts.probes,
            "recipes": {"steps": size.steps, "adapters": size.adapters},
        },
        "warnings": list(facts.warnings),
        "next": _next(wish),
    }  # fmt: skip


def show(wish: Wish, facts: Facts, size: Size) -> None:
    """The same for people."""
    for warning in facts.warnings:
        complaints.print(f"[yellow]warning[/yellow]   {escape(warning)}", soft_wrap=True)
    parameters = f"{facts.model.parameters:,} parameters{' (assumed)' if facts.model.later else ''}"
    tasks = "tasks held out of them" if facts.items is None else f"{facts.items:,} tasks"
    trained = "adapters" if size.adapters else "all weights"
    for line in (
        f"{wish.folder}: {parameters}, {facts.rows:,} rows, {tasks}.",
        f"Tasks are marked by {wish.marking.why}.",
        f"Recipes train {trained} for {size.steps:,} steps.",
        "",
        "Next:",
        *(f"  {line}" for line in _next(wish)),
    ):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
