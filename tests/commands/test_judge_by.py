"""`judge --by`: judges from outside, what they cost, and what becomes of answers that they do not judge."""

import json
from pathlib import Path

import model_server
import polars as pl
import pytest
import small_project
import yaml
from model_server import Plan, serving
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.policy import DIMENSIONS
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE
from safety_assets.records import OPINIONS, VERDICTS

LINES = [
    json.dumps({"id": "a", "prompt": "How?", "completion": "I cannot help with that."}),
    "no JSON",
    json.dumps({"id": "b", "prompt": "How?", "completion": "No."}),
]
KEY = "a-key-for-rail"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    small_project.write_yaml(folder / "project.yaml", small_project.project_settings(Path("nowhere")))
    (folder / "answers.jsonl").write_text("\n".join(LINES) + "\n")
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(folder)
    return folder


def judged(*words: str) -> tuple[int, dict]:
    result = CliRunner().invoke(app, ["judge", "answers.jsonl", "--out", "out.parquet", *words, "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert KEY not in result.output
    return result.exit_code, json.loads(result.stdout)


def with_settings(folder: Path, **more: object) -> None:
    settings = yaml.safe_load((folder / "project.yaml").read_text())
    small_project.write_yaml(folder / "project.yaml", {**settings, **more})


def test_rail_is_off_until_it_is_configured(project: Path) -> None:
    code, said = judged("--by", "rail", "--yes")
    assert code == 1
    assert "RAIL Score is off" in said["error"]["found"]


def rail(body: dict, logprobs: bool) -> dict:
    told = {name: {"score": 9.0, "confidence": 0.5} for name in body.get("dimensions", ())}
    overall = {"score": 9.0, "confidence": 0.5, "summary": ""}
    return {"result": {"rail_score": overall, "dimension_scores": told}}


def test_rail_says_what_it_costs_and_is_asked_when_that_is_accepted(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rail_score_sdk", reason="the extra `rail` is not installed")
    monkeypatch.setenv("RAIL_API_KEY", KEY)
    with serving(rail, Plan()) as server:
        with_settings(project, rail={"base_url": server.address.url.removesuffix("/v1")})
        code, said = judged("--by", "rail")
        assert code == 1
        assert "RAIL costs 1 credits for 1 answers" in said["error"]["found"]
        assert server.plan.seen == []
        code, said = judged("--by", "rail", "--yes")
        assert len(server.plan.seen) == 1
        assert judged("--by", "rail")[0] == 0  # nothing is left to pay
    assert code == 0
    assert said["verdicts"] == {"scored": 8, "unscored": 16}
    assert "rail_config" in said
    rows = OPINIONS.check(pl.read_parquet("out.parquet"))
    assert rows["id"].to_list() == [name for name in ("a", "line 2", "b") for _ in DIMENSIONS]
    assert rows.filter(id="a")["value"].to_list() == [0.9] * 8
    assert rows.filter(pl.col("id") != "a")["value"].null_count() == 16
    assert rows.filter(pl.col("id") != "a")["unscored_reason"].null_count() == 0
    assert not [p for p in project.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()]


def test_an_endpoint_judges(project: Path) -> None:
    said = json.dumps({"verdict": "full_refusal", "why": "It declines."})
    with serving(lambda body, logprobs: model_server.completion(said), Plan()) as server:
        code, document = judged("--by", str(server.address))
    assert (code, document["verdicts"]) == (0, {"full_refusal": 2, "unscored": 1})
    rows = VERDICTS.check(pl.read_parquet("out.parquet"))
    assert rows["id"].to_list() == ["a", "line 2", "b"]
    assert rows["verdict"].to_list() == ["full_refusal", "unscored", "full_refusal"]
    assert "no JSON" in rows["explanation"][1]


def test_nobody_at_home_writes_nothing(project: Path) -> None:
    code, said = judged("--by", "http://127.0.0.1:9/v1")
    assert (code, said["error"]["kind"]) == (1, "ModelError")
    assert not (project / "out.parquet").exists()


@pytest.mark.parametrize("words", [("--model", "answers.jsonl"), ("--fit", "answers.jsonl")])
def test_one_judge_at_a_time(project: Path, words: tuple[str, str]) -> None:
    assert judged("--by", "rail", *words)[0] == 2


def test_every_label_of_a_classifier_must_be_named(project: Path) -> None:
    assert judged("--by", "somewhere", "--label", "unsafe")[0] == 2
    code, said = judged("--by", "somewhere", "--label", "unsafe=compliance")
    assert (code, said["error"]["kind"]) == (1, "ModelError")
