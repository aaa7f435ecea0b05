import polars as pl

from safety_assets.corpus.detect import seen, turns_of
from safety_assets.records import ROWS


def chat(*turns: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


def rows(*chats: list[dict[str, str]]) -> pl.DataFrame:
    return ROWS.frame(
        [{"row_id": str(i), "messages": c, "source": "a.jsonl", "line": i + 1, "group": str(i)}
         for i, c in enumerate(chats)]
    )  # fmt: skip


def test_every_message_is_a_turn_in_order() -> None:
    turns = turns_of(
        rows(chat(("system", "s"), ("user", "u"), ("assistant", "a")), chat(("user", "x"), ("assistant", "y"))), 7
    )
    first = [(7, 0, "system", "s"), (7, 1, "user", "u"), (7, 2, "assistant", "a")]
    assert turns.select("row", "turn", "role", "text").rows() == [
        *first,
        (8, 0, "user", "x"),
        (8, 1, "assistant", "y"),
    ]


def test_an_answer_stands_beside_the_question_before_it_in_its_own_row() -> None:
    turns = turns_of(
        rows(
            chat(("user", "u"), ("assistant", "a"), ("user", "v"), ("assistant", "b")),
            chat(("user", "x"), ("assistant", "y")),
        )
    )
    assert turns["question"].to_list() == ["", "u", "", "v", "", "x"]


def test_no_rows_have_no_turns() -> None:
    assert turns_of(ROWS.empty()).is_empty()


def test_what_is_about_a_row_has_no_place() -> None:
    found = seen([{"row": 3, "finding": "exact_duplicate", "severity": "low", "evidence": "as row 1"}])
    assert found.row(0, named=True)["turn"] is None
