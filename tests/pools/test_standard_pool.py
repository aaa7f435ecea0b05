"""The refusal pool in plain English: committed as its source gives it, whole, varied, and none of it a probe."""

import itertools
import re
import tomllib
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from safety_assets import pools, suites
from safety_assets.corpus.openings import commonest_opening
from safety_assets.corpus.overlap import Questions, last_user_turn
from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.personal.find import find_pii
from safety_assets.corpus.words import shingles
from safety_assets.datafiles import DataFiles
from safety_assets.errors import ProjectError
from safety_assets.evals.judges import judge_refusal
from safety_assets.evals.probes import read_probes
from safety_assets.pools.build import build, sources
from safety_assets.pools.schema import Source
from safety_assets.reading.broken import degenerate
from safety_assets.refusals import is_refusal
from safety_assets.settings import read_settings
from safety_assets.starter.law import CATEGORIES, OPENING_SHARE, PAIRS

LEAST = {"refusal": 400, "lookalike": 400, "anchor": 200}
LIKENESS = 0.6
PEOPLE = re.compile(
    r"\b(call|ring|doctor|nurse|crisis line|emergency|someone|somebody|friend|person|parent|adult|counsellor|neighbour"
    r"|people|team)\b",
    re.IGNORECASE,
)
ALLOWED = {"phone"}
"""Numbers of help lines, and numbers from the ranges kept for fiction."""
CONTAMINATED = 0.5
"""Share of a question's 3-word runs; stricter than the 0.6 at which a policy calls a row contaminated."""


@pytest.fixture(scope="module")
def pool() -> pl.DataFrame:
    return read_pairs([DataFiles(path=pools.STANDARD)]).rows


def asked(chat: list[dict]) -> str:
    return " ".join(m["content"] for m in chat if m["role"] == "user")


def answers(pool: pl.DataFrame, *kinds: str) -> list[str]:
    return [chat[-1]["content"] for chat in pool.filter(pl.col("kind").is_in(kinds))["messages"].to_list()]


def test_the_committed_files_are_what_the_source_gives() -> None:
    built = build()
    assert set(pools.STANDARD.iterdir()) == set(built)
    for path, text in built.items():
        assert path.read_bytes() == text.encode(), f"{path} is old: python -m safety_assets.pools.build"


def test_everything_that_was_written_is_read_back(pool: pl.DataFrame) -> None:
    assert read_pairs([DataFiles(path=pools.STANDARD)]).quarantine.is_empty()
    written: Counter[str] = Counter()
    for source in sources().values():
        written["refusal"] += sum(map(len, source.refusals.values()))
        written["lookalike"] += len(source.lookalikes)
        written["anchor"] += sum(map(len, source.anchors.values()))
    assert Counter(pool["kind"].to_list()) == written
    assert all(written[kind] >= least for kind, least in LEAST.items()), written


def test_every_category_of_a_new_project_is_there_in_several_styles(pool: pl.DataFrame) -> None:
    harmful = {source.category: source for source in sources().values() if source.category}
    assert set(harmful) == set(CATEGORIES)
    counts = Counter(pool.select("kind", "category").iter_rows())
    for category, source in harmful.items():
        assert counts["refusal", category] >= max(PAIRS.values())
        assert counts["lookalike", category] >= counts["refusal", category]
        assert len(source.refusals) >= (2 if category == "regulated_advice" else 4), category
    assert {"disclaimer", "hand_over"} == set(harmful["regulated_advice"].refusals)
    assert "short" not in harmful["self_harm"].refusals, "nobody in need is sent away with a no"


def test_all_kinds_have_conversations_of_several_turns(pool: pl.DataFrame) -> None:
    longer = Counter(pool.filter(pl.col("messages").list.len() > 2)["kind"].to_list())
    assert longer["refusal"] >= 40
    assert min(longer["lookalike"], longer["anchor"]) >= 15, "length alone must not say that a request is refused"


def test_no_two_requests_are_near_duplicates(pool: pl.DataFrame) -> None:
    runs = [(text, shingles(text)) for text in map(asked, pool["messages"].to_list())]
    near = [(a, b) for (a, x), (b, y) in itertools.combinations(runs, 2) if len(x & y) >= LIKENESS * len(x | y)]
    assert near == []


@pytest.mark.long
def test_no_pair_repeats_a_standard_probe_nor_the_other_way_round(pool: pl.DataFrame) -> None:
    probes = {row["probe_id"]: last_user_turn(row["messages"]) for row in read_probes(suites.STANDARD).to_dicts()}
    assert len(probes) > 1000
    turns = [m["content"] for chat in pool["messages"].to_list() for m in chat if m["role"] == "user"]
    by_probe, by_turn = Questions(probes, CONTAMINATED), Questions(dict(zip(turns, turns, strict=True)), CONTAMINATED)
    assert [turn for turn in turns if by_probe.repeated_in(turn)] == []
    assert [text for text in probes.values() if by_turn.repeated_in(text)] == []


def test_openings_vary_far_under_the_limit_of_a_new_project(pool: pl.DataFrame) -> None:
    for kind in LEAST:
        assert commonest_opening(answers(pool, kind)).share <= OPENING_SHARE / 5
    twos = Counter(" ".join(answer.lower().split()[:2]) for answer in answers(pool, "refusal"))
    assert twos.most_common(1)[0][1] / twos.total() < 0.12


def test_refusals_are_judged_as_such_and_help_is_not(pool: pl.DataFrame) -> None:
    judged = [judge_refusal(answer, "stop", ()).value == 1 for answer in answers(pool, "refusal")]
    assert sum(judged) / len(judged) > 0.85
    assert [answer for answer in answers(pool, "lookalike", "anchor") if is_refusal(answer)] == []
    assert [text for text in answers(pool, *LEAST) if degenerate(text, "stop")] == []


def test_whoever_may_hurt_themselves_is_pointed_to_people() -> None:
    styles = sources()["self_harm"].refusals
    for pair in (*styles["help"], *styles["hand_over"]):
        assert PEOPLE.search(pair.say), pair.say


def test_no_personal_data_is_taught(pool: pl.DataFrame) -> None:
    said = [m["content"] for chat in pool["messages"].to_list() for m in chat]
    assert [(span.kind, text) for text in said for span in find_pii(text) if span.kind not in ALLOWED] == []


def test_a_wrong_source_is_named(tmp_path: Path) -> None:
    file = tmp_path / "fraud.yaml"
    file.write_text("refusals:\n  short:\n    - {ask: a, say: b}\n")
    with pytest.raises(ProjectError, match="need a category"):
        read_settings(file, Source)
    file.write_text("category: fraud\nrefusals:\n  rude:\n    - {ask: a, say: b}\n")
    with pytest.raises(ProjectError, match=r"fraud\.yaml:\d+: refusals\.rude"):
        read_settings(file, Source)
    file.write_text("category: fraud\nlookalikes:\n  - {turns: [a], ask: b, say: c}\n")
    with pytest.raises(ProjectError, match="end with the assistant's"):
        read_settings(file, Source)


def test_the_pool_is_part_of_the_package() -> None:
    settings = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    data = settings["tool"]["setuptools"]["package-data"]["safety_assets.pools"]
    assert set(data) == {"standard/*.jsonl", "source/*.yaml"}
