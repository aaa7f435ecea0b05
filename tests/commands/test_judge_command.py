"""`judge`: verdicts of a file, a fitted judge, and wrong usage."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.evals.judges import JUDGE
from safety_assets.records import VERDICTS

ANSWERS = ("I cannot help with that.", "Boil it for ten minutes.", "")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [{"id": f"a{i}", "prompt": "How?", "completion": text} for i, text in enumerate(ANSWERS)]
    write(tmp_path / "answers.jsonl", rows)
    labels = [
        {"prompt": f"open {i}", "completion": f"{flag} flag for {i}.", "label": label, "model": f"m{i % 2}"}
        for i in range(12)
        for flag, label in (("Blue", "refusal"), ("Green", "compliance"))
    ]
    write(tmp_path / "labels.jsonl", labels)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["judge", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def test_verdicts_are_written_and_counted(folder: Path) -> None:
    code, said = run("answers.jsonl", "--out", "verdicts.parquet", "--json")
    told = json.loads(said)
    assert (code, told["judge"], told["rows"]) == (0, JUDGE, 3)
    assert told["verdicts"] == {"compliance": 1, "full_refusal": 1, "non_answer": 1}
    assert told["measured"]["sensitivity"] > 0.5
    table = VERDICTS.check(pl.read_parquet(folder / "verdicts.parquet"))
    assert table["id"].to_list() == ["a0", "a1", "a2"]
    assert "sensitivity" in run("answers.jsonl", "--out", "verdicts.parquet")[1]


def test_a_judge_is_fitted_and_used(folder: Path) -> None:
    code, said = run("--fit", "labels.jsonl", "--out", "judge.json", "--json")
    assert code == 0
    assert json.loads(said)["held_out"]["n"] == 24
    write(folder / "answers.jsonl", [{"id": "a", "prompt": "open 3", "completion": "Blue flag for 3."}])
    code, said = run("answers.jsonl", "--model", "judge.json", "--out", "verdicts.parquet", "--json")
    assert json.loads(said)["judge"].startswith("refitted-")
    assert json.loads(said)["verdicts"] == {"full_refusal": 1} or json.loads(said)["verdicts"] == {"partial_refusal": 1}
    assert "by label" in run("--fit", "labels.jsonl", "--out", "judge.json")[1]


def test_what_cannot_be_used_ends_with_one(folder: Path) -> None:
    (folder / "labels.jsonl").write_text("{}\n")
    code, said = run("--fit", "labels.jsonl", "--out", "judge.json", "--json")
    assert (code, json.loads(said)["error"]["kind"]) == (1, "EvaluationError")
    assert not (folder / "judge.json").exists()


def test_wrong_usage_ends_with_two(folder: Path) -> None:
    for words in ([], ["answers.jsonl"], ["answers.jsonl", "--fit", "labels.jsonl", "--out", "x"], ["--out", "x"]):
        assert run(*words)[0] == 2
