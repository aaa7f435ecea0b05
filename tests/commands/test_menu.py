"""Help that teaches: groups, examples that were tried, exit codes, near names, version."""

import json
import shlex
import shutil
from importlib import metadata
from pathlib import Path

import command_tree
import lm_eval_runs
import pytest
import small_project
import small_scores
from typer.main import get_command
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.commands.menu import FILES, GATE, LOOK, MENU, RUN, START, WORKED, Entry
from safety_assets.evals.answer_files import read_labelled
from safety_assets.evals.refitted import fit_judge
from safety_assets.evals.review import review
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE
from safety_assets.records import VERDICTS

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes

ELSEWHERE = ("plan", "run", "init", "demo")
"""Commands whose calls take long and are made in tests of their own; here their words are read."""


@pytest.fixture(scope="module")
def folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which every name of the examples stands for something."""
    made = small_project.write_project(tmp_path_factory.mktemp("menu") / "project", tiny_model)
    shutil.copyfile(made / "corpus" / "rows.jsonl", made / "rows.jsonl")
    (made / "release.json").write_text("{}")
    (made / "sheet.csv").write_text("row_id,draw,label,who\n")
    for name in ("model", "my-checkpoint"):
        shutil.copytree(tiny_model, made / name)
    lm_eval_runs.write(made / "results", 60)
    for name in ("base", "tuned", "again"):
        small_scores.write_scores(made / f"{name}.parquet", "tuned" if name == "tuned" else "base")
    answers = [
        {"id": i, "prompt": f"p{i // 2}", "completion": ("I can't help.", "It is two.")[i % 2]} for i in range(20)
    ]
    labels = [{**row, "label": ("refusal", "compliance")[i % 2]} for i, row in enumerate(answers)]
    for file, rows in (("answers.jsonl", answers), ("labels.jsonl", labels)):
        (made / file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    verdicts = VERDICTS.frame([{"id": str(i), "verdict": "compliance", "judge": "x"} for i in range(20)])
    for name in ("ours", "theirs"):
        verdicts.write_parquet(made / f"{name}.parquet")
    review(answers, [verdicts, verdicts], sample=1).write_csv(made / "review.csv")
    fit_judge(read_labelled(made / "labels.jsonl")).save(made / "judge.json")
    return made


@pytest.fixture
def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)
    monkeypatch.chdir(folder)
    return folder


def words(example: str) -> list[str]:
    """An example as the shell hands it over."""
    first, *rest = shlex.split(example.replace("\\\n", " "), comments=True)
    assert first == "safety-assets"
    return rest


EXAMPLES = [(entry, example) for entry in MENU for example in entry.examples if example.startswith("safety-assets ")]


def test_the_menu_holds_every_command_and_no_other() -> None:
    groups = {entry.name.split()[0] for entry in MENU if " " in entry.name}
    assert {entry.name for entry in MENU} == set(command_tree.leaves()) | groups


@pytest.mark.parametrize("entry", MENU, ids=lambda entry: entry.name.replace(" ", "-"))
def test_help_shows_examples_and_exit_codes(entry: Entry, project: Path) -> None:
    result = CliRunner().invoke(app, [*entry.name.split(), "--help"])
    assert result.exit_code == 0
    for line in (*entry.examples[0].splitlines(), *entry.exits):
        assert line.strip() in result.stdout
    codes = [int(said.split()[0]) for said in entry.exits]
    assert codes == sorted(set(codes)), "each exit code once"
    assert {0, 2} <= set(codes)


@pytest.mark.parametrize(("entry", "example"), EXAMPLES, ids=lambda value: getattr(value, "name", value))
def test_the_examples_are_calls_that_can_be_made(entry: Entry, example: str, project: Path) -> None:
    called = words(example)
    assert called[: len(entry.name.split())] == entry.name.split() or " " not in entry.name
    front = get_command(app)
    with front.make_context("safety-assets", called) as ctx:
        _, command, rest = front.resolve_command(ctx, called)
        while getattr(command, "commands", None):
            command, rest = command.commands[rest[0]], rest[1:]
        command.make_context(entry.name, rest, parent=ctx)


@pytest.mark.parametrize(
    ("entry", "example"),
    [(entry, example) for entry, example in EXAMPLES if entry.name not in ELSEWHERE],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_examples_end_as_their_exit_codes_say(entry: Entry, example: str, project: Path) -> None:
    for left in (project / "recipes" / "nightly.yaml", project / "workspace.yaml"):
        left.unlink(missing_ok=True)
    result = CliRunner().invoke(app, words(example))
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code in {int(said.split()[0]) for said in entry.exits} - {2}, result.output


def test_help_groups_the_commands_and_works_three_examples(project: Path) -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    places = [shown.index(f"─ {panel} ─") for panel in (START, RUN, LOOK, GATE, FILES)]
    assert places == sorted(places)
    for entry in MENU:
        assert (entry.summary in shown) is (" " not in entry.name)
    assert len(WORKED) == 3
    for question, lines in WORKED:
        assert question in shown
        for line in lines:
            assert line in shown
            assert any(line in example for entry in MENU for example in entry.examples), line


def test_summaries_fit_a_line_of_a_terminal() -> None:
    longest = max(len(entry.name) for entry in MENU)
    for entry in MENU:
        assert longest + len(entry.summary) < 80, entry.name


def test_a_name_that_is_near_is_offered(project: Path) -> None:
    for called, near in (
        (["statsu"], "Did you mean 'status'?"),
        (["materialize", "raw_corpsu"], "did you mean raw_corpus?"),
        (["explain", "finetuned_chekpoint"], "did you mean finetuned_checkpoint?"),
        (["run", "protectd"], "did you mean protected?"),
        (["plan", "pln"], "did you mean plain?"),
        (["explain", "eval_scores", "--recipe", "plian"], "did you mean plain?"),
        (["status", "--jsn"], "Possible options: --json"),
    ):
        assert near in CliRunner().invoke(app, called).output, called


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"safety-assets {metadata.version('safety_assets')}\n")
