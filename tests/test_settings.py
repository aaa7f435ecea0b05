"""The files users write: every fault is named with file, line and key."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from safety_assets.errors import ProjectError
from safety_assets.policy import Policy, probes_needed
from safety_assets.project import open_project
from safety_assets.recipes import read_recipe, recipe_files
from safety_assets.settings import read_settings

DATA = Path(__file__).parents[1] / "data"
PLAIN = (DATA / "recipes" / "plain.yaml").read_text()


def recipe(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("description: x\noptimiser:\n  learning_rate: fast\n  steps: 3\ninjection: none\n", r"mine.yaml:3: optimiser.learning_rate: .*number.*'fast'"),
        ("description: x\noptimiser: {learning_rate: 0.1, steps: 3}\ninjection: some\n", r"mine.yaml:3: injection"),
        ("description: x\noptimiser: {learning_rate: 0.1, steps: 3}\ninjection: none\nlearning_rate: 1\n", r"mine.yaml:4: learning_rate: unknown key"),
        ("description: x\noptimiser: {learning_rate: 0.1}\ninjection: none\n", r"mine.yaml:2: optimiser.steps: Field required"),
        ("description: x\noptimiser: {learning_rate: 0.1, steps: 3}\ninjection: none\nmethods:\n  - {method: prayer}\n", r"mine.yaml:5: methods.0: .*gradient_surgery"),
        ("description: x\noptimiser: {learning_rate: 0.1, steps: 3}\ninjection: none\nmethods: [{method: lora}, {method: lora}]\n", "lora stands twice"),
        ("description: [\n", "is not YAML"),
        ("- a\n- b\n", "holds list"),
        ("", "is not YAML|holds NoneType"),
        ("description: x\noptimiser: {learning_rate: .inf, steps: 3}\ninjection: none\n", r"learning_rate"),
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ProjectError, match=says):
        read_recipe(recipe(tmp_path, text))


def test_the_file_name_is_the_partition(tmp_path: Path) -> None:
    assert read_recipe(recipe(tmp_path, PLAIN, "nightly-7.yaml")).name == "nightly-7"
    with pytest.raises(ProjectError, match="no recipe name"):
        read_recipe(recipe(tmp_path, PLAIN, "Nightly 7.yaml"))
    with pytest.raises(ProjectError, match="says name: other"):
        read_recipe(recipe(tmp_path, PLAIN + "name: other\n"))
    with pytest.raises(ProjectError, match="holds no recipe"):
        recipe_files(tmp_path / "nowhere")


def test_a_recipe_is_frozen() -> None:
    found = read_recipe(DATA / "recipes" / "plain.yaml")
    with pytest.raises(ValueError, match="frozen"):
        found.seed = 3  # type: ignore[misc]


def policy_with(tmp_path: Path, change) -> Path:
    value = yaml.safe_load((DATA / "policy.yaml").read_text())
    change(value)
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(value))
    return path


KEY = "ed25519:" + base64.b64encode(b"k" * 32).decode()


def person(**changes: object) -> Callable[[dict], None]:
    return lambda value: value.update(people={"Ada": {"roles": ["model_owner"], "key": KEY, **changes}})


def two_with_one_key(value: dict) -> None:
    value["people"] = {name: {"roles": ["model_owner"], "key": KEY} for name in ("Ada", "Bo")}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda v: v["dimensions"].pop("privacy"), "missing or unknown: privacy"),
        (
            lambda v: v["dimensions"]["privacy"].update(rank="advisory"),
            r"policy.yaml: privacy is always critical, found advisory\. Do: correct",
        ),
        (
            lambda v: v["dimensions"]["fairness"].update(waiver={"who": "me", "why": "x", "until": "2030-01-01"}),
            "fairness.waiver: unknown key",
        ),
        (person(key="ed25519:" + base64.b64encode(bytes(32)).decode()), "people.Ada.key: this is a placeholder"),
        (person(key=KEY[:-2]), "people.Ada.key: expected ed25519: and 32 bytes"),
        (person(roles=["king"]), "people.Ada.roles.0"),
        (person(roles=[]), "people.Ada.roles"),
        (two_with_one_key, "Ada and Bo have one key"),
        (lambda v: v.update(sign_offs={"high": []}), "sign_offs.high"),
        (
            lambda v: v["dimensions"]["fairness"].update(certify_within=0.1, max_drop=0.1),
            "certify_within 0.1 needs 3427 probes",
        ),
        (lambda v: v["dimensions"]["fairness"].update(certify_within=0.3), "is under max_drop 0.5"),
        (lambda v: v["injection"].update(shares=[0.1, 0.2]), "at least 4 items"),
        (lambda v: v["injection"].update(shares=[0.3, 0.2, 0.1, 0.05]), "must ascend"),
        (lambda v: v["corpus"]["actions"].update(email="ignore"), "email"),
    ],
)
def test_a_wrong_policy_is_named(tmp_path: Path, change, says: str) -> None:
    with pytest.raises(ProjectError, match=says):
        read_settings(policy_with(tmp_path, change), Policy)


def test_probes_needed_grows_with_the_square_of_precision() -> None:
    assert probes_needed(0.4, 0.04) == pytest.approx(4 * probes_needed(0.8, 0.04), rel=0.02)


def test_a_project_is_found_by_folder_or_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_project(DATA).settings.name == "bundled"
    monkeypatch.setenv("SAFETY_ASSETS_PROJECT", str(tmp_path))
    with pytest.raises(ProjectError, match=r"holds no project.yaml.*set SAFETY_ASSETS_PROJECT"):
        open_project()
    with pytest.raises(ProjectError, match="no recipe luck.*plain"):
        open_project(DATA).recipe("luck")


def test_sharding_needs_devices(tmp_path: Path) -> None:
    settings = yaml.safe_load((DATA / "project.yaml").read_text()) | {"sharding": "fsdp"}
    (tmp_path / "project.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(ProjectError, match="set devices to 2 or more"):
        open_project(tmp_path)
    (tmp_path / "project.yaml").write_text(yaml.safe_dump(settings | {"devices": 2}))
    assert open_project(tmp_path).settings.sharding == "fsdp"
