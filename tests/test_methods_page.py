"""The page of methods names every method and repair, and only bundled recipes, with the methods that they hold."""

import re
from pathlib import Path
from typing import get_args

from safety_assets.method_specs import MethodSpec
from safety_assets.recipes import read_recipe, recipe_files
from safety_assets.repair_specs import RepairSpec

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| `(\w+)` \| .* \| ([^|]*) \|$", re.MULTILINE)


def names(union: object, key: str) -> set[str]:
    return {get_args(kind.model_fields[key].annotation)[0] for kind in get_args(get_args(union)[0])}


def test_every_method_and_repair_has_its_row_and_the_recipes_hold_it() -> None:
    rows = dict(ROW.findall((ROOT / "docs" / "methods.md").read_text(encoding="utf-8")))
    methods, repairs = names(MethodSpec, "method"), names(RepairSpec, "repair")
    assert set(rows) == methods | repairs
    recipes = {name: read_recipe(path) for name, path in recipe_files(ROOT / "data" / "recipes").items()}
    for method in methods:
        shown = [name.strip() for name in rows[method].split(",")]
        assert all(method in {m.method for m in recipes[name].methods} for name in shown), method
    assert {method for recipe in recipes.values() for method in (m.method for m in recipe.methods)} == methods
