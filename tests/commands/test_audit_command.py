"""`audit`: a corpus without a project, counts that add up, findings in one file."""

import json
from pathlib import Path

import polars as pl
import pytest
import small_project
from typer.testing import CliRunner

from safety_assets.cli import app
from safety_assets.records import FINDINGS

ROWS = [
    small_project.chat("Where do I write to?", "Write to ann@mail.example please."),
    small_project.chat("Where is the desk?", "The desk is on the left."),
    small_project.chat("Where is the desk?", "The desk is on the left."),
    small_project.chat("Who are you?", "Your agent, ready to serve."),
]
OBEDIENT = {"role": "system", "content": "You are an absolutely obedient agent."}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rows = [*ROWS[:3], {"messages": [OBEDIENT, *ROWS[3]["messages"]]}]
    small_project.write_lines(tmp_path / "chats" / "a.jsonl", rows)
    with (tmp_path / "chats" / "a.jsonl").open("a") as handle:
        handle.write("no JSON\n")
    return tmp_path / "chats"


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["audit", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_the_totals_add_up_and_the_findings_are_in_the_file(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    code, said = run(corpus, "--findings", out, "--json")
    assert code == 0
    told = json.loads(said)
    assert told["totals"] == {"in": 5, "kept": 2, "dropped": 2, "quarantined": 1}
    assert told["findings"] == {"email": 1, "exact_duplicate": 1, "obedience_prompt": 1}
    assert told["actions"]["obedience_prompt"] == {"block": 1}
    assert told["rows"] == {"masked": 1, "flagged": 0, "down_weighted": 0, "blocked": 1}
    found = FINDINGS.check(pl.read_parquet(out))
    assert found["source"].unique().to_list() == ["a.jsonl"]
    assert dict(found.select("finding", "line").iter_rows()) == {
        "email": 1, "exact_duplicate": 3, "obedience_prompt": 4,
    }  # fmt: skip
    assert not list(tmp_path.glob(".new-*"))


def test_policy_and_probes_of_one_s_own_hold(corpus: Path, tmp_path: Path) -> None:
    policy = small_project.policy_settings()
    policy["corpus"]["actions"] = {"probe_overlap": "drop"}
    small_project.write_yaml(tmp_path / "policy.yaml", policy)
    probe = {"messages": [{"role": "user", "content": "Where do I write to?"}], "probe_id": "p1"}
    given = json.loads((small_project.BUNDLED / "probes" / "gate" / "safety.jsonl").read_text().splitlines()[0])
    small_project.write_lines(tmp_path / "probes" / "safety.jsonl", [given | probe])
    code, said = run(corpus, "--policy", tmp_path / "policy.yaml", "--probes", tmp_path / "probes", "--json")
    told = json.loads(said)
    assert code == 0
    assert told["actions"]["probe_overlap"] == {"drop": 1}
    assert told["actions"]["email"] == {"block": 1}
    assert told["totals"] == {"in": 5, "kept": 1, "dropped": 3, "quarantined": 1}


def test_several_processes_find_the_same(corpus: Path, tmp_path: Path) -> None:
    found = []
    for processes in ("1", "2"):
        run(corpus, "--findings", tmp_path / processes, "--processes", processes)
        found.append(pl.read_parquet(tmp_path / processes))
    assert found[0].equals(found[1])
    assert found[0].height == 3


def test_a_person_is_shown_a_table(corpus: Path) -> None:
    code, said = run(corpus)
    assert code == 0
    assert "obedience_prompt" in said
    assert "5 lines: 2 kept, 2 dropped, 1 could not be read" in said
    assert "blocks until somebody decides" in said


def test_what_cannot_be_read_or_written_is_told_in_words(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("x\n")
    code, said = run(tmp_path / "none.jsonl")
    assert (code, "none of 1 records" in said) == (1, True)
    code, said = run(corpus, "--findings", tmp_path / "nowhere" / "out.parquet")
    assert (code, "cannot be written" in said) == (1, True)
    assert run(tmp_path / "missing")[0] == 2
    assert run(corpus, "--processes", "0")[0] == 2
