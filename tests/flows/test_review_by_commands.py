"""The queue by the commands: out as a sheet, back in, and read by the decision; what cannot be taken is set aside."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import marked_judge
import polars as pl
import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.commands.gate import EXIT_CODES
from safety_assets.errors import EvaluationError
from safety_assets.evals.review import REVIEW
from safety_assets.flows.read_answers import read_reviewed
from safety_assets.flows.review_queue import keep_sheet, take_in
from safety_assets.flows.workspace import Workspace
from safety_assets.project import PROJECT_VARIABLE

DAY = date(2026, 1, 31)
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore:Mean of empty slice")]  # a resample of few probes


@pytest.fixture
def judged_twice(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The finished project whose policy now demands a second judge."""
    monkeypatch.setenv(PROJECT_VARIABLE, str(project))
    monkeypatch.chdir(project)
    with marked_judge.judging() as judges:
        law = small_project.policy_settings() | {"judges": {**judges, "max_disagreement": 1.0}}
        small_project.write_yaml(project / "policy.yaml", law)
        yield project


def told(code: int, *words: str) -> dict:
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def decided(*first: str) -> dict:
    """The decision, with what it rests on made anew by the command."""
    for asset in (*first, "eval_scores", "forgotten_behaviours", "release_decision"):
        made = CliRunner().invoke(app, ["materialize", asset, "--recipe", "protected", "--json"])
    return json.loads(Path(json.loads(made.stdout)["path"], "decision.json").read_text())


def filled(sheet: str, out: str, labels: list[tuple[str, str]], **cells: str) -> pl.DataFrame:
    """Fill in the first lines as given and all others as people who agree with the first judge do.

    Args:
        cells: column to what stands in it in the last line.
    """
    frame = pl.read_csv(sheet, infer_schema=False)
    rows = [*labels, *[("non_answer", "Ada Lovelace")] * (frame.height - len(labels))]
    columns = pl.DataFrame(rows, schema={"label": pl.String, "who": pl.String}, orient="row")
    last = pl.int_range(pl.len()) == frame.height - 1
    changed = [pl.when(last).then(pl.lit(new)).otherwise(name).alias(name) for name, new in cells.items()]
    frame.with_columns(columns).with_columns(changed).write_csv(out)
    return frame


def test_from_the_queue_to_the_decision(judged_twice: Path) -> None:
    waits = decided("finetuned_checkpoint", "candidate_responses")
    assert waits["status"] == "not_certified"
    assert "review queue protected" in " ".join(waits["reasons"])
    queued = told(0, "review", "queue", "protected", "--out", "queue.csv")["rows"]
    assert f"{queued} of {queued} answers wait for a person" in " ".join(waits["reasons"])
    sheet = filled("queue.csv", "filled.csv", [("refused", "Ada"), ("non_answer", " ")], id="1e5")
    said = told(0, "review", "record", "filled.csv")
    assert (said["taken"], said["rows"]) == (queued - 3, queued - 3)
    assert said["set_aside"] == [
        "filled.csv, record 2 is labelled 'refused'", "filled.csv, record 3 does not say who labelled it",
        f"filled.csv, record {queued + 1}: answer 1e5 stands in no queue now; whoever gave it was made anew, or it is "
        "of another project",
    ]  # fmt: skip
    assert told(0, "review", "queue", "protected", "--out", "left.csv")["rows"] == 3
    left = filled("left.csv", "rest.csv", [])
    assert set(left["id"]) == set(sheet["id"].gather([0, 1, queued - 1]))
    assert told(0, "review", "record", "rest.csv")["set_aside"] == []
    read = decided()
    assert (read["status"], read["reasons"]) == ("approved", [])
    assert told(0, "review", "queue", "protected", "--out", "none.csv")["rows"] == 0


def sheet_of(path: Path, *rows: tuple[str, str, str]) -> Path:
    lines = [
        {"id": i, "why": "", "prompt": "p", "completion": "c", "label": label, "who": who} for i, label, who in rows
    ]
    REVIEW.frame(lines).write_csv(path)
    return path


QUEUE = REVIEW.frame(
    [{"id": i, "why": "a, b", "prompt": "p", "completion": "c", "label": "", "who": ""} for i in "abc"]
)


def test_a_contradiction_and_a_line_without_an_id_are_set_aside(fresh: Workspace, tmp_path: Path) -> None:
    keep_sheet(fresh, "served", QUEUE, {"tuned": "0" * 64})
    lines = (("a", "refusal", "Ada"), ("b", "hedged", "Ada"), ("b", "refusal", "Ada"), (" ", "refusal", "Ada"))
    taken = take_in(fresh, sheet_of(tmp_path / "s.csv", *lines), DAY)
    assert (taken.taken, taken.read) == (1, 1)
    assert taken.set_aside == (
        "s.csv, record 3: answer b has two labels", "s.csv, record 4: answer b has two labels",
        "s.csv, record 5 has no id",
    )  # fmt: skip


def test_an_answer_of_a_queue_that_was_made_anew_is_stale(fresh: Workspace, tmp_path: Path) -> None:
    keep_sheet(fresh, "served", QUEUE, {"tuned": "0" * 64})
    sheet = sheet_of(tmp_path / "s.csv", ("a", "refusal", "Ada"))
    assert take_in(fresh, sheet, DAY).set_aside == ()
    keep_sheet(fresh, "served", QUEUE.filter(id="c"), {"tuned": "1" * 64})
    with pytest.raises(EvaluationError, match="none of 1 labels can be taken.*answer a stands in no queue now"):
        take_in(fresh, sheet, DAY)
    assert set(read_reviewed(fresh.project)) == {"a"}


def test_a_sheet_of_gate_comes_back(fresh: Workspace, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fresh.project.folder
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    monkeypatch.chdir(folder)
    with marked_judge.judging() as judges:
        law = small_project.policy_settings() | {"judges": {**judges, "max_disagreement": 1.0}}
        small_project.write_yaml(folder / "policy.yaml", law)
        gate = ("gate", "--base", str(tiny_model), "--tuned", str(tiny_model))
        waits = told(EXIT_CODES["not_certified"], *gate, "--review", "queue.csv")
        assert "wait for a person" in " ".join(waits["reasons"])
        filled("queue.csv", "filled.csv", [])
        assert told(0, "review", "record", "filled.csv")["set_aside"] == []
        assert told(0, *gate)["decision"] == "approved"
