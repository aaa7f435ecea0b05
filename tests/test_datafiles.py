"""What project.yaml says of data files: shorthand, columns, where an answer stands."""

from pathlib import Path

import pytest
import yaml

from safety_assets import pools
from safety_assets.datafiles import AnswerRule, Columns, DataFiles
from safety_assets.errors import ProjectError
from safety_assets.project import ProjectFile, open_project

PROJECT = {"name": "p", "base_model": "m", "refusal_pairs": "r.jsonl", "task_set": "t.jsonl", "probes": "probes"}


def project(tmp_path: Path, **changes: object):
    settings = {**PROJECT, "corpus": ["a.jsonl"], **changes}
    (tmp_path / "project.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    return open_project(tmp_path)


def test_a_path_alone_is_a_data_file(tmp_path: Path) -> None:
    named = {"path": "b.csv", "columns": {"prompt": "q", "completion": "a"}}
    found = project(tmp_path, corpus=["a.jsonl", named])
    assert found.corpus == (
        DataFiles(path=tmp_path / "a.jsonl"),
        DataFiles(path=tmp_path / "b.csv", columns=Columns(prompt="q", completion="a")),
    )
    assert found.task_set == DataFiles(path=tmp_path / "t.jsonl")
    assert project(tmp_path, task_set=None).task_set is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"corpus": []}, r"project\.yaml:\d+: corpus: .*at least 1"),
        ({"corpus": [{"path": "a", "columns": {"prompt": "q"}}]}, r"corpus\.0\.columns: .*columns of one shape"),
        ({"corpus": [{"path": "a", "columns": {"messages": "m", "input": "i"}}]}, "columns of one shape"),
        (
            {"corpus": [{"path": "a", "columns": {"messages": "m", "prompt": "p", "completion": "c"}}]},
            "columns of one shape",
        ),
        ({"corpus": [{"path": "a", "columns": {"prompt": "q", "completion": "q"}}]}, "one column cannot be two"),
        ({"corpus": [{"path": "a", "columns": {"text": "t"}}]}, r"corpus\.0\.columns\.text: unknown key"),
        ({"refusal_pairs": []}, r"refusal_pairs: .*at least 1"),
        ({"refusal_pairs": ["standard", {"path": "a", "colums": {}}]}, r"refusal_pairs\.1\.colums: unknown key"),
        ({"task_answer": {}}, "task_answer: .*either after or pattern"),
        ({"task_answer": {"after": "#", "pattern": "(a)"}}, "either after or pattern"),
        ({"task_answer": {"pattern": "("}}, "no regular expression"),
        ({"task_answer": {"pattern": "a(b)(c)"}}, "2 groups, expected one"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, changes: dict, says: str) -> None:
    with pytest.raises(ProjectError, match=says):
        project(tmp_path, **changes)


@pytest.mark.parametrize(
    ("setting", "paths"),
    [
        ("standard", [pools.STANDARD]),
        ("refusals", ["refusals"]),
        (["standard", "refusals"], [pools.STANDARD, "refusals"]),
        ([{"path": "a.csv"}, "b.jsonl"], ["a.csv", "b.jsonl"]),
        ({"path": "standard"}, ["standard"]),
    ],
)
def test_pairs_are_the_pool_of_the_package_or_files_or_both(tmp_path: Path, setting: object, paths: list) -> None:
    found = project(tmp_path, refusal_pairs=setting)
    assert [files.path for files in found.refusal_pairs] == [tmp_path / path for path in paths]
    assert ProjectFile.model_validate(found.settings.model_dump(mode="json")) == found.settings


def test_an_editor_takes_the_word_as_one_of_the_texts() -> None:
    one, several = ProjectFile.model_json_schema()["properties"]["refusal_pairs"]["oneOf"]
    assert [option.get("const") for option in one["anyOf"]] == ["standard", None]
    assert several["items"] == one


@pytest.mark.parametrize(
    ("rule", "text", "answer"),
    [
        ({"after": "####"}, "so #### 4\n#### 42 ", "42"),
        ({"after": "####"}, "42", None),
        ({"after": "####"}, "#### ", None),
        ({"pattern": r"answer is (\d+)"}, "the answer is 4, no: the answer is 42.", "42"),
        ({"pattern": r"answer is (\d+)"}, "the answer is four", None),
        ({"pattern": r"a(b)?"}, "a", None),
    ],
)
def test_the_last_place_counts(rule: dict, text: str, answer: str | None) -> None:
    assert AnswerRule(**rule).find(text) == answer
