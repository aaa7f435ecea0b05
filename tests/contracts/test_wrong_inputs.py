"""Wrong inputs of every kind end in a sentence that names the place and the remedy, never in a traceback."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import small_project
import yaml
from safetensors.numpy import save_file
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE
from safety_assets.release import pointer

Spoil = Callable[[Path], object]


@dataclass(frozen=True)
class Wrong:
    """One wrong input.

    Args:
        name: what is wrong.
        spoil: makes it wrong in a project's folder.
        words: the command that meets it.
        place: what the message must name: file and line, key, or argument.
        env: environment variables that are set; `{folder}` is the project's.
    """

    name: str
    spoil: Spoil
    words: str | tuple[str, ...]
    place: str
    env: dict[str, str] = field(default_factory=dict)

    @property
    def called(self) -> list[str]:
        return self.words.split() if isinstance(self.words, str) else list(self.words)


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


def link(file: str, to: str) -> Spoil:
    """A link where a file was."""

    def spoil(folder: Path) -> None:
        (folder / file).unlink()
        (folder / file).symlink_to(to)

    return spoil


def made(pattern: str, content: bytes) -> Spoil:
    """Make the raw corpus and damage the first file of the store that fits."""

    def spoil(folder: Path) -> None:
        assert CliRunner().invoke(app, ["materialize", "raw_corpus"]).exit_code == 0
        next((folder / "store").glob(pattern)).write_bytes(content)

    return spoil


def served(release: object) -> Spoil:
    """A pointer to a release that is what nobody wrote."""

    def spoil(folder: Path) -> None:
        pointer.move(folder / "store", "small", "promote", release, before=None, over=None)

    return spoil


def nothing(folder: Path) -> None:
    """Leave the project as it is."""


PROJECT, POLICY, RECIPE = "project.yaml", "policy.yaml", "recipes/plain.yaml"
CORPUS, PAIRS, TASKS, PROBES = "corpus/rows.jsonl", "refusals/pairs.jsonl", "tasks.jsonl", "probes/gate/safety.jsonl"
DEEP, LONG, MANY_DIGITS, HALF = "[" * 20_000, "x" * 300, "9" * 5000, "\ud800"
NOWHERE = {STORAGE_VARIABLE: "/proc/nowhere"}
"""A place that nobody may write, whoever runs the tests."""
GATE = "gate --base model --tuned model"
JUDGE = "judge --out v.parquet"
SAID = json.dumps({"id": "a", "prompt": "How?", "completion": "I cannot help with that."})
LABELLED = json.dumps({"prompt": "How?", "completion": "I cannot help with that.", "label": "maybe"})
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
    # decisions
    Wrong("decisions odd action", text("decisions.csv", "row_id,finding,action,who,why\n0,email,pray,Ann,x\n"), "doctor", "decisions.csv:2"),
    Wrong("labels odd label", text("labels.csv", "row_id,draw,label,who\na,0,fine,Ann\n"), "doctor", "labels.csv, record 2"),
    Wrong("labels no header", text("labels.csv", "a,0,good,Ann\n"), "doctor", "labels.csv has no column row_id"),
    Wrong("decisions no header", text("decisions.csv", "0,email,drop,Ann,x\n"), "doctor", "decisions.csv:1"),
    # sql and trace
    Wrong("sql wrong query", nothing, "sql nonsense", "the query fails"),
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
    Wrong("nothing to roll back", nothing, "rollback", "no release"),
    # what no parser gets to the end of
    Wrong("project nested", text(PROJECT, "name: " + DEEP[:2000]), "status", "project.yaml is nested without end"),
    Wrong("project in itself", text(PROJECT, "name: &a [*a]\n"), "status", "project.yaml is nested without end"),
    Wrong("project long number", text(PROJECT, f"threads: {MANY_DIGITS}\n"), "status", "project.yaml is not YAML"),
    Wrong("project python object", text(PROJECT, "name: !!python/object:os.system x\n"), "status", "project.yaml is not YAML"),
    Wrong("project NUL", value(PROJECT, "corpus", to=["a\0b"]), "status", "a NUL character"),
    Wrong("model NUL", value(PROJECT, "base_model", to="a\0b"), "doctor", "a NUL character"),
    Wrong("policy nested", text(POLICY, "risk: " + DEEP[:2000]), "materialize raw_corpus", "policy.yaml is nested without end"),
    Wrong("recipe nested", text(RECIPE, DEEP[:2000]), "run plain", "plain.yaml is nested without end"),
    Wrong("corpus nested", text(CORPUS, DEEP), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("corpus long number", text(CORPUS, f'{{"messages": {MANY_DIGITS}}}\n'), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("corpus half a character", line(CORPUS, messages=[{"role": "user", "content": HALF}, ANSWER]), "materialize raw_corpus", "rows.jsonl:1"),
    Wrong("pairs nested", text(PAIRS, DEEP), "materialize refusal_pairs", "refusals holds no readable pair; line 1"),
    Wrong("tasks nested", text(TASKS, DEEP), "materialize task_set", "tasks.jsonl:1"),
    Wrong("probes nested", text(PROBES, DEEP), "materialize probe_suite", "safety.jsonl:1"),
    Wrong("probes half a character", line(PROBES, messages=[{"role": "user", "content": HALF}]), "materialize probe_suite", "safety.jsonl:1"),
    # places
    Wrong("corpus a loop", link(CORPUS, "rows.jsonl"), "materialize raw_corpus", "leads nowhere"),
    Wrong("corpus a loop, audited", link(CORPUS, "rows.jsonl"), "audit corpus", "leads nowhere"),
    Wrong("corpus a link to nothing", link(CORPUS, "gone.jsonl"), "materialize raw_corpus", "corpus"),
    Wrong("corpus a name of no letters", lambda f: (f / os.fsdecode(b"corpus/\xff.jsonl")).write_text("{}\n"), "materialize raw_corpus", "not UTF-8"),
    Wrong("corpus long name", value(PROJECT, "corpus", to=[LONG]), "materialize raw_corpus", LONG[:40]),
    Wrong("recipes a file", lambda f: (shutil.rmtree(f / "recipes"), (f / "recipes").write_text("")), "run plain", "recipes"),
    Wrong("probes a file", lambda f: (shutil.rmtree(f / "probes"), (f / "probes").write_text("")), "materialize probe_suite", "probes"),
    Wrong("template gone", value(PROJECT, "chat_template", to="gone.jinja"), "materialize base_model", "gone.jinja"),
    Wrong("template a folder", value(PROJECT, "chat_template", to="corpus"), "materialize base_model", "corpus"),
    Wrong("template no Jinja", lambda f: (text("t.jinja", "{% if")(f), value(PROJECT, "chat_template", to="t.jinja")(f)), "materialize base_model", "the chat template cannot be rendered"),
    Wrong("adapter gone", value(PROJECT, "base_model", to={"adapter": "gone"}), "materialize base_model", "gone"),
    Wrong("model at a branch", value(PROJECT, "base_model", to="org/name@main"), "materialize base_model", "org/name@main"),
    # no right to write
    Wrong("storage nowhere", nothing, "materialize raw_corpus", "/proc/nowhere", NOWHERE),
    Wrong("storage nowhere, run", nothing, "run plain", "/proc/nowhere", NOWHERE),
    Wrong("storage nowhere, smoke", nothing, "run plain --smoke", "/proc/nowhere", NOWHERE),
    Wrong("storage nowhere, sql", nothing, "sql", "/proc/nowhere", NOWHERE),
    Wrong("storage nowhere, doctor", nothing, "doctor", "storage", NOWHERE),
    Wrong("storage nowhere, roll back", nothing, "rollback", "/proc", NOWHERE),
    Wrong("storage a file", nothing, "materialize raw_corpus", PROJECT, {STORAGE_VARIABLE: "{folder}/project.yaml"}),
    Wrong("storage a file, doctor", nothing, "doctor", "project.yaml cannot be written", {STORAGE_VARIABLE: "{folder}/project.yaml"}),
    Wrong("storage long", nothing, "materialize raw_corpus", LONG[:40], {STORAGE_VARIABLE: f"/tmp/{LONG}"}),
    Wrong("findings nowhere", nothing, "audit corpus --findings /proc/x/findings.parquet", "/proc/x"),
    Wrong("recipes nowhere", value(PROJECT, "recipes", to="/proc/recipes"), "new recipe nightly --like plain", "/proc/recipes"),
    Wrong("workspace nowhere", nothing, "workspace . --output /proc/x/workspace.yaml", "/proc/x"),
    Wrong("workspace over a folder", nothing, "workspace . --output corpus", "corpus"),
    # the environment
    Wrong("project variable empty", nothing, "status", f"{PROJECT_VARIABLE} is set and empty", {PROJECT_VARIABLE: ""}),
    Wrong("project variable blank", nothing, GATE, f"{PROJECT_VARIABLE} is set and empty", {PROJECT_VARIABLE: "  "}),
    Wrong("project variable a file", nothing, "status", "holds no project.yaml", {PROJECT_VARIABLE: "{folder}/project.yaml"}),
    Wrong("storage variable empty", nothing, "materialize raw_corpus", f"{STORAGE_VARIABLE} is set and empty", {STORAGE_VARIABLE: ""}),
    # the store
    Wrong("manifest broken", made("objects/*/manifest.json", b"{"), "status", "no readable artefact"),
    Wrong("manifest a list", made("objects/*/manifest.json", b"[]"), "explain raw_corpus", "no readable artefact"),
    Wrong("pointer broken", made("current/raw_corpus/all.json", b"\xff"), "status", "all.json is damaged"),
    Wrong("pointer of no digest", made("current/raw_corpus/all.json", b"[]"), "explain raw_corpus", "all.json is damaged"),
    Wrong("release without weights", served({"recipe": "plain"}), "status", "incomplete"),
    Wrong("release a number", served(7), "released", "incomplete"),
    Wrong("release a number, traced", served(7), "trace x", "incomplete"),
    Wrong("release no JSON", lambda f: ((f / "store/released").mkdir(parents=True), (f / "store/released/small.json").write_text("{")), "rollback", "small"),
    # gate: all of it wrong usage
    Wrong("gate by a folder", nothing, f"{GATE} --policy corpus", "--policy"),
    Wrong("gate by no YAML", text("law.yaml", "["), f"{GATE} --policy law.yaml", "law.yaml is not YAML"),
    Wrong("gate with broken probes", text(PROBES, "{"), f"{GATE} --probes probes", "safety.jsonl:1"),
    Wrong("gate with no tasks", text(TASKS, DEEP), f"{GATE} --task tasks.jsonl", "tasks.jsonl:1"),
    Wrong("gate kept nowhere", nothing, GATE.replace("model", "corpus") + " --report /proc/x/page.md", "/proc/x/page.md"),
    # odd words
    Wrong("asset nearly", nothing, "materialize raw_corpsu", "did you mean raw_corpus?"),
    Wrong("recipe nearly", nothing, "run plian", "did you mean plain?"),
    Wrong("command nearly", nothing, "statsu", "Did you mean 'status'?"),
    Wrong("asset empty", nothing, ("materialize", ""), "no asset"),
    Wrong("asset of markup", nothing, ("materialize", "[/red]"), "no asset [/red]"),
    Wrong("recipe of markup", nothing, ("run", "[/red]"), "no recipe [/red]"),
    Wrong("recipe of no letters", nothing, ("run", "\udcff"), "no recipe"),
    Wrong("recipe elsewhere", nothing, "run ../plain", "no recipe ../plain"),
    Wrong("answers nowhere", nothing, f"{JUDGE} nowhere.jsonl", "nowhere.jsonl"),
    Wrong("answers a folder", nothing, f"{JUDGE} corpus", "corpus"),
    Wrong("answers no JSON", text("a.jsonl", "{"), f"{JUDGE} a.jsonl", "a.jsonl has 1 lines"),
    Wrong("answers empty", text("a.jsonl", ""), f"{JUDGE} a.jsonl", "a.jsonl has 0 lines"),
    Wrong("answers one array", text("a.jsonl", "[\n{}]"), f"{JUDGE} a.jsonl", "of line 1"),
    Wrong("answers no letters", text("a.jsonl", b"\xff\xfe"), f"{JUDGE} a.jsonl", "a.jsonl has 1 lines"),
    Wrong("answers a bottomless list", text("a.jsonl", DEEP), f"{JUDGE} a.jsonl", "of line 1"),
    Wrong("verdicts over answers", text("v.parquet", SAID), f"{JUDGE} v.parquet", "v.parquet is what is read"),
    Wrong("verdicts nowhere", text("a.jsonl", SAID), "judge a.jsonl --out no/v.parquet", "no/.new-v.parquet"),
    Wrong("judge of no JSON", text("a.jsonl", SAID), f"{JUDGE} a.jsonl --model a.jsonl", "a.jsonl is no fitted judge"),
    Wrong("labels unknown", text("a.jsonl", LABELLED), f"{JUDGE} --fit a.jsonl", "a.jsonl:1: label is 'maybe'"),
    Wrong("labels too few", text("a.jsonl", LABELLED.replace("maybe", "refusal")), f"{JUDGE} --fit a.jsonl", "1 refusals and 0 other"),
    Wrong("labels no JSON", text("a.jsonl", "{"), f"{JUDGE} --fit a.jsonl", "a.jsonl:1"),
    Wrong("judge of nothing", nothing, "judge --out v.parquet", "--fit"),
    Wrong("query no SQL", nothing, ("sql", "select luck"), "the query fails"),
    Wrong("query that writes", nothing, ("sql", "copy (select 1) to 'written'"), "more than a question"),
    Wrong("query of two", nothing, ("sql", "select 1; select 2"), "more than a question"),
    Wrong("query of a file", nothing, ("sql", "select * from read_csv('policy.yaml')"), "policy.yaml"),
    Wrong("query of no letters", nothing, ("sql", "\udcff"), "the query fails"),
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
def test_a_wrong_input_is_a_sentence(project: Path, case: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, given in case.env.items():
        monkeypatch.setenv(name, given.format(folder=project))
    case.spoil(project)
    result = CliRunner().invoke(app, case.called)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in (1, 2), result.output
    assert "Traceback" not in result.output
    assert case.place in result.output, result.output
    assert REMEDY[result.exit_code](result.output), result.output


MARKS = ("\ndo ", "expected", "do: ", "Next: ", "fail", "refused")
REMEDY = {
    1: lambda said: any(mark in said for mark in MARKS),
    2: lambda said: any(mark in said for mark in ("Usage:", *MARKS)),
}
"""What a message of each exit code shows besides the place."""


def test_the_sound_project_is_not_refused(project: Path) -> None:
    for asset in ("raw_corpus", "refusal_pairs", "task_set", "base_model", "probe_suite"):
        result = CliRunner().invoke(app, ["materialize", asset])
        assert result.exit_code == 0, result.output
