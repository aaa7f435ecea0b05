"""A digest of the code that a result depends on: some modules and all that they import, without comments and docs."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from safety_assets.store import digest_json

ROOT = Path(__file__).resolve().parents[1]
NAMES = (
    "recipes", "method_specs", "keeping_specs", "shaping_specs", "repair_specs", "monitor_specs", "method_places",
    "settings", "errors", "records", "schemas", "frames", "policy", "store", "exhaustion", "task_metric",
    "models.room", "training.preflight", "training.footprint", "training.pauses", "monitors.instrument",
    "flows.several_devices", "flows.side_by_side",
)  # fmt: skip
LIGHT = frozenset(f"safety_assets.{name}" for name in NAMES)
"""Modules that decide no number here: what a recipe says is in the digest of the recipe; forecasts, refusals in words
and pauses end a run or leave it as it is."""


def source_digest(modules: Iterable[str]) -> str:
    """Sixteen hex digits over the modules and all of this repository that they import, LIGHT apart."""
    return digest_json({name: _tree(path) for name, path in sorted(closure(modules).items())})[:16]


def closure(modules: Iterable[str]) -> dict[str, Path]:
    """Module to file: the given ones and what they import, at any depth, where it stands in this repository."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = None if name in found or name in LIGHT else _file(name)
        if path is not None:
            found[name] = path
            waiting += _imported(path)
    return found


def _file(name: str) -> Path | None:
    base = ROOT.joinpath(*name.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _tree(path: Path) -> str:
    """The code as a text, without strings that stand alone as statements."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_text(one)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
