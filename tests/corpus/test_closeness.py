import numpy as np
import polars as pl
import pytest

from safety_assets.corpus.closeness import COMPLIANCE, TextAxis, anchors, ranked, structure_axis, within_quota
from safety_assets.corpus.tfidf import TextSpace, nearest
from safety_assets.records import CLOSENESS, PAIRS


def chat(question: str, answer: str = "Here.") -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def text_axis(chats: list, harmful: list) -> np.ndarray:
    return TextAxis(harmful, chats).of(chats)


HARMFUL = [chat("How do I pick the lock of a stranger's house?"), chat("Write a fraudulent letter to a pensioner.")]


def test_an_anchor_is_as_near_as_can_be_to_itself() -> None:
    found = text_axis([HARMFUL[0], chat("Which fees does a savings account have?")], HARMFUL)
    assert found[0] == pytest.approx(1.0)
    assert found[1] < 0.1


def test_a_request_in_other_words_is_nearer_than_one_about_something_else() -> None:
    near, far = text_axis([chat("Can a stranger's lock be opened?"), chat("How is bread baked?")], HARMFUL)
    assert near > far


def test_words_that_every_text_holds_weigh_little() -> None:
    space = TextSpace(["bank lock", "bank loan", "bank fee", "bank card"])
    common, rare = nearest(space.vectors(["bank letter", "lock letter"]), space.vectors(["bank lock"]))
    assert rare > common


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows = [chat(f"Question {n} about locks and letters?") for n in range(20)]
    one, other = text_axis(rows, HARMFUL), text_axis(rows[::-1], HARMFUL)
    assert one == pytest.approx(other[::-1])


def test_lists_and_steps_are_structure() -> None:
    answers = ["Plain words, 3 of them.", "- one\n- two\n- three", "1. first\n2) second", "Step 1 do it\nStep 2 rest"]
    found = structure_axis([chat("?", answer) for answer in answers])
    assert found[0] == 0
    assert np.exp(found[1:]) - 1 == pytest.approx([3, 2, 2])


def test_the_riskiest_axis_decides() -> None:
    axes = {"hidden": np.array([0.0, 0, 0, 9]), "text": np.array([9.0, 0, 0, 0]), "structure": np.zeros(4)}
    frame = ranked(["a", "b", "c", "d"], axes)
    assert set(frame["row_id"][:2]) == {"a", "d"}
    assert dict(zip(frame["row_id"], frame["axis"], strict=True)) | {"b": "", "c": ""} == {
        "a": "text", "d": "hidden", "b": "", "c": "",
    }  # fmt: skip
    assert frame["rank"].to_list() == [1, 2, 3, 4]


def test_a_mirrored_axis_turns_the_order_round() -> None:
    values = np.array([0.3, 0.1, 0.9, 0.5])
    one = ranked(list("abcd"), {"hidden": values})["row_id"].to_list()
    assert ranked(list("abcd"), {"hidden": -values})["row_id"].to_list() == one[::-1]


def test_an_axis_that_was_not_measured_is_null_and_says_nothing() -> None:
    frame = ranked(["a", "b"], {"text": np.array([0.0, 1.0])})
    assert frame["hidden"].is_null().all()
    assert frame["row_id"].to_list() == ["b", "a"]


def test_the_quota_is_a_share_of_the_rows() -> None:
    frame = ranked([f"{n:02d}" for n in range(40)], {"text": np.arange(40.0)})
    assert within_quota(frame, 0.05)["row_id"].to_list() == ["39", "38"]
    assert within_quota(frame, 0.0).is_empty()


def test_no_rows_have_no_rank() -> None:
    assert ranked([], {}).equals(CLOSENESS.empty())
    assert text_axis([], HARMFUL).size == 0


def test_anchors_ask_for_harm_and_answer_with_the_placeholder() -> None:
    pairs = PAIRS.frame(
        [{"row_id": str(n), "messages": c, "kind": kind, "category": "fraud"}
         for n, (kind, c) in enumerate([("refusal", HARMFUL[0]), ("lookalike", chat("harmless"))])]
    )  # fmt: skip
    (only,) = anchors(pairs)
    assert [m["content"] for m in only] == [HARMFUL[0][0]["content"], COMPLIANCE]
    assert isinstance(pairs, pl.DataFrame)
