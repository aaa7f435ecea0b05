"""The audit as an asset: a steward's decisions, its page, what is new since the last one, and where a row went."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.errors import ProjectError
from safety_assets.flows.assets import materialize
from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.trace import trace
from safety_assets.flows.views import ask
from safety_assets.flows.workspace import Made, Workspace
from safety_assets.project import PROJECT_VARIABLE
from safety_assets.records import AUDITED, DECISIONS, FINDINGS, ROWS

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")  # a resample of few probes
Again = Callable[..., Workspace]

MAIL = small_project.chat("Where do I write to about savings?", "Write to ann@mail.example, not to bo@mail.example.")
SHORT = small_project.chat("Is the branch open on Sundays?", "No.")


@pytest.fixture
def dirty(project: Path) -> Path:
    """The finished project with two more rows, and a policy that masks and drops."""
    small_project.write_lines(project / "corpus" / "more.jsonl", [MAIL, SHORT])
    policy = small_project.policy_settings()
    policy["corpus"]["actions"] |= {"email": "mask", "low_quality": "drop"}
    small_project.write_yaml(project / "policy.yaml", policy)
    return project


def audited(ws: Workspace) -> Made:
    materialize(ws, "raw_corpus")
    return materialize(ws, "corpus_audit")


def decide(project: Path, *lines: str) -> None:
    (project / "decisions.csv").write_text("row_id,finding,action,who,why\n" + "".join(f"{line}\n" for line in lines))


def ids(ws: Workspace) -> dict[str, str]:
    """Answer to row id of the two rows."""
    rows = ws.store.current("raw_corpus").frame("rows", ROWS).filter(pl.col("source") == "more.jsonl")
    return {chat[-1]["content"][:5]: row for row, chat in rows.select("row_id", "messages").iter_rows()}


def test_decisions_are_an_input_that_changes_the_audit(again: Again, dirty: Path) -> None:
    first = audited(again())
    row = ids(again())
    assert materialize(again(), "corpus_audit").cached
    decide(dirty, f"{row['No.']},low_quality,keep,Ann,it is closed", f"{row['Write']},email,drop,Ann,private")
    second = materialize(again(), "corpus_audit")
    assert not second.cached
    for made, expected in ((first, ["drop", "mask", "mask"]), (second, ["drop", "drop", "keep"])):
        found = made.artefact.frame("findings", FINDINGS).filter(pl.col("row_id").is_in(list(row.values())))
        assert sorted(found["action"]) == expected
    assert set(second.artefact.frame("decisions", DECISIONS)["state"]) == {"applied"}
    decide(dirty, f"{row['Write']},email,drop,Ann,private", f"{row['No.']},low_quality,keep,Ann,it is closed")
    assert materialize(again(), "corpus_audit").cached, "the order of lines is no difference"


def test_what_is_kept_by_decision_passes_the_checks_on_what_is_left(again: Again, dirty: Path) -> None:
    audited(again())
    row = ids(again())
    decide(dirty, f"{row['Write']},email,keep,Ann,public addresses", f"{row['No.']},low_quality,keep,Ann,closed")
    materialize(again(), "corpus_audit")
    materialize(again(launch=swept), "injection_ratio")
    made = materialize(again(), "audited_corpus")
    rows = made.artefact.frame("rows", AUDITED)
    assert set(row.values()) <= set(rows["row_id"])
    assert "ann@mail.example" in json.dumps(rows.filter(pl.col("row_id") == row["Write"])["messages"].to_list())
    assert set(made.artefact.frame("residue", FINDINGS)["action"]) == {"keep"}
    assert all(verdict.passed for verdict in made.verdicts)
    assert made.metadata["account"]["kept_by_decision"] == 2
    view = ask(again().store, f"SELECT split, weight FROM audited WHERE row_id = '{row['No.']}'").rows
    assert view == [(rows.filter(pl.col("row_id") == row["No."])["split"][0], 1.0)]


def swept(order: dict) -> dict:
    points = [{"share": share, "safety": 9.0, "over_refusal": 0.0} for share in order["shares"]]
    return {"base": {"safety": 9.0, "over_refusal": 0.0}, "points": points}


def test_a_stale_decision_is_shown_and_harms_nothing(again: Again, dirty: Path) -> None:
    decide(dirty, "0000000000000000,email,drop,Ann,gone")
    made = audited(again())
    shown = {verdict.check: verdict for verdict in made.verdicts}
    assert shown["decisions_apply"].status == "fail"
    assert "the corpus has no such row" in shown["decisions_apply"].reasons[0]
    assert not next(check for check in CHECKS["corpus_audit"] if check.name == "decisions_apply").blocking
    materialize(again(launch=swept), "injection_ratio")


def test_a_file_of_decisions_that_cannot_be_read_is_refused(again: Again, dirty: Path) -> None:
    materialize(again(), "raw_corpus")
    decide(dirty, "0,email,pray,Ann,x")
    with pytest.raises(ProjectError, match=r"decisions\.csv:2 has action 'pray'"):
        materialize(again(), "corpus_audit")


def test_the_page_says_what_was_done_and_what_is_new(again: Again, dirty: Path) -> None:
    made = audited(again())
    page, news = made.metadata["page"].text, made.metadata["since_last"].text
    assert "| email | mask | 2 | 1 |" in page
    assert "ann@" not in page
    assert news.startswith("2 rows came, 0 went.")
    assert "| email | mask | 1 | 0 |" in news
    assert materialize(again(force=True), "corpus_audit").artefact.digest == made.artefact.digest


def test_where_a_row_went(again: Again, project: Path) -> None:
    ws = again()
    rows = ws.store.current("audited_corpus").frame("rows", AUDITED)
    in_train, in_exam = (rows.filter((pl.col("split") == s) & (pl.col("origin") == "corpus"))["row_id"][0]
                         for s in ("train", "held_out"))  # fmt: skip
    found = trace(ws, in_train)
    assert [place.about["line"] > 0 for place in found.given] == [True]
    assert [place.recipe for place in found.checkpoints] == ["protected"]
    assert [(place.recipe, place.current) for place in found.releases] == [("protected", True)]
    assert found.audits[0].about == {"findings": []}
    assert trace(ws, in_exam).audited[0].about["split"] == "held_out"
    assert trace(ws, in_exam).checkpoints == trace(ws, in_exam).releases == []
    pair = rows.filter(pl.col("origin") == "refusal")["row_id"][0]
    assert trace(ws, pair).given[0].asset == "refusal_pairs"
    assert len(trace(ws, pair).checkpoints) == 1
    assert trace(ws, "nowhere").given == []


def test_the_commands_say_the_same(again: Again, dirty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROJECT_VARIABLE, str(dirty))
    audited(again())
    row = ids(again())["No."]
    told = CliRunner().invoke(app, ["trace", row, "--json"])
    assert told.exit_code == 0
    document = json.loads(told.stdout)
    assert [one["finding"] for one in document["audits"][-1]["about"]["findings"]] == ["low_quality"]
    assert document["checkpoints"] == []
    assert "audits: 1" in CliRunner().invoke(app, ["trace", row]).stdout
    assert CliRunner().invoke(app, ["trace", "nowhere"]).exit_code == 1
    answer = CliRunner().invoke(app, ["sql", f"SELECT finding FROM findings WHERE row_id = '{row}'", "--json"])
    assert json.loads(answer.stdout) == [{"finding": "low_quality"}]
    assert "quarantine" in CliRunner().invoke(app, ["sql"]).stdout
    wrong = CliRunner().invoke(app, ["sql", "SELECT nothing"])
    assert wrong.exit_code == 1
    assert "the query fails" in wrong.stderr


def test_checks_read_a_damaged_artefact_as_not_certified(again: Again, dirty: Path) -> None:
    made = audited(again())
    next((made.artefact.path / "findings").iterdir()).unlink()
    check = next(check for check in CHECKS["corpus_audit"] if check.name == "no_unresolved_pii")
    assert verdict_of(again(), made.artefact, check, fresh=True).status == "not_certified"
