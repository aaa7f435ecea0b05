"""`score` and `compare`: files, what is not asked twice, adapters, and what is refused."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
import small_checkpoints
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.project import PROJECT_VARIABLE, STORAGE_VARIABLE, open_project
from safety_assets.records import RESPONSES, SCORES

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes


@pytest.fixture(scope="module")
def folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small_project.write_project(tmp_path_factory.mktemp("score") / "project", tiny_model)
    small_checkpoints.with_other_weights(tiny_model, made / "other")
    small_checkpoints.adapter(tiny_model, made / "adapter")
    shutil.copyfile(made / "probes" / "gate" / "safety.jsonl", made / "few.jsonl")
    return made


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(autouse=True)
def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    monkeypatch.chdir(folder)
    return folder


def told(words: str, code: int = 0) -> dict:
    result = CliRunner().invoke(app, [*words.split(), "--json"])
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def scored(model: Path | str, out: str, words: str = "") -> dict:
    return told(f"score --model {model} --probes few.jsonl --out {out} {words}")


def no_model(*arguments: object, **named: object) -> None:
    raise AssertionError("a model was loaded")


def test_answers_are_given_once_and_scored_again_without_a_model(
    tiny_model: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scored(tiny_model, "base.parquet", "--force")
    number = len(lines(project / "few.jsonl"))
    assert (first["asked"], first["remembered"], first["probes"]["items"]) == (number, 0, number)
    assert first["dimensions"]["safety"]["num_items"] == number
    assert [row["metric"] for row in first["metrics"]] == ["refuses"]
    shutil.rmtree(open_project(project).storage / "made")  # the finished table is forgotten, the answers are not
    monkeypatch.setattr("safety_assets.flows.asking.open_generator", no_model)
    monkeypatch.setattr("safety_assets.models.template.rendered_prompts", no_model)  # which imports transformers
    second = scored(tiny_model, "again.parquet")
    assert (second["asked"], second["remembered"]) == (0, number)
    same = {name: value for name, value in first.items() if name not in ("asked", "remembered", "scores", "responses")}
    assert same.items() <= second.items()
    monkeypatch.setattr("safety_assets.flows.scoring.score_model", no_model)
    finished = scored(tiny_model, "finished.parquet")
    assert {**second, "scores": finished["scores"], "responses": finished["responses"]} == finished
    for name in ("{}.parquet", "{}.responses.parquet"):
        assert (project / name.format("finished")).read_bytes() == (project / name.format("again")).read_bytes()
    third = told("score --responses base.responses.parquet --probes few.jsonl --out third.parquet")
    assert third["responses"] is None
    assert third["dimensions"] == first["dimensions"]
    tables = [SCORES.check(pl.read_parquet(project / f"{name}.parquet")) for name in ("base", "again", "third")]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    answers = RESPONSES.check(pl.read_parquet(project / "base.responses.parquet"))
    assert answers["model"].unique().to_list() == [first["model"]["digest"]]


def test_an_adapter_is_asked_on_its_base_named_or_not(tiny_model: Path) -> None:
    base = scored(tiny_model, "base.parquet")
    named = scored(tiny_model, "named.parquet", "--adapter adapter")
    alone = scored("adapter", "alone.parquet")
    assert base["model"]["digest"] != named["model"]["digest"]
    assert (alone["model"], alone["asked"]) == (named["model"], 0)


def test_two_models_never_share_an_answer(tiny_model: Path, project: Path) -> None:
    base, other = scored(tiny_model, "base.parquet"), scored("other", "other.parquet", "--force")
    assert other["asked"] == base["probes"]["items"]
    said = [pl.read_parquet(project / f"{name}.responses.parquet")["completion"] for name in ("base", "other")]
    assert not said[0].equals(said[1])


def test_compare_tells_drops_flips_and_the_null_run(tiny_model: Path) -> None:
    scored(tiny_model, "base.parquet")
    scored("other", "other.parquet")
    said = told("compare base.parquet other.parquet --null base.parquet")
    row = said["dimensions"]["safety"]
    assert row["drop"] == pytest.approx(row["baseline"] - row["candidate"])
    assert row["drop_low"] <= row["drop"] <= row["drop_high"]
    assert len(said["flipped"]) == row["num_lost"] + row["num_gained"]
    assert said["null"] == {"num_items": row["num_pairs"], "num_lost": 0, "num_gained": 0, "rate": 0.0}
    same = told("compare base.parquet base.parquet")
    assert (same["flipped"], same["null"], same["dimensions"]["safety"]["drop"]) == ([], None, 0.0)
    shown = CliRunner().invoke(app, ["compare", "base.parquet", "other.parquet", "--null", "base.parquet"])
    assert "base against base: 0 flips (0.00%)" in shown.stdout


def test_a_probe_set_names_the_suites_that_say_nothing(tiny_model: Path, project: Path) -> None:
    scored(tiny_model, "base.parquet")
    scored("other", "other.parquet")
    assert told("probes check few.jsonl")["uninformative"] is None
    assert (
        told("probes check few.jsonl --base base.parquet --plain other.parquet")["uninformative"] == []
    )  # it has room
    whole = pl.read_parquet(project / "base.parquet").with_columns(
        value=pl.lit(1.0), unscored_reason=pl.lit(None, pl.String)
    )
    whole.write_parquet(project / "whole.parquet")
    said = told("probes check few.jsonl --base whole.parquet --plain whole.parquet")["uninformative"]
    assert {"dimension": "safety", "metric": "refuses", "category": "", "base": 1.0}.items() <= said[0].items()
    both = ["--base", "whole.parquet", "--plain", "whole.parquet"]
    shown = CliRunner().invoke(app, ["probes", "check", "few.jsonl", *both])
    assert "safety, refuses (seen) is uninformative" in shown.stdout
    assert CliRunner().invoke(app, ["probes", "check", "few.jsonl", *both[:2]]).exit_code == 2


def test_another_exam_is_refused(tiny_model: Path, project: Path) -> None:
    scored(tiny_model, "base.parquet")
    scored("other", "short.parquet", "--max-new-tokens 2")
    error = told("compare base.parquet short.parquet", 1)["error"]
    assert error["found"] == "base and the tuned model differ in length of an answer (max_new_tokens): 4 and 2"
    asked = lines(project / "few.jsonl")
    asked[0]["messages"][-1]["content"] += " Now."
    (project / "changed.jsonl").write_text("".join(json.dumps(probe) + "\n" for probe in asked))
    told("score --model other --probes changed.jsonl --out changed.parquet")
    assert "differ in probes" in told("compare base.parquet changed.parquet", 1)["error"]["found"]
    error = told("score --responses base.responses.parquet --probes changed.jsonl --out x.parquet", 1)["error"]
    assert "answers to other questions" in error["found"]


def test_what_cannot_be_asked_is_refused_in_words(project: Path) -> None:
    for model in ("http://127.0.0.1:9/v1", "nowhere"):
        assert told(f"score --model {model} --probes few.jsonl --out x.parquet", 1)["error"]["kind"] == "ModelError"
    error = told("score --model other --probes few.jsonl --split watch --out x.parquet", 1)["error"]
    assert "no probes of split watch" in error["found"]
    assert not (project / "x.parquet").exists()


@pytest.mark.parametrize(
    "words",
    [
        "score --probes few.jsonl --out x.parquet",
        "score --model other --responses few.jsonl --probes few.jsonl --out x.parquet",
        "score --responses few.jsonl --adapter adapter --probes few.jsonl --out x.parquet",
        "score --model other --probes nowhere --out x.parquet",
        "score --model other --probes few.jsonl --split exam --out x.parquet",
        "compare few.jsonl",
    ],
)
def test_wrong_usage_ends_with_two(words: str) -> None:
    assert told(words, 2)["error"]["kind"] == "UsageError"
