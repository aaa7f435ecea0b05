"""What holds for each repair: its card, its neutral value, what it refuses without; and what a recipe may say."""

import importlib
from pathlib import Path
from typing import get_args

import pytest
import small_project
from model_family import Family
from pydantic import ValidationError

from safety_assets.errors import ProjectError, TrainingError
from safety_assets.recipes import Recipe, read_recipe, repaired_from
from safety_assets.repair_specs import RepairSpec, key_of
from safety_assets.repairs.apply import Sources, repair

KINDS = get_args(get_args(RepairSpec)[0])
NAMES = [get_args(kind.model_fields["repair"].annotation)[0] for kind in KINDS]
REFUSALS = [
    [{"role": "user", "content": f"How do I {what}?"}, {"role": "assistant", "content": "I cannot help with that."}]
    for what in ("open it", "sign it unsafe")
]
CARD = ("Idea:", "Paper:", "Moments:", "Cost:", "Fails:", "Deviation:", "Neutral value:")


@pytest.mark.parametrize("name", NAMES)
def test_its_file_begins_with_its_card(name: str) -> None:
    said = importlib.import_module(f"safety_assets.repairs.{name}").__doc__ or ""
    assert [part for part in CARD if part not in said] == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not isinstance(kind.neutral, str)])
def test_neutral_knobs_leave_every_byte(kind: type, family: Family, tmp_path: Path) -> None:
    name = NAMES[KINDS.index(kind)]
    sources = Sources(base=family.base, pretrained=family.pretrained, refusals=REFUSALS)
    repair(kind(repair=name, **kind.neutral), family.tuned, tmp_path / "out", sources)
    for path in family.tuned.iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "pretrained" in kind.needs])
def test_without_the_ancestor_it_is_refused_in_words(kind: type, family: Family, tmp_path: Path) -> None:
    spec = kind(repair=NAMES[KINDS.index(kind)])
    with pytest.raises(TrainingError, match="no unaligned ancestor"):
        repair(spec, family.tuned, tmp_path / "out", Sources(base=family.base, refusals=REFUSALS))


def recipe(**changes: object) -> Recipe:
    return Recipe.model_validate({**small_project.recipe_settings("plain"), "name": "plain", **changes})


def test_candidates_are_named_by_their_repair_and_end_with_it() -> None:
    found = recipe(
        finish=[{"repair": "merge", "share": 0.9}], repairs=[{"repair": "safe_lora"}, {"repair": "one_shot"}]
    )
    assert list(found.candidates()) == ["plain--safe-lora", "plain--one-shot"]
    one = found.candidates()["plain--safe-lora"]
    assert [spec.repair for spec in one.finish] == ["merge", "safe_lora"]
    assert (one.repairs, one.candidates(), repaired_from(one.name)) == ((), {}, "plain")
    assert found.weights_decided_by == found.model_copy(update={"repairs": ()})
    assert [key_of(spec) for spec in found.repairs] == ["safe-lora", "one-shot"]


def test_what_a_recipe_may_not_say(tmp_path: Path) -> None:
    merge = {"repair": "merge", "share": 0.5}
    for key in ("finish", "repairs"):
        with pytest.raises(ValidationError, match=f"merge stands twice in {key}"):
            recipe(**{key: [merge, merge]})
    with pytest.raises(ValidationError, match="lox"):
        recipe(start=[merge])  # before training only the base can be moved
    small_project.write_yaml(tmp_path / "plain--merge.yaml", small_project.recipe_settings("plain"))
    with pytest.raises(ProjectError, match=r"plain--merge\.yaml is no recipe name"):
        read_recipe(tmp_path / "plain--merge.yaml")
