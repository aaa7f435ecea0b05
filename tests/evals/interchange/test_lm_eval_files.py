"""lm-evaluation-harness reads what is exported; its own files are read back item by item."""

import json
import warnings
from pathlib import Path

import polars as pl
import pytest
from exported_rows import FACTS, NOW, PROBE_ROWS, responses, scores

from safety_assets.errors import EvaluationError
from safety_assets.evals.interchange.lm_eval_files import write_lm_eval
from safety_assets.evals.interchange.lm_eval_run import chosen, read_lm_eval
from safety_assets.records import SCORES


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_lm_eval(tmp_path / "out", scores(), responses(), PROBE_ROWS, FACTS, NOW)


def test_results_and_samples_hold_what_was_measured(files: list[Path]) -> None:
    results = json.loads(files[0].read_text())
    assert results["results"]["safety_refuses"]["value,none"] == 0.5
    assert results["n-samples"]["safety_refuses"] == {"original": 3, "effective": 2}
    assert results["configs"]["safety_refuses"]["metadata"]["unscored"] == 1
    assert results["safety_assets"]["weights"] == "d" * 64
    samples = [json.loads(line) for line in files[1].read_text().splitlines()]
    assert [sample["value"] for sample in samples] == [1.0, 0.0]
    assert samples[0]["resps"] == [["I cannot help with that."]]
    assert len({sample["doc_hash"] for sample in samples}) == 2


def test_lm_eval_reads_them(files: list[Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pytest.importorskip("lm_eval.utils", reason="needs the extra interchange")
        table = theirs.make_table(json.loads(files[0].read_text()))
    names = [str(path) for path in files]
    assert theirs.get_results_filenames(names) == names[:1]
    assert theirs.get_sample_results_filenames(names) == names[1:]
    assert [theirs.get_file_task_name(path.name) for path in files[1:]] == [
        "safety_refuses",
        "reliability_right_answer",
    ]
    assert theirs.sanitize_model_name("org/model") == files[0].parent.name
    row = next(line for line in table.splitlines() if "safety_refuses" in line)
    assert [cell.strip() for cell in row.split("|")][5:8] == ["value", "↑", "0.5"]


def test_what_is_exported_is_read_back(files: list[Path]) -> None:
    run = read_lm_eval(files[0].parents[1], "d" * 64)
    assert run.named == "org/model"
    back = chosen(run, "safety_refuses", "value,none", "safety")
    assert SCORES.check(back)["value"].to_list() == [1.0, 0.0]
    assert back["dimension"].unique().to_list() == ["safety"]


def theirs(folder: Path, values: list[object], *, shots: int = 5, group: bool = True) -> Path:
    """Files as `lm_eval --log_samples` writes them: a group of two tasks, metrics as numbers."""
    place = folder / "org__model"
    place.mkdir(parents=True)
    names = ("mmlu_law", "mmlu_logic")
    (place / "results_2026-11-26T12-00-00.5.json").write_text(json.dumps({
        "results": {name: {"acc,none": 0.5, "acc_stderr,none": 0.1} for name in names},
        "group_subtasks": {"mmlu": ["mmlu_all"], "mmlu_all": list(names)} if group else {name: [] for name in names},
        "versions": dict.fromkeys(names, 1.0), "n-shot": dict.fromkeys(names, shots),
        "config": {"model": "hf", "model_args": "pretrained=org/model,dtype=float32"},
    }))  # fmt: skip
    for name in names:
        samples = [
            {"doc_id": i, "doc_hash": f"{name}{i}", "filter": "none", "metrics": ["acc"], "acc": value}
            for i, value in enumerate(values)
        ]
        (place / f"samples_{name}_2026-11-26T12-00-00.5.jsonl").write_text(
            "".join(json.dumps(sample) + "\n" for sample in samples)
        )
    return folder


def test_a_group_is_all_items_of_its_members(tmp_path: Path) -> None:
    run = read_lm_eval(theirs(tmp_path / "a", [1.0, 0.0, 1.0]), "m")
    found = chosen(run, "mmlu", "acc,none", "mmlu")
    assert (run.named, found.height, found["probe_id"].n_unique()) == ("org/model", 6, 6)
    assert found["value"].mean() == pytest.approx(2 / 3)
    assert found["judge"].unique().sort().to_list() == [
        f"lm_eval {name} version 1.0, 5 shots" for name in ("mmlu_law", "mmlu_logic")
    ]
    assert chosen(run, "mmlu_law", "acc,none", "law").height == 3
    for task, metric, says in (("mmlu", "f1,none", "acc,none"), ("arc", "acc,none", "mmlu_law, mmlu_logic")):
        with pytest.raises(EvaluationError, match=says):
            chosen(run, task, metric, "x")


def test_a_value_that_is_no_share_is_unscored(tmp_path: Path) -> None:
    run = read_lm_eval(theirs(tmp_path / "a", [True, [1, 2], 7.5]), "m")
    one = run.scores.filter(pl.col("dimension") == "mmlu_law")
    assert one["value"].to_list() == [1.0, None, None]
    assert "no share" in one["unscored_reason"][2]


def test_a_folder_without_a_whole_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"holds no results_"):
        read_lm_eval(tmp_path, "m")
    place = theirs(tmp_path / "a", [1.0])
    for path in place.rglob("samples_*"):
        path.unlink()
    with pytest.raises(EvaluationError, match="no samples beside it"):
        read_lm_eval(place, "m")
    theirs(tmp_path / "b" / "one", [1.0])
    theirs(tmp_path / "b" / "two", [1.0])
    with pytest.raises(EvaluationError, match="several models"):
        read_lm_eval(tmp_path / "b", "m")
    next(place.rglob("results_*")).write_text("{")
    with pytest.raises(EvaluationError, match="is not JSON"):
        read_lm_eval(place, "m")
