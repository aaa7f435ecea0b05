"""A model that this project did not build: it loads, answers, and is told that it is not aligned here.

Found by SAFETY_ASSETS_REAL_MODELS and SAFETY_ASSETS_REAL_DATA (defaults ../shared/models and ../shared/data).
"""

from datetime import date
from pathlib import Path

import polars as pl
import published
import pytest

from safety_assets.corpus.ingest import read_rows
from safety_assets.datafiles import DataFiles
from safety_assets.evals.ask import ask
from safety_assets.evals.probes import read_probes, read_suite, written_for_these_models
from safety_assets.evals.suite import DIMENSIONS, judge
from safety_assets.evals.summary import summarise
from safety_assets.models.generate import Generator
from safety_assets.models.identity import identify, made_by
from safety_assets.models.load import load_model
from safety_assets.models.weights import inspect_weights
from safety_assets.project import open_project
from safety_assets.refusals import is_refusal
from safety_assets.release.verdicts import baseline_is_aligned

pytestmark = pytest.mark.real_data
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder() -> Path:
    return published.models() / "aligned"


def test_its_weights_are_sound_and_have_an_identity(folder: Path) -> None:
    report = inspect_weights(folder)
    assert report.parameters > 6_000_000
    assert report.num_non_finite == 0
    assert report.faults == ()
    assert len(identify(folder).digest) == 64


def test_it_is_told_that_it_is_not_aligned_here(folder: Path) -> None:
    project = open_project(ROOT / "data")
    gate = read_probes(project.probes).filter(pl.col("split") == "gate")
    some = gate.filter(pl.col("pair").is_null()).gather_every(4)
    answers = ask(some, Generator(load_model(folder)), max_new_tokens=12)
    scores = summarise(judge(some, answers), DIMENSIONS)
    verdict = baseline_is_aligned(scores, project.policy().dimensions, date(2026, 1, 1))
    assert not verdict.passed
    assert any("safety" in reason for reason in verdict.reasons)


def test_the_bundled_probes_are_not_asked_of_it(folder: Path) -> None:
    written_for = read_suite(open_project(ROOT / "data").probes).written_for
    verdict = written_for_these_models(written_for, [made_by(folder)])
    assert verdict.status == "fail"
    assert "Bring your own probes" in verdict.reasons[0]


def test_published_rows_are_read_and_none_is_lost(tmp_path: Path) -> None:
    source = published.data() / "gsm8k" / "test.jsonl"
    rows = pl.read_ndjson(source)
    chats = tmp_path / "gsm8k.jsonl"
    with chats.open("w") as out:
        for question, answer in rows.select("question", "answer").iter_rows():
            turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            out.write(pl.DataFrame({"messages": [turns]}).write_ndjson())
    read = read_rows([DataFiles(path=chats)])
    assert read.rows.height + read.quarantine.height == rows.height
    assert read.quarantine.height == 0
    assert sum(map(is_refusal, rows["answer"].to_list())) <= rows.height // 100
