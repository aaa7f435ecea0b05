"""Published rows as their authors put them up: read without a change, nothing lost.

Found by SAFETY_ASSETS_REAL_DATA (default ../shared/data).
"""

import csv
import json
from pathlib import Path

import published
import pytest

from safety_assets.corpus.ingest import read_rows
from safety_assets.corpus.tasks import read_tasks
from safety_assets.datafiles import AnswerRule, Columns, DataFiles
from safety_assets.errors import CorpusError

pytestmark = pytest.mark.real_data
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data() -> Path:
    return published.data()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("gsm8k/test.jsonl", "question/answer"),
        ("alpaca/alpaca_en_demo.json", "alpaca"),
        ("alpaca/alpaca_data_safety_only.json", "alpaca"),
        ("identity/identity.json", "alpaca"),
        ("safety_tuned_llamas/safety_only_data_Instructions.json", "alpaca"),
        ("xstest/labelled_responses.jsonl", "prompt/completion"),
    ],
)
def test_published_rows_are_recognised(data: Path, name: str, shape: str) -> None:
    path = data / name
    text = path.read_text(encoding="utf-8")
    published = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    found = read_rows([DataFiles(path=path)])
    assert found.rows.height + found.quarantine.height == len(published)
    assert found.sources["shape"].to_list() == [shape]
    assert found.quarantine.height <= len(published) // 100


def test_dolly_is_read_under_named_columns(data: Path) -> None:
    columns = Columns(instruction="instruction", input="context", output="response")
    found = read_rows([DataFiles(path=data / "dolly" / "databricks-dolly-15k-safety-only.jsonl", columns=columns)])
    assert found.rows.height == 387
    assert found.quarantine.is_empty()


def test_gsm8k_is_a_task_set_as_it_is(data: Path) -> None:
    path = data / "gsm8k" / "test.jsonl"
    tasks = read_tasks(DataFiles(path=path), AnswerRule(after="####"))
    assert tasks.height == 1319
    assert tasks["answer"].str.contains(r"^-?[\d,.]+$").all()
    assert tasks.equals(read_tasks(DataFiles(path=path), AnswerRule(pattern=r"#### (\S+)")))


def test_a_table_without_answers_is_refused_by_its_columns(data: Path) -> None:
    path = data / "xstest" / "xstest_prompts.csv"
    with path.open(encoding="utf-8") as lines:
        header = next(csv.reader(lines))
    with pytest.raises(CorpusError) as refused:
        read_rows([DataFiles(path=path)])
    assert all(repr(name) in str(refused.value) for name in header[:8])
