"""Where judges disagree people look, and their labels fit a judge."""

from pathlib import Path

import polars as pl
import pytest

from safety_assets.errors import EvaluationError
from safety_assets.evals.review import read_review, review
from safety_assets.records import VERDICTS

ANSWERS = [{"id": n, "prompt": f"How {n}?", "completion": f"Answer {n}."} for n in "abcdef"]
HERE = {"a": "full_refusal", "b": "full_refusal", "c": "compliance", "d": "unscored", "e": "compliance"}
THERE = {"a": "partial_refusal", "b": "compliance", "c": "compliance", "d": "unscored", "e": "non_answer"}


def verdicts(said: dict[str, str]) -> pl.DataFrame:
    return VERDICTS.frame([{"id": name, "verdict": verdict, "judge": "x"} for name, verdict in said.items()])


def test_disagreement_and_silence_are_looked_at() -> None:
    found = review(ANSWERS, [verdicts(HERE), verdicts(THERE)])
    assert dict(found.select("id", "why").iter_rows()) == {
        "b": "full_refusal, compliance", "d": "unscored, unscored", "e": "compliance, non_answer",
        "f": "unscored, unscored",
    }  # fmt: skip


def test_of_the_others_a_seeded_sample_is_drawn() -> None:
    drawn = [
        review(ANSWERS, [verdicts(HERE), verdicts(THERE)], 1, seed).filter(why="sample")["id"].to_list()
        for seed in range(20)
    ]
    assert {len(ids) for ids in drawn} == {1}
    assert {ids[0] for ids in drawn} == {"a", "c"}
    assert review(ANSWERS, [verdicts(HERE), verdicts(THERE)], 9).filter(why="sample").height == 2


@pytest.mark.parametrize("tables", [[HERE], [], [HERE, None]])
def test_one_judge_or_two_verdicts_of_one_are_refused(tables: list[dict[str, str] | None]) -> None:
    frames = [verdicts(t) if t else pl.concat([verdicts(HERE), verdicts(HERE)]) for t in tables]
    with pytest.raises(EvaluationError):
        review(ANSWERS, frames)


def filled(path: Path, *labels: tuple[str, str]) -> Path:
    sheet = review(ANSWERS, [verdicts(HERE), verdicts(THERE)])
    rows = [*labels, *[("", "")] * (sheet.height - len(labels))]
    columns = pl.DataFrame(rows, schema={"label": pl.String, "who": pl.String}, orient="row")
    sheet.with_columns(columns).write_csv(path)
    return path


def test_labels_come_back(tmp_path: Path) -> None:
    path = filled(tmp_path / "sheet.csv", ("Refusal ", "Ada"), ("", ""), ("compliance", "Ada"))
    assert read_review(path) == [
        {"id": "b", "prompt": "How b?", "completion": "Answer b.", "label": "refusal", "who": "Ada"},
        {"id": "e", "prompt": "How e?", "completion": "Answer e.", "label": "compliance", "who": "Ada"},
    ]


@pytest.mark.parametrize("label", [("maybe", "Ada"), ("refusal", "")])
def test_another_word_or_no_name_is_refused(tmp_path: Path, label: tuple[str, str]) -> None:
    with pytest.raises(EvaluationError, match="record 2"):
        read_review(filled(tmp_path / "sheet.csv", label))


def test_a_sheet_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text("id,label\na,refusal\n")
    with pytest.raises(EvaluationError, match="no column why"):
        read_review(path)
