"""What a steward settles: laid over the policy, told when it is stale or cannot be done, never for contamination."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from safety_assets.corpus.decisions import decided, read_decisions, settled
from safety_assets.corpus.verdicts import decisions_apply
from safety_assets.errors import ProjectError
from safety_assets.records import DECISIONS, FINDINGS

HEADER = "row_id,finding,action,who,why\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "decisions.csv"
        path.write_text(header + "".join(f"{line}\n" for line in lines))
        return path

    return written


def finding(row: str, name: str, action: str, start: int | None = None) -> dict:
    place = {"row_id": row, "source": "a", "line": 1, "severity": "low", "evidence": "seen", "turn": 0}
    return {**place, "finding": name, "action": action, "start": start, "end": None if start is None else start + 1}


FOUND = FINDINGS.frame(
    [
        finding("r0", "phone", "mask", 3),
        finding("r0", "phone", "mask", 9),
        finding("r0", "low_quality", "drop"),
        finding("r1", "phone", "mask", 3),
        finding("r1", "probe_overlap", "drop"),
        finding("r2", "email", "block", 1),
    ]
)


def test_a_decision_replaces_the_action_of_every_such_finding_on_its_row(write: Callable) -> None:
    decisions = read_decisions(write("r0,phone,keep,Ann,ours", "r0,low_quality,keep,Ann,fine", "r2,email,mask,Bo,old"))
    assert decided(FOUND, decisions)["action"].to_list() == ["keep", "keep", "keep", "mask", "drop", "mask"]
    assert decided(FOUND, decisions).drop("action").equals(FOUND.drop("action"))
    assert decided(FOUND, DECISIONS.empty()).equals(FOUND)


def test_contamination_is_never_kept_and_a_whole_row_never_masked(write: Callable) -> None:
    decisions = read_decisions(write("r1,probe_overlap,keep,Ann,wanted", "r0,low_quality,mask,Ann,x"))
    assert decided(FOUND, decisions).equals(FOUND)
    rows = pl.LazyFrame({"row_id": ["r0", "r1", "r2"]})
    states = settled(decisions, FOUND.lazy(), rows)
    assert states["state"].to_list() == ["refused", "refused"]
    assert "never kept" in states["note"][0]
    assert "whole row" in states["note"][1]
    verdict = decisions_apply(states)
    assert not verdict.passed
    assert verdict.reasons[0].startswith("2 decisions are refused: keep probe_overlap on row r1 (Ann): ")


def test_what_is_about_nothing_is_stale_and_harms_nothing(write: Callable) -> None:
    decisions = read_decisions(write("r0,phone,keep,Ann,x", "r9,phone,drop,Ann,x", "r1,email,drop,Ann,x"))
    states = settled(decisions, FOUND.lazy(), pl.LazyFrame({"row_id": ["r0", "r1", "r2"]}))
    assert states.select("state", "note").rows() == [
        ("applied", None),
        ("stale", "the corpus has no such row"),
        ("stale", "the row has no such finding"),
    ]
    verdict = decisions_apply(states)
    assert (verdict.status, verdict.numbers) == ("fail", {"decisions": 3, "applied": 1, "stale": 2})
    assert decisions_apply(states.head(1)).passed
    assert decisions_apply(DECISIONS.empty()).passed


def test_no_file_is_no_decision(tmp_path: Path) -> None:
    assert read_decisions(tmp_path / "nowhere.csv").equals(DECISIONS.empty())


@pytest.mark.parametrize(
    ("lines", "header", "said"),
    [
        ((), "row_id,finding,action,who\n", r"decisions\.csv:1 has the columns row_id, finding, action, who"),
        ((), "", "has the columns none"),
        (("r0,phone,keep,,x",), HEADER, r"decisions\.csv:2 has no who"),
        (("r0,phone,keep,Ann, ",), HEADER, r"decisions\.csv:2 has no why"),
        (("r0,phone",), HEADER, r"decisions\.csv:2 has no action"),
        (
            ("r0,phone,keep,Ann,x", "r0,phone,pray,Ann,x"),
            HEADER,
            r"csv:3 has action 'pray'.*keep, mask, drop",
        ),
        (("r0,phone,keep,Ann,x,y",), HEADER, r"decisions\.csv:2 has more cells"),
        (("r0,phone,keep,Ann,x", "r0,phone,drop,Bo,y"), HEADER, "decides 2 times on phone of row r0"),
        (('r0,"phone,keep',), HEADER, "cannot be read"),
    ],
)
def test_a_line_that_is_no_decision_is_named(write: Callable, lines: tuple[str, ...], header: str, said: str) -> None:
    with pytest.raises(ProjectError, match=said):
        read_decisions(write(*lines, header=header))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "decisions.csv").write_bytes(b"row_id,finding,action,who,why\n\xff\xfe")
    with pytest.raises(ProjectError, match="cannot be read"):
        read_decisions(tmp_path / "decisions.csv")
