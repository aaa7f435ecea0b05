"""`--json`, for every command that prints: one document on stdout, in success and in failure, with stable keys."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import command_tree
import lm_eval_runs
import pytest
import small_project
import small_scores
from typer.testing import CliRunner, Result

from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE
from safety_assets.release import pointer

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes

SAY_NO_JSON = {"demo"}
"""It shows a table of what Dagster did."""
ERROR = {"found", "expected", "do", "kind"}
MADE = {"asset", "recipe", "digest", "path", "cached", "seconds", "checks"}
KEYS, ACT = {"file", "public", "person"}, {"file", "digest", "act", "says", "next"}
RELEASE = {"recipe", "weights", "folder", "path", "since", "sequence", "decision"}


@dataclass(frozen=True)
class Case:
    """A call that succeeds, and what its document holds.

    Args:
        words: behind `safety-assets`.
        keys: of the document.
        code: its exit code.
    """

    words: str
    keys: set[str]
    code: int = 0


CASES = (
    Case("run plain --release", {
        "recipe", "smoke", "assets", "decision", "stopped", "candidates", "concluded",
    }),
    Case("materialize raw_corpus", MADE),
    Case("materialize eval_scores --recipe plain", MADE),
    Case("status", {"project", "well", "served", "assets", "runs", "disk"}),
    Case("explain corpus_audit", {"asset", "recipe", "state", "reasons", "mend", "next"}),
    Case("explain eval_scores --recipe protected", {"asset", "recipe", "state", "reasons", "mend", "next"}, 1),
    Case("doctor", {"well", "findings"}),
    Case("audit corpus --processes 1", {
        "corpus", "findings", "actions", "totals", "rows", "sources", "seconds", "processes",
    }),
    Case("labels sample --out sheet.csv", {"file", "changed", "numbers", "check", "next"}),
    Case("labels read sheet.csv", {"file", "changed", "numbers", "check", "next"}),
    Case("trace 0123456789abcdef", {"row_id", "given", "audits", "audited", "checkpoints", "releases"}, 1),
    Case("gate --base model --tuned model", {
        "decision", "checkpoint", "reasons", "notes", "dimensions", "task", "checks", "forgotten", "not_checked",
        "null", "consistency",
        "decided_on", "base", "tuned", "policy", "probes",
    }),
    Case("repair --method merge --base model --tuned model --set share=0.5 --out repaired", {
        "repair", "path", "spec", "found", "digests", "next",
    }),
    Case("decide --policy policy.yaml --history", {"candidates", "changed", "gone"}),
    Case("promote plain", RELEASE),
    Case("keys new --key ../new.pem", KEYS),
    Case("keys show --key ../signing.pem", KEYS),
    Case("sign plain --reason Read. --key ../signing.pem", ACT),
    Case("waive fairness --project --until 2030-01-31 --reason Known. --key ../signing.pem", ACT),
    Case("hold --project --until 2030-01-31 --reason Wait. --key ../signing.pem", ACT),
    Case("released", RELEASE),
    Case("released --path", RELEASE),
    Case("history", {"project", "served", "moves"}),
    Case("verify model", {
        "path", "outcome", "why", "recipe", "weights", "sequence", "changed", "missing", "added",
    }, 1),
    Case("judge answers.jsonl --out verdicts.parquet", {"judge", "rows", "verdicts", "out", "measured"}),
    Case("score --model model --probes probes --out scored.parquet", {
        "model", "probes", "dimensions", "metrics", "categories", "confidence", "phrasings", "over_refusal", "unscored",
        "judge", "asked", "remembered", "scores", "responses", "slices", "attack_success", "null",
        "consistency", "judges_agree",
    }),
    Case("export base.parquet --responses base.responses.parquet --probes few.jsonl --to inspect --out log.json", {
        "format", "files", "items",
    }),
    Case("import results --model model", {"model", "named", "same_files", "tasks", "digest"}),
    Case("compare base.parquet tuned.parquet", {
        "base", "tuned", "dimensions", "metrics", "categories", "flipped", "flips", "null", "unscored", "uninformative",
        "consistency", "judges_agree",
    }),
    Case("probes check probes", {
        "probes", "digest", "sound", "items", "groups", "splits", "faults", "warnings", "balance", "resolves",
        "resolves_by_metric",
        "flip_rate", "uninformative",
    }),
    Case("schema policy", {
        "$schema", "title", "type", "properties", "required", "additionalProperties", "$defs", "description",
    }),
    Case("workspace . --output places/workspace.yaml", {"file", "projects"}),
    Case("clean-up", {"removed", "unused", "leftovers", "kept", "size_bytes"}),
    Case("new recipe nightly --like protected", {"files", "facts", "next"}),
    Case(
        "init begun --base-model model --corpus corpus --task-set tasks.jsonl --risk research",
        {"project", "files", "facts", "warnings", "next"},
    ),
)  # fmt: skip
"""`plan`, which takes long, stands in test_run_and_plan."""

REFUSED = {
    "run plain": ("ProjectError", 1), "plan plain": ("ProjectError", 1), "materialize raw_corpus": ("ProjectError", 1),
    "status": ("ProjectError", 1), "explain corpus_audit": ("ProjectError", 1), "doctor": ("ProjectError", 1),
    "gate --base model --tuned model": ("ProjectError", 2),
    "recheck --endpoint http://127.0.0.1:9/v1": ("ProjectError", 1), "released": ("ProjectError", 1),
    "init other --base-model nowhere --corpus corpus --risk research": ("ModelError", 1),
    "repair --method merge --base model --tuned model --out repaired": ("ProjectError", 1),
    "sign plain --reason x": ("ProjectError", 1), "hold --project --reason x": ("ProjectError", 1),
    "waive fairness --project --until 2030-01-31 --reason x": ("ProjectError", 1),
    "dispose plain safety fraud --fix --reason x": ("ProjectError", 1),
    "keys new": ("ProjectError", 1), "keys show": ("ProjectError", 1),
    "new recipe nightly": ("ProjectError", 1), "rollback": ("ProjectError", 1),
    "promote plain": ("ProjectError", 1), "history": ("ProjectError", 1), "verify nowhere": ("ProjectError", 1),
    "clean-up": ("ProjectError", 1), "workspace nowhere": ("ProjectError", 1), "schema luck": ("UsageError", 2),
    "proceed plain --by ann --why seen": ("ProjectError", 1),
    "sql": ("ProjectError", 1), "trace 0123456789abcdef": ("ProjectError", 1), "audit nowhere": ("UsageError", 2),
    "judge nowhere --out verdicts.parquet": ("UsageError", 2),
    "score --model model --probes standard --out scored.parquet": ("ProjectError", 1),
    "compare nowhere nowhere": ("UsageError", 2), "export nowhere": ("UsageError", 2),
    "decide --policy nowhere --history": ("UsageError", 2),
    "import nowhere --model model": ("UsageError", 2), "probes check nowhere": ("UsageError", 2),
    "review sheet nowhere --verdicts nowhere --verdicts nowhere --out sheet.csv": ("UsageError", 2),
    "review read nowhere.csv --out labels.jsonl": ("UsageError", 2),
    "review queue plain --out queue.csv": ("ProjectError", 1), "review record nowhere.csv": ("UsageError", 2),
    "labels sample": ("ProjectError", 1), "labels read nowhere.csv": ("UsageError", 2),
}  # fmt: skip
"""Every command where there is no project, or nothing of what it is about: kind of the error and exit code."""


@pytest.fixture(scope="module")
def folder(released_project: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Path(shutil.copytree(released_project, tmp_path_factory.mktemp("json") / "project"))
    shutil.copytree(tiny_model, made / "model")
    lm_eval_runs.write(made / "results", 60)
    small_scores.write_probes(made / "few.jsonl")
    for name in ("base", "tuned"):
        small_scores.write_scores(made / f"{name}.parquet", name)
    shutil.copy(released_project.parent / "signing.pem", made.parent)
    answer = {"id": "a", "prompt": "How?", "completion": "I cannot help with that."}
    (made / "answers.jsonl").write_text(json.dumps(answer) + "\n")
    return made


@pytest.fixture(autouse=True)
def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.chdir(folder)
    return folder


def call(*words: str) -> Result:
    result = CliRunner().invoke(app, [*words, "--json"])
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    assert "\x1b" not in result.stdout
    assert "Traceback" not in result.output
    return result


def error_of(result: Result) -> dict:
    document = json.loads(result.stdout)
    assert set(document) == {"error"}
    assert set(document["error"]) == ERROR
    assert all(isinstance(value, str) for value in document["error"].values())
    assert document["error"]["found"]
    assert result.stderr == ""
    return document["error"]


def test_every_command_that_prints_has_it() -> None:
    leaves = command_tree.leaves()
    without = {name for name, command in leaves.items() if "--json" not in command_tree.options(command)}
    assert without <= SAY_NO_JSON
    tried = (*REFUSED, *(case.words for case in CASES))
    assert [name for name in leaves if name not in without and not any(w.startswith(name) for w in tried)] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words.split(" --")[0].replace(" ", "-"))
def test_success_is_one_document_with_stable_keys(case: Case) -> None:
    result = call(*case.words.split())
    assert result.exit_code == case.code, result.output
    assert set(json.loads(result.stdout)) == case.keys
    assert result.stderr == ""


def test_the_page_for_programs_names_every_key() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "command-line.md").read_text()
    rows = dict(line.strip("|").split(" | ", 1) for line in page.splitlines() if line.startswith("| `"))
    told = {name.strip(" `"): keys for names, keys in rows.items() for name in names.split(",")}
    for case in (case for case in CASES if not case.words.startswith("schema")):
        command = next(name for name in sorted(told, key=len, reverse=True) if case.words.startswith(name))
        assert {key for key in case.keys if f"`{key}`" not in told[command]} == set(), command
    assert set(told) == {name for name in command_tree.leaves() if name not in SAY_NO_JSON}


def test_sql_gives_an_object_per_row_of_values_that_json_has() -> None:
    (row,) = json.loads(
        call(
            "sql",
            "select 'nan'::double as x, [1.5, 'inf'::double] as l, date '2026-01-02' as d, count(*) as n from rows",
        ).stdout
    )
    assert row == {"x": None, "l": [1.5, None], "d": "2026-01-02", "n": len(small_project.corpus_rows())}
    assert "several columns are called a" in error_of(call("sql", "select 1 as a, 2 as a"))["found"]


def test_a_roll_back_is_told_as_the_release_it_returned_to(project: Path) -> None:
    first = json.loads(call("released").stdout)
    now = pointer.released(project / "store", "small")
    pointer.move(project / "store", "small", "promote", now["release"] | {"card": "another"}, before=1, over=1)
    assert json.loads(call("released").stdout)["sequence"] == 2
    back = json.loads(call("rollback").stdout)
    assert set(back) == RELEASE
    assert (back["weights"], back["sequence"], Path(back["path"]).is_dir()) == (first["weights"], 3, True)


def test_a_red_check_is_in_the_document(project: Path, tiny_model: Path, tmp_path: Path) -> None:
    red = small_project.write_project(tmp_path / "red", tiny_model)
    with (red / "corpus" / "rows.jsonl").open("a") as handle:
        handle.write("no JSON\n" * 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROJECT_VARIABLE, str(red))
        result = call("materialize", "raw_corpus")
    (check,) = json.loads(result.stdout)["checks"]
    assert (result.exit_code, check["check"], check["status"], check["blocking"]) == (1, "rows_readable", "fail", True)
    assert "20 of" in check["reasons"][0]


@pytest.mark.parametrize("words", REFUSED)
def test_failure_is_a_document_with_found_expected_and_do(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROJECT_VARIABLE, "nowhere")
    result = call(*words.split())
    assert (error_of(result)["kind"], result.exit_code) == REFUSED[words]


@pytest.mark.parametrize("words", ["--nope", "materialize luck", "materialize", "explain", "pray", "status --loud"])
def test_wrong_usage_is_a_document_too(words: str) -> None:
    result = call(*words.split())
    error = error_of(result)
    assert (error["kind"], result.exit_code) == ("UsageError", 2)
    assert "--help" in error["do"]
    assert "safety-assets" in error["do"]


def test_a_refusal_of_the_gates_and_one_of_the_system(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call("materialize", "released_model", "--recipe", "protected")
    assert (error_of(result)["kind"], result.exit_code) == ("GateRefused", 1)

    def refuse(*arguments: object, **named: object) -> None:
        raise PermissionError(13, "Permission denied", "/store/objects")

    monkeypatch.setattr("safety_assets.store.Store.publish", refuse)
    result = call("materialize", "raw_corpus", "--force")
    assert (error_of(result)["kind"], result.exit_code) == ("FileError", 1)
    assert error_of(result)["found"] == "/store/objects: Permission denied"


def test_a_fault_of_ours_is_told_and_its_traceback_kept_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("safety_assets.commands.status.last_runs", fail)
    result = CliRunner().invoke(app, ["status", "--json"])
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["kind"], error["found"]) == (1, "InternalError", "RuntimeError: out of luck")
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(("words", "code"), [("materialize raw_corpus", 0), ("materialize raw_corpsu", 2)])
def test_a_terminal_that_wants_colours_gets_none_in_json(words: str, code: int, project: Path) -> None:
    colourful = {**os.environ, "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "PYTHONWARNINGS": "ignore"}
    called = [sys.executable, "-m", "safety_assets.cli", *words.split()]
    plain = subprocess.run(called, env=colourful, capture_output=True, text=True, check=False)
    told = subprocess.run([*called, "--json"], env=colourful, capture_output=True, text=True, check=False)
    assert "\x1b[" in plain.stdout + plain.stderr  # it does want them
    assert "\x1b" not in told.stdout
    assert told.returncode == plain.returncode == code
    json.loads(told.stdout)
