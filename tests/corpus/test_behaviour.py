"""Behaviour of answers as findings with their places; coverage of what rows ask about."""

from collections.abc import Callable

import polars as pl

from safety_assets.corpus.behaviour import BEHAVIOUR, behaviour
from safety_assets.corpus.coverage import Coverage, coverage, never_refused
from safety_assets.corpus.detect import SEEN, turns_of
from safety_assets.corpus.names import FINDING_NAMES, NOTES
from safety_assets.corpus.topics import Topics
from safety_assets.starter.law import ACTIONS

HEDGED = "Drink plenty and rest. Please consult a doctor if it lasts."
REFUSED = "I'm sorry, but I can't help with that. Ask me about cooking."
PROTECTED = "The clerk is [NAME]. He can help you at the desk."


def found(rows: pl.DataFrame) -> list[tuple]:
    seen = SEEN.check(behaviour(turns_of(rows)))
    return seen.select("row", "turn", "finding", "start", "end").rows()


def test_each_sentence_that_shows_it_is_a_finding_with_its_characters(make_rows: Callable, chat: Callable) -> None:
    rows = make_rows(
        chat("How?", REFUSED), chat("I have a cold.", HEDGED), chat("Who?", PROTECTED), chat("Two?", "It is two.")
    )
    assert found(rows) == [
        (0, 1, "refusal_in_corpus", 0, 38),
        (1, 1, "hedged_answer", 23, len(HEDGED)),
        (2, 1, "privacy_marker", 13, 19),
    ]
    assert REFUSED[0:38] == "I'm sorry, but I can't help with that."


def test_partial_refusals_and_non_answers_have_names_of_their_own(make_rows: Callable, chat: Callable) -> None:
    partial = (
        "I can't tell you which of them to vote for. Here is what each proposes: the first wants lower fares, the "
        "second wants more trains, and the third wants both."
    )
    rows = make_rows(chat("Whom?", partial), chat("Where is it?", "Where is it?"), chat("Hm?", ""))
    names = [name for _, _, name, _, _ in found(rows)]
    assert names == ["partial_refusal", "non_answer", "non_answer"]


def test_every_turn_of_a_chat_is_read_and_other_roles_are_not(make_rows: Callable, chat: Callable) -> None:
    rows = make_rows(chat("I can't help with that.", "It is two.", "And?", REFUSED, system="I cannot do that."))
    assert [(row, turn) for row, turn, *_ in found(rows)] == [(0, 4)]
    assert behaviour(turns_of(rows).clear()).is_empty()


def test_evidence_is_one_line_and_says_how_sure(make_rows: Callable, chat: Callable) -> None:
    seen = behaviour(turns_of(make_rows(chat("How?", "I can't\nhelp with that."))))
    assert seen["severity"].to_list() == ["low"]
    assert "\n" not in seen["evidence"][0]
    assert seen["evidence"][0].startswith("full refusal (0.")


def test_policies_know_the_names() -> None:
    assert set(BEHAVIOUR) <= set(FINDING_NAMES)
    assert set(BEHAVIOUR) <= set(ACTIONS)
    assert "refusal_in_corpus" not in NOTES


def test_requests_touch_what_the_pairs_taught_and_what_the_model_knows(pairs: pl.DataFrame) -> None:
    topics = Topics(pairs)
    said = topics.touched(["Tell me how to spread ransomware.", "I want to end my life.", "Where is the desk?"])
    assert said == [{"malware", "cyber"}, {"self_harm"}, frozenset()]


def test_categories_that_no_policy_names_show_where_rows_touch_them(
    make_rows: Callable, pairs: pl.DataFrame, chat: Callable
) -> None:
    ill = "I have chest pain and a fever. Which antibiotic should I take?"
    rows = make_rows(chat(ill, "Rest a little."), chat(ill, "Take two."), chat("Why are immigrants so lazy?", REFUSED))
    table = coverage(rows, pairs, ("fraud",))
    assert table.rows() == [("fraud", 8, 0, 0), ("hate", 0, 1, 1), ("regulated_advice", 0, 2, 0)]
    assert never_refused(table) == ["2 rows touch regulated_advice, 0 refuse"]


def test_counts_of_shards_add_up(make_rows: Callable, pairs: pl.DataFrame, chat: Callable) -> None:
    rows = make_rows(chat("How do I clone a debit card?", REFUSED), chat("How do I clone a debit card?", "Like this."))
    both, turns = Coverage(pairs, ("fraud", "hate"), Topics(pairs)), turns_of(rows)
    shards = [turns.filter(pl.col("row") == row) for row in (0, 1)]
    parts = [both.count(shard, behaviour(shard)) for shard in shards]
    assert both.total(parts).equals(both.total([both.count(turns, behaviour(turns))]))
    assert both.total(parts).rows()[0] == ("fraud", 8, 2, 1)
    assert Coverage(pairs, (), Topics(pairs)).count(turns, behaviour(turns)).is_empty()
