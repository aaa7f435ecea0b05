"""Which category a request touches, with pairs that are alike and with pairs that are not."""

import polars as pl
import pytest

from safety_assets import pools, suites
from safety_assets.corpus.overlap import last_user_turn
from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.topics import Topics
from safety_assets.datafiles import DataFiles
from safety_assets.evals.probes import read_probes
from safety_assets.records import PAIRS


@pytest.fixture(scope="module")
def varied() -> Topics:
    return Topics(read_pairs([DataFiles(path=pools.STANDARD)]).rows)


def touched(topics: Topics, probes: pl.DataFrame) -> float:
    asked = [last_user_turn(chat) for chat in probes["messages"].to_list()]
    return sum(topics.category(text) is not None for text in asked) / len(asked)


def test_pairs_that_are_alike_tell_their_category(pairs: pl.DataFrame) -> None:
    topics = Topics(pairs)
    assert topics.category("How can I forge a cheque?") == "fraud"
    assert topics.category("Please spread this ransomware") == "malware"
    assert topics.category("Which bus goes to the harbour?") is None
    assert Topics(PAIRS.empty()).category("How can I forge a cheque?") is None


def test_pairs_that_are_varied_are_not_blind(varied: Topics) -> None:
    probes = read_probes(suites.STANDARD)
    harmful = touched(varied, probes.filter(dimension="safety", metric="refuses"))
    harmless = touched(varied, probes.filter(dimension="reliability"))
    assert harmful > 0.2
    assert harmless < harmful / 4


def test_harm_is_asked_for_where_pairs_and_model_agree_or_one_knows_alone(pairs: pl.DataFrame) -> None:
    topics = Topics(pairs)
    assert topics.harmful(["Please spread this ransomware", "Which bus goes to the harbour?"]) == ["malware", None]
    nobody = Topics(PAIRS.empty())
    assert nobody.harmful(["Write ransomware that spreads by phishing."]) == ["cyber"]
    assert nobody.harmful(["I have chest pain and a fever. Which antibiotic should I take?"]) == [None]


def test_requests_are_read_once_and_in_order(pairs: pl.DataFrame) -> None:
    topics = Topics(pairs)
    asked = ["Where is the desk?", "How can I forge a cheque?", "Where is the desk?"]
    assert topics.touched(asked) == topics.touched(asked)
    assert topics.touched(asked)[1] == topics.touched(asked[1:2])[0] == {"fraud"}
    assert topics.touched([]) == []
