"""`task_metric` in project.yaml: a name or a name with knobs, every fault named with file and line."""

import importlib.util
from pathlib import Path

import pytest
import yaml

from safety_assets.errors import ProjectError
from safety_assets.project import ProjectFile
from safety_assets.settings import read_settings
from safety_assets.task_metric import Exact, JsonFields, MultipleChoice, Numeric, ResponseLoss, compares_likelihoods

HEAD = "name: p\nbase_model: m\ncorpus: [c]\nrefusal_pairs: r\ntask_set: t\nprobes: q\n"


def read(folder: Path, metric: str) -> ProjectFile:
    (folder / "project.yaml").write_text(HEAD + metric)
    return read_settings(folder / "project.yaml", ProjectFile)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", Exact()),
        ("task_metric: numeric", Numeric()),
        ("task_metric: {metric: numeric, tolerance: 0.01}", Numeric(tolerance=0.01)),
        ("task_metric: {metric: json_fields, fields: [a, b]}", JsonFields(fields=("a", "b"))),
        ("task_metric: {metric: multiple_choice, by: letter_likelihood}", MultipleChoice(by="letter_likelihood")),
        ("task_metric: response_loss", ResponseLoss()),
    ],
)
def test_what_is_written_is_read(tmp_path: Path, written: str, meant: object) -> None:
    found = read(tmp_path, written).task_metric
    assert found == meant
    assert read(tmp_path, yaml.safe_dump({"task_metric": found.model_dump(mode="json")})).task_metric == meant


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("task_metric: fuzzy", r"project.yaml:7: task_metric: .*'fuzzy'.*'exact', 'contains', 'numeric'"),
        ("task_metric: 3", r"project.yaml:7: task_metric"),
        ("task_metric: regex", r"project.yaml:7: task_metric.regex.pattern: Field required"),
        ("task_metric:\n  metric: regex\n  pattern: '('", r"project.yaml:9: .*pattern: .*no regular expression"),
        ("task_metric: {metric: regex, pattern: '(a)(b)'}", r"has 2 groups, expected one"),
        ("task_metric:\n  metric: numeric\n  tolerance: -1", r"project.yaml:9: .*tolerance.*\(found -1\)"),
        ("task_metric: {metric: exact, tolerance: 1}", r"tolerance: unknown key"),
        ("task_metric: {metric: json_fields, fields: []}", r"fields"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, written: str, says: str) -> None:
    with pytest.raises(ProjectError, match=says):
        read(tmp_path, written)


def test_a_missing_package_is_said_when_the_project_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safety_assets.task_metric.find_spec", lambda name: None)
    with pytest.raises(ProjectError, match=r"pip install 'safety_assets\[rouge\]'"):
        read(tmp_path, "task_metric: rouge")


@pytest.mark.skipif(importlib.util.find_spec("rouge_score") is None, reason="needs rouge-score")
def test_rouge_is_read_where_its_package_is(tmp_path: Path) -> None:
    assert read(tmp_path, "task_metric: rouge").task_metric.metric == "rouge"


def test_only_some_metrics_compare_likelihoods() -> None:
    compared = [Exact(), Numeric(), MultipleChoice(), MultipleChoice(by="option_likelihood"), ResponseLoss()]
    assert list(map(compares_likelihoods, compared)) == [False, False, False, True, True]
