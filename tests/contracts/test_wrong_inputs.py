"""Wrong inputs of every kind end in a sentence that names the place and the remedy, never in a traceback."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import small_project
import yaml
from safetensors.numpy import save_file
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE

Spoil = Callable[[Path], object]


@dataclass(frozen=True)
class Wrong:
    """One wrong input.

    Args:
        name: what is wrong.
        spoil: makes it wrong in a project's folder.
        words: the command that meets it.
        place: what the message must name: file and line, key, or argument.
    """

    name: str
    spoil: Spoil
    words: str
    place: str


def value(file: str, *keys: str | int, to: object) -> Spoil:
    """Set one key of a YAML file."""

    def spoil(folder: Path) -> None:
        whole = yaml.safe_load((folder / file).read_text())
        part = whole
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = to
        small_project.write_yaml(folder / file, whole)

    return spoil


def without(file: str, *keys: str) -> Spoil:
    """Remove one key of a YAML file."""

    def spoil(folder: Path) -> None:
        whole = yaml.safe_load((folder / file).read_text())
        part = whole
        for key in keys[:-1]:
            part = part[key]
        del part[keys[-1]]
        small_project.write_yaml(folder / file, whole)

    return spoil


def text(file: str, content: str | bytes) -> Spoil:
    """Replace a file."""
    data = content if isinstance(content, bytes) else content.encode()
    return lambda folder: (folder / file).write_bytes(data)


def line(file: str, **changed: object) -> Spoil:
    """Replace a JSONL file by its first line with some keys changed; None removes a key."""

    def spoil(folder: Path) -> None:
        row = json.loads((folder / file).read_text().splitlines()[0]) | changed
        small_project.write_lines(folder / file, [{k: v for k, v in row.items() if v is not None}])

    return spoil


def gone(file: str) -> Spoil:
    """Remove a file or folder."""

    def spoil(folder: Path) -> None:
        path = folder / file
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return spoil


def folder_instead(file: str) -> Spoil:
    """A folder where a file should be."""

    def spoil(folder: Path) -> None:
        (folder / file).unlink()
        (folder / file).mkdir()

    return spoil


def nothing(folder: Path) -> None:
    """Leave the project as it is."""


PROJECT, POLICY, RECIPE = "project.yaml", "policy.yaml", "recipes/plain.yaml"
CORPUS, PAIRS, TASKS, PROBES = "corpus/rows.jsonl", "refusals/pairs.jsonl", "tasks.jsonl", "probes/gate/safety.jsonl"
USER, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}

CASES = [
    # the project file
    Wrong("project gone", gone(PROJECT), "status", "holds no project.yaml"),
    Wrong("project a folder", folder_instead(PROJECT), "status", "holds no project.yaml"),
    Wrong("project empty", text(PROJECT, ""), "status", PROJECT),
    Wrong("project no YAML", text(PROJECT, "name: [\n"), "status", PROJECT),
    Wrong("project a list", text(PROJECT, "- a\n"), "status", PROJECT),
    Wrong("project not UTF-8", text(PROJECT, b"name: \xff\xfe\n"), "status", PROJECT),
    Wrong("project unknown key", value(PROJECT, "modell", to="x"), "status", "modell: unknown key"),
    Wrong("project lacks a key", without(PROJECT, "task_set"), "status", "task_set"),
    Wrong("project bad name", value(PROJECT, "name", to="My Bank!"), "status", "name"),
    Wrong("project name a number", value(PROJECT, "name", to=7), "status", "name"),
    Wrong("project no corpus", value(PROJECT, "corpus", to=[]), "status", "corpus"),
    Wrong("project bad device", value(PROJECT, "device", to="abacus"), "status", "device"),
    Wrong("project no threads", value(PROJECT, "threads", to=0), "status", "threads"),
    Wrong("project bad metric", value(PROJECT, "task_metric", to="luck"), "status", "task_metric"),
    Wrong("project bad prefix", value(PROJECT, "asset_prefix", to="a/b"), "status", "asset_prefix"),
    Wrong("project a date", value(PROJECT, "max_new_tokens", to="soon"), "status", "max_new_tokens"),
    Wrong("project twice a key", text(PROJECT, "name: a\nname: b\n"), "status", "project.yaml:2: name stands twice"),
    # the policy
    Wrong("policy gone", gone(POLICY), "materialize raw_corpus", POLICY),
    Wrong("policy a folder", folder_instead(POLICY), "materialize raw_corpus", POLICY),
    Wrong("policy no YAML", text(POLICY, "risk: {"), "materialize raw_corpus", POLICY),
    Wrong("policy bad risk", value(POLICY, "risk", to="some"), "materialize raw_corpus", "risk"),
    Wrong("policy lacks a dimension", without(POLICY, "dimensions", "privacy"), "materialize raw_corpus", "privacy"),
    Wrong("policy odd dimension", value(POLICY, "dimensions", "luck", to={}), "materialize raw_corpus", "dimensions.luck"),
    Wrong("policy drop in words", value(POLICY, "dimensions", "safety", "max_drop", to="little"), "materialize raw_corpus", "max_drop"),
    Wrong("policy safety advisory", value(POLICY, "dimensions", "safety", "rank", to="advisory"), "materialize raw_corpus", "safety is always critical"),
    Wrong("policy bad action", value(POLICY, "corpus", "actions", "email", to="ignore"), "materialize raw_corpus", "corpus.actions.email"),
    Wrong("policy share over one", value(POLICY, "corpus", "max_quarantined_share", to=2), "materialize raw_corpus", "max_quarantined_share"),
    Wrong("policy few shares", value(POLICY, "injection", "shares", to=[0.1]), "materialize raw_corpus", "injection.shares"),
    Wrong("policy no number", value(POLICY, "task", "floor", to=float("nan")), "materialize raw_corpus", "task.floor"),
    Wrong("policy unknown calibration", value(POLICY, "injection", "recipe", to="luck"), "doctor", "no recipe luck"),
    # recipes
    Wrong("recipe folder gone", gone("recipes"), "materialize recipe --recipe plain", "holds no recipe"),
    Wrong("recipe unknown", nothing, "materialize recipe --recipe luck", "no recipe luck"),
    Wrong("recipe bad name", lambda f: (f / RECIPE).rename(f / "recipes/Plain.yaml"), "materialize recipe --recipe Plain", "Plain.yaml"),
    Wrong("recipe empty", text(RECIPE, ""), "materialize recipe --recipe plain", RECIPE),
    Wrong("recipe a folder", folder_instead(RECIPE), "materialize recipe --recipe plain", RECIPE),
    Wrong("recipe rate in words", value(RECIPE, "optimiser", "learning_rate", to="fast"), "materialize recipe --recipe plain", "optimiser.learning_rate"),
    Wrong("recipe no steps", value(RECIPE, "optimiser", "steps", to=0), "materialize recipe --recipe plain", "optimiser.steps"),
    Wrong("recipe odd method", value(RECIPE, "methods", to=[{"method": "prayer"}]), "materialize recipe --recipe plain", "methods.0"),
    Wrong("recipe method twice", value(RECIPE, "methods", to=[{"method": "lora"}] * 2), "materialize recipe --recipe plain", "lora stands twice"),
    Wrong("recipe odd injection", value(RECIPE, "injection", to=1.5), "materialize recipe --recipe plain", "injection"),
    Wrong("recipe twice a step", text(RECIPE, "description: x\noptimiser:\n  steps: 2\n  steps: 3\n"), "materialize recipe --recipe plain", "plain.yaml:4: steps stands twice"),
    Wrong("recipe another name", value(RECIPE, "name", to="other"), "materialize recipe --recipe plain", "name: other"),
    # the model
    Wrong("model gone", gone("model"), "materialize base_model", "model is no folder"),
    Wrong("model a file", lambda f: (shutil.rmtree(f / "model"), (f / "model").write_text("")), "materialize base_model", "model is no folder"),
    Wrong("model without weights", gone("model/model.safetensors"), "materialize base_model", "holds no weights"),
    Wrong("model pickled", lambda f: (f / "model/model.safetensors").rename(f / "model/pytorch_model.bin"), "materialize base_model", "pytorch_model.bin"),
    Wrong("model without config", gone("model/config.json"), "materialize base_model", "config.json"),
    Wrong("model without tokenizer", gone("model/tokenizer.json"), "materialize base_model", "tokenizer"),
    Wrong("model without template", gone("model/chat_template.jinja"), "materialize base_model", "chat template"),
    Wrong("model cut short", text("model/model.safetensors", b"\x10\0\0\0\0\0\0\0{"), "materialize base_model", "model.safetensors is damaged"),
    # the corpus
    Wrong("corpus gone", gone("corpus"), "materialize raw_corpus", "corpus"),
    Wrong("corpus folder empty", gone(CORPUS), "materialize raw_corpus", "corpus"),
    Wrong("corpus empty", text(CORPUS, ""), "materialize raw_corpus", "corpus"),
    Wrong("corpus no JSON", text(CORPUS, "hello\n"), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("corpus binary", text(CORPUS, bytes(range(128, 256))), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("corpus a list", text(CORPUS, "[1, 2]\n"), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("corpus odd keys", line(CORPUS, messages=None, text="x"), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("corpus messages text", line(CORPUS, messages="hi"), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("corpus odd role", line(CORPUS, messages=[{"role": "bot", "content": "x"}]), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("corpus without answer", line(CORPUS, messages=[USER]), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("corpus two users", line(CORPUS, messages=[USER, USER, ANSWER]), "materialize raw_corpus", "rows.jsonl:1"),
    # pairs
    Wrong("pairs gone", gone("refusals"), "materialize refusal_pairs", "refusals"),
    Wrong("pairs folder empty", gone(PAIRS), "materialize refusal_pairs", "refusals holds no refusal pairs"),
    Wrong("pairs odd kind", line(PAIRS, kind="sermon"), "materialize refusal_pairs", "sermon"),
    Wrong("pairs no category", line(PAIRS, category=None), "materialize refusal_pairs", "category"),
    # tasks
    Wrong("tasks gone", gone(TASKS), "materialize task_set", TASKS),
    Wrong("tasks empty", text(TASKS, "\n"), "materialize task_set", TASKS),
    Wrong("tasks no answer", line(TASKS, answer=None), "materialize task_set", "tasks.jsonl:1"),
    Wrong("tasks answer a number", line(TASKS, answer=7), "materialize task_set", "tasks.jsonl:1"),
    Wrong("tasks answered", line(TASKS, messages=[USER, ANSWER]), "materialize task_set", "tasks.jsonl:1"),
    # probes
    Wrong("probes gone", gone("probes"), "materialize probe_suite", "probes"),
    Wrong("probes no JSON", text(PROBES, "{\n"), "materialize probe_suite", "safety.jsonl:1"),
    Wrong("probes a list", text(PROBES, "[]\n"), "materialize probe_suite", "safety.jsonl:1"),
    Wrong("probes odd split", line(PROBES, split="exam"), "materialize probe_suite", "safety.jsonl:1"),
    Wrong("probes odd dimension", line(PROBES, dimension="luck"), "materialize probe_suite", "safety.jsonl:1"),
    Wrong("probes unhashable", line(PROBES, expect=["refuse"]), "materialize probe_suite", "safety.jsonl:1"),
    Wrong("probes targets a number", line(PROBES, targets=7), "materialize probe_suite", "safety.jsonl:1"),
    Wrong("probes category a list", line(PROBES, category=["x"]), "materialize probe_suite", "safety.jsonl:1"),
    Wrong("probes id a number", line(PROBES, probe_id=7), "materialize probe_suite", "safety.jsonl:1"),
    Wrong("probes not UTF-8", text(PROBES, b"\xff\xfe\n"), "materialize probe_suite", "safety.jsonl"),
    # sign-offs
    Wrong("sign-offs bad digest", text("sign_offs.yaml", "signatures: [{who: me, digest: x}]\n"), "materialize release_decision --recipe plain", "sign_offs.yaml:1"),
    # the command line
    Wrong("no such command", nothing, "pray", "pray"),
    Wrong("no such option", nothing, "status --loud", "--loud"),
    Wrong("no such asset", nothing, "materialize luck", "luck"),
    Wrong("no asset", nothing, "materialize", "'asset'"),
    Wrong("recipe too many", nothing, "materialize raw_corpus --recipe plain", "--recipe"),
    Wrong("recipe too few", nothing, "materialize eval_scores", "--recipe"),
    Wrong("explain an input", nothing, "explain policy", "policy"),
    Wrong("explain unknown recipe", nothing, "explain eval_scores --recipe luck", "no recipe luck"),
    Wrong("recipe name", nothing, "new recipe Nightly!", "Nightly!"),
    Wrong("recipe exists", nothing, "new recipe plain", "plain.yaml exists"),
    Wrong("schema of what", nothing, "schema luck", "luck"),
    Wrong("init asks nobody", nothing, "init elsewhere", "--base-model"),
    Wrong("init bad model", nothing, "init elsewhere --base-model no --corpus no --task-set no --risk high", "no is no folder"),
    Wrong("init bad risk", nothing, "init elsewhere --base-model model --corpus corpus --task-set tasks.jsonl --risk odd", "odd"),
    Wrong("init bad name", nothing, "init elsewhere --base-model model --corpus corpus --task-set tasks.jsonl --risk high --name A!", "A!"),
    Wrong("init over a project", nothing, "init . --base-model model --corpus corpus --task-set tasks.jsonl --risk high", "project.yaml exists"),
    Wrong("workspace of nothing", nothing, "workspace corpus", "holds no project.yaml"),
    Wrong("workspace twice the same", nothing, "workspace . .", "both have name"),
    Wrong("nothing to roll back", nothing, "roll-back", "no release"),
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound project with a model folder that nobody has to load."""
    folder = tmp_path_factory.mktemp("whole") / "project"
    small_project.write_project(folder, Path("model"))
    (folder / "model").mkdir()
    for name, content in (("config.json", "{}"), ("tokenizer.json", "{}"), ("chat_template.jinja", "x")):
        (folder / "model" / name).write_text(content)
    save_file({"weight": np.zeros((2, 2), np.float32)}, folder / "model" / "model.safetensors")
    return folder


@pytest.fixture
def project(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(whole, tmp_path / "project"))
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 400)
    monkeypatch.chdir(folder)
    return folder


def test_there_are_at_least_fifty_kinds() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 50


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_wrong_input_is_a_sentence(project: Path, case: Wrong) -> None:
    case.spoil(project)
    result = CliRunner().invoke(app, case.words.split())
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in (1, 2), result.output
    assert "Traceback" not in result.output
    assert case.place in result.output, result.output
    assert REMEDY[result.exit_code](result.output), result.output


REMEDY = {
    1: lambda said: any(mark in said for mark in ("\ndo ", "expected", "do: ", "fail", "refused")),
    2: lambda said: "Usage:" in said,
}
"""What a message of each exit code shows besides the place."""


def test_the_sound_project_is_not_refused(project: Path) -> None:
    for asset in ("raw_corpus", "refusal_pairs", "task_set", "base_model", "probe_suite"):
        result = CliRunner().invoke(app, ["materialize", asset])
        assert result.exit_code == 0, result.output
