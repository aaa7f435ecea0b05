"""A new project: every file it begins with is read back by the program's own readers."""

import itertools
import json
from pathlib import Path

import pytest
import yaml

from safety_assets import pools, suites
from safety_assets.corpus.names import FINDING_NAMES
from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.verdicts import every_category_covered, openings_vary
from safety_assets.datafiles import AnswerRule, DataFiles
from safety_assets.errors import CorpusError, ProjectError
from safety_assets.evals.probes import enough_probes_to_see_the_budget, read_probes
from safety_assets.policy import Policy, probes_needed
from safety_assets.project import STANDARD, AdaptedModel, Project
from safety_assets.recipes import Recipe, read_recipe
from safety_assets.settings import read_settings
from safety_assets.starter.base import NamedModel
from safety_assets.starter.law import ACTIONS, RULES, policy_values
from safety_assets.starter.marking import Marking
from safety_assets.starter.named import corpus_rows
from safety_assets.starter.places import EXAMPLE_PAIRS, pairs_readme
from safety_assets.starter.project import Wish, as_written, project_texts, write_project
from safety_assets.starter.recipes import LARGE, STARTERS, Size
from safety_assets.task_metric import AnyMetric, Exact, Numeric, ResponseLoss, Rouge

SMALL = Size(parameters=1_000_000, context=512, rows=1000)
BIG = Size(parameters=7 * LARGE, context=8192, rows=10_000)


def wish(folder: Path, risk: str = "moderate", **changed: object) -> Wish:
    named = {
        "name": "my-bank", "model": NamedModel(base="/m"), "corpus": ["/c.jsonl"], "task_set": "/t.jsonl", "risk": risk,
        "marking": Marking(metric=Exact(), rule=None, why="a test"),
    }  # fmt: skip
    return Wish(folder=folder, **{**named, **changed})


def begun(wished: Wish, size: Size) -> Project:
    """The project that was written."""
    return write_project(wished, size)[0]


@pytest.mark.parametrize("size", [SMALL, BIG], ids=["small", "big"])
@pytest.mark.parametrize("risk", RULES)
def test_every_template_reads_back(tmp_path: Path, risk: str, size: Size) -> None:
    project = begun(wish(tmp_path / "new", risk), size)
    assert project.settings.name == "my-bank"
    assert project.settings.asset_prefix == "my_bank"
    assert project.storage.is_relative_to(project.folder)
    assert project.policy().risk == risk
    assert list(project.recipe_files()) == sorted(STARTERS)
    for path in project.recipe_files().values():
        recipe = read_recipe(path)
        assert recipe.max_tokens <= size.context
        assert {"lora"} & {m.method for m in recipe.methods} == ({"lora"} if size is BIG else set())
        assert recipe.optimiser.learning_rate == (2e-4 if size is BIG else 2e-5)


def test_every_file_names_a_schema_that_is_there(tmp_path: Path) -> None:
    folder = begun(wish(tmp_path), SMALL).folder
    for path in (folder / "project.yaml", folder / "policy.yaml", *(folder / "recipes").glob("*.yaml")):
        first = path.read_text().splitlines()[0]
        schema = json.loads((path.parent / first.removeprefix("# yaml-language-server: $schema=")).read_text())
        assert set(yaml.safe_load(path.read_text())) <= set(schema["properties"])


def test_risk_tightens_the_law(tmp_path: Path) -> None:
    law = {
        r: read_settings(_written(tmp_path / r, r) / "policy.yaml", Policy) for r in ("research", "moderate", "high")
    }
    order = list(law.values())
    for loose, tight in itertools.pairwise(order):
        assert len(loose.demanded_roles) < len(tight.demanded_roles)
        assert loose.max_over_refusal > tight.max_over_refusal
        for name, rule in tight.dimensions.items():
            assert rule.certify_within < loose.dimensions[name].certify_within
            assert rule.floor >= loose.dimensions[name].floor
    assert law["high"].dimensions["safety"].max_drop == "any"


def _written(folder: Path, risk: str) -> Path:
    return begun(wish(folder, risk), SMALL).folder


def test_demanded_probes_resolve_the_budgets() -> None:
    for risk in RULES:
        policy = Policy.model_validate(yaml.safe_load(project_texts(wish(Path("x"), risk), SMALL)["policy.yaml"]))
        needed = max(probes_needed(rule.certify_within, policy.probes.flip_rate) for rule in policy.dimensions.values())
        assert policy.probes.min_gate_probes >= needed


@pytest.mark.parametrize("risk", RULES)
def test_the_standard_probes_are_enough_for_every_risk(risk: str) -> None:
    policy = Policy.model_validate(yaml.safe_load(project_texts(wish(Path("x"), risk), SMALL)["policy.yaml"]))
    verdict = enough_probes_to_see_the_budget(read_probes(suites.STANDARD), policy)
    assert verdict.passed, verdict.reasons


def test_every_finding_has_an_action() -> None:
    assert set(ACTIONS) == set(FINDING_NAMES)


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("mine\n")
    with pytest.raises(ProjectError, match=r"policy\.yaml exists.*nothing is overwritten"):
        begun(wish(tmp_path), SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["policy.yaml"]
    assert (tmp_path / "policy.yaml").read_text() == "mine\n"


def test_a_name_that_cannot_be_one_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"'A!' is no project name.*--name"):
        begun(wish(tmp_path / "new", name="A!"), SMALL)
    assert not (tmp_path / "new").exists()


def test_paths_stay_absolute_or_become_relative_to_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert as_written("/data/model", tmp_path / "new") == "/data/model"
    assert as_written("rows.jsonl", tmp_path / "new") == "../rows.jsonl"
    assert as_written("new/rows.jsonl", Path("new")) == "rows.jsonl"
    assert (Path("new") / as_written("rows.jsonl", Path("new"))).resolve() == tmp_path / "rows.jsonl"


def test_the_example_pairs_are_pairs_and_the_place_says_so(tmp_path: Path) -> None:
    folder = begun(wish(tmp_path), SMALL).folder / "refusals"
    with pytest.raises(CorpusError, match=r"holds no refusal pairs.*README\.md.*refusal_pairs: standard"):
        read_pairs([DataFiles(path=folder)])
    lines = [line for line in pairs_readme().splitlines() if line.startswith("{")]
    (folder / "pairs.jsonl").write_text("\n".join(lines))
    assert read_pairs([DataFiles(path=folder)]).rows["kind"].to_list() == [row["kind"] for row in EXAMPLE_PAIRS]


@pytest.mark.parametrize("risk", RULES)
def test_a_new_project_takes_the_pairs_of_the_package_and_they_are_enough(tmp_path: Path, risk: str) -> None:
    project = begun(wish(tmp_path / "new", risk), SMALL)
    assert project.settings.refusal_pairs == STANDARD
    found, rule = read_pairs(project.refusal_pairs), project.policy().injection
    assert every_category_covered(found.rows, found.quarantine, rule).passed
    assert openings_vary(found.rows, rule).passed
    assert set(rule.categories) == set(found.rows.filter(kind="refusal")["category"])


def test_a_new_project_takes_the_standard_probes_of_the_package(tmp_path: Path) -> None:
    project = begun(wish(tmp_path / "new"), SMALL)
    assert project.settings.probes == STANDARD
    assert project.probes == suites.STANDARD


def test_what_is_named_is_looked_at(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    (tmp_path / "rows.jsonl").write_text(json.dumps({"messages": turns}) + "\nno JSON\n")
    assert corpus_rows([tmp_path / "rows.jsonl"]) == (1, 1)


def test_every_choice_stands_in_the_file(tmp_path: Path) -> None:
    hub = f"org/name@{'0' * 40}"
    (tmp_path / "words.jinja").write_text("{{ messages }}")
    pairs = tmp_path / "pairs.jsonl"
    marking = Marking(metric=Numeric(tolerance=0.5), rule=AnswerRule(after="####"), why="a test")
    template = str(tmp_path / "words.jinja")
    model = NamedModel(base=hub, adapter=str(tmp_path), chat_template=template, system_prompt="One.\nTwo: 'a'.")
    places = {"task_set": None, "probes": str(tmp_path / "probes"), "refusal_pairs": [STANDARD, str(pairs)]}
    chosen = wish(tmp_path / "new", model=model, marking=marking, **places)
    project = begun(chosen, SMALL)
    settings = project.settings
    assert settings.base_model == AdaptedModel(base=hub, adapter=str(tmp_path))
    assert (settings.task_set, settings.task_metric, settings.task_answer) == (None, marking.metric, marking.rule)
    assert settings.system_prompt == "One.\nTwo: 'a'."
    assert project.path(settings.chat_template) == tmp_path / "words.jinja"
    assert project.probes == tmp_path / "probes"
    assert [files.path for files in project.refusal_pairs] == [pools.STANDARD, pairs]


@pytest.mark.parametrize("metric", [Rouge(), ResponseLoss()])
def test_a_figure_of_degree_must_be_gained(metric: AnyMetric) -> None:
    assert policy_values("research", metric)["task"]["floor"] == 0
    assert policy_values("research", metric)["task"]["min_gain"] > 0
    assert policy_values("research", Exact())["task"]["floor"] > 0


def test_three_passes_over_the_corpus() -> None:
    assert Size(parameters=1, context=1, rows=1600).steps == 300
    assert Size(parameters=1, context=1, rows=3).steps == 50
    assert Recipe.model_validate(yaml.safe_load(project_texts(wish(Path("x")), SMALL)["recipes/plain.yaml"]))
