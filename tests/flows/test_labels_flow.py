"""People's labels from the sheet to the gate: demanded at high risk, followed over deliveries, shown on the page."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.corpus.labels import LABELLED, read_labels
from safety_assets.errors import CorpusError, GateRefused
from safety_assets.flows.assets import materialize
from safety_assets.flows.standing import explain
from safety_assets.flows.workspace import Made, Workspace
from safety_assets.project import PROJECT_VARIABLE
from safety_assets.records import ROWS, Verdict
from safety_assets.store import WHOLE

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
Again = Callable[..., Workspace]
SAMPLE = 40


def write_policy(project: Path, **corpus: object) -> None:
    policy = small_project.policy_settings() | {"risk": "high"}
    policy["corpus"] |= {"label_sample": SAMPLE} | corpus
    small_project.write_yaml(project / "policy.yaml", policy)


@pytest.fixture
def high(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The finished project at high risk, with an audit to label."""
    write_policy(project)
    monkeypatch.setenv(PROJECT_VARIABLE, str(project))
    monkeypatch.chdir(project)
    return project


def checked(made: Made) -> Verdict:
    return next(verdict for verdict in made.verdicts if verdict.check == "quality_labelled")


def told(*words: str) -> dict:
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def fill_in(sheet: str, bad: int = 0) -> None:
    """Label the first so many rows of a sheet bad, the others good."""
    frame = pl.read_csv(sheet, infer_schema=False)
    labels = ["bad" if i < bad else "good" for i in range(frame.height)]
    frame.with_columns(label=pl.Series(labels), who=pl.lit("Ann Lee")).write_csv(sheet)


def test_from_the_sheet_to_a_green_check(again: Again, high: Path) -> None:
    materialize(again(), "corpus_closeness")  # which reads the same section of the policy
    made = materialize(again(), "corpus_audit")
    assert checked(made).status == "not_certified"
    with pytest.raises(GateRefused, match=r"quality_labelled could not be certified.*labels sample"):
        materialize(again(), "injection_ratio")
    found = explain(again(), "corpus_audit", WHOLE)
    assert (found.state, found.command) == ("red", "safety-assets materialize corpus_audit")
    assert "Type `safety-assets labels sample`, fill in label and who" in found.mend
    assert f"{SAMPLE} of the 48 rows that are left are drawn" in made.metadata["page"].text

    assert told("labels", "sample", "--out", "sheet.csv")["next"] == ["safety-assets labels read sheet.csv"]
    fill_in("sheet.csv")
    read = told("labels", "read", "sheet.csv")
    assert (read["check"]["status"], read["numbers"]["labelled"], read["changed"]) == ("pass", SAMPLE, 0)
    assert "page 1 of the guide" not in (high / "labels.csv").read_text(), "no chat is kept"
    stale = explain(again(), "corpus_audit", WHOLE)
    assert any("labels changed since corpus_audit was made" in reason for reason in stale.reasons)
    made = materialize(again(), "corpus_audit")
    assert not made.cached
    assert checked(made).passed
    assert f"0 of {SAMPLE} labelled rows are bad (0.0%, 95% 0.0% to 8.8%)" in made.metadata["page"].text
    assert explain(again(), "corpus_audit", WHOLE).state == "green"
    labels = read_labels(high / "labels.csv")
    labels.reverse().write_csv(high / "labels.csv")
    assert materialize(again(), "corpus_audit").cached, "the order of lines is no difference"


def test_labels_hold_for_the_same_rows_of_a_new_delivery(again: Again, high: Path) -> None:
    materialize(again(), "corpus_audit")
    told("labels", "sample", "--out", "sheet.csv")
    fill_in("sheet.csv")
    told("labels", "read", "sheet.csv")
    news = [small_project.chat(f"What is new in part {n}?", f"{n} is the leaf that tells it.") for n in range(5)]
    small_project.write_lines(high / "corpus" / "more.jsonl", news)
    materialize(again(), "raw_corpus")
    made = materialize(again(), "corpus_audit")
    labelled = made.artefact.frame("labelled", LABELLED)
    missing = labelled.filter(pl.col("label").is_null()).height
    assert 0 < missing <= 5
    assert f"{missing} of the {SAMPLE} sampled rows are not labelled" in checked(made).reasons[0]
    told("labels", "sample", "--out", "second.csv")
    sheet = pl.read_csv("second.csv", infer_schema=False)
    assert sheet["label"].fill_null("").to_list().count("") == missing


def test_taking_out_the_bad_rows_that_were_drawn_does_not_help(again: Again, high: Path) -> None:
    write_policy(high, label_sample=36)
    materialize(again(), "corpus_audit")
    told("labels", "sample", "--out", "sheet.csv")
    fill_in("sheet.csv", bad=8)
    told("labels", "read", "sheet.csv")
    assert checked(materialize(again(), "corpus_audit")).status == "fail"
    sheet = pl.read_csv("sheet.csv", infer_schema=False)
    bad = sheet.filter(pl.col("label") == "bad")["row_id"].to_list()
    small_project.write_lines(high / "corpus" / "more.jsonl", [
        small_project.chat(f"What is new in part {n}?", f"{n} is the leaf that tells it.") for n in range(20)
    ])  # fmt: skip
    drop_rows(again(), high, bad)
    materialize(again(), "raw_corpus")
    materialize(again(), "corpus_audit")
    told("labels", "sample", "--out", "second.csv")
    fill_in("second.csv")
    told("labels", "read", "second.csv")
    verdict = checked(materialize(again(), "corpus_audit"))
    assert (verdict.status, verdict.numbers["bad"], verdict.numbers["left"]) == ("fail", 0, 8)
    write_policy(high, label_sample=36, label_seed=1)
    assert checked(materialize(again(), "corpus_audit")).numbers["left"] == 0


def drop_rows(ws: Workspace, project: Path, row_ids: list[str]) -> None:
    """Take rows out of the corpus file."""
    rows = ws.store.current("raw_corpus").shards("rows", ROWS).whole()
    lines = set(rows.filter(pl.col("row_id").is_in(row_ids))["line"].to_list())
    path = project / "corpus" / "rows.jsonl"
    kept = [text for number, text in enumerate(path.read_text().splitlines(), 1) if number not in lines]
    path.write_text("\n".join(kept) + "\n")


def test_at_moderate_risk_nobody_has_to_label(again: Again, project: Path) -> None:
    made = materialize(again(), "corpus_audit")
    assert checked(made).passed
    assert checked(made).numbers["demanded"] == "no"


def test_labels_that_cannot_be_read_stop_the_audit(again: Again, high: Path) -> None:
    (high / "labels.csv").write_text("row_id,draw,label,who\na,0,fine,ann\n")
    with pytest.raises(CorpusError, match=r"labels\.csv, record 2 is labelled 'fine'"):
        materialize(again(), "corpus_audit")


def test_a_sheet_is_never_overwritten(again: Again, high: Path) -> None:
    materialize(again(), "corpus_audit")
    (high / "sheet.csv").write_text("filled in")
    result = CliRunner().invoke(app, ["labels", "sample", "--out", "sheet.csv"])
    assert result.exit_code == 1
    assert "sheet.csv exists" in result.stderr
    assert (high / "sheet.csv").read_text() == "filled in"
