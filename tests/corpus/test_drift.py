import polars as pl
import pytest

from safety_assets.corpus.detect import TURNS
from safety_assets.corpus.drift import identity_statement, list_structure, role_play


def turns(*texts: tuple[str, str]) -> pl.DataFrame:
    return TURNS.frame(
        [{"row": i, "turn": 0, "role": role, "text": text, "question": ""} for i, (role, text) in enumerate(texts)]
    )


LISTS = ["1. Wake\n2. Eat\n3. Go", "Do this:\n- wake\n- eat\n- go", "Step 1 wake. Step 2 eat. Step 3 go.",
         "First, wake. Then, eat. Finally, go."]  # fmt: skip
PROSE = ["Wake, eat and go.", "1. Wake\nThen go.", "The 1. and the 2. are gone."]


@pytest.mark.parametrize("text", LISTS)
def test_lists_and_steps_are_found(text: str) -> None:
    assert list_structure(turns(("assistant", text), ("user", text)))["row"].to_list() == [0]


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_not(text: str) -> None:
    assert list_structure(turns(("assistant", text))).is_empty()


@pytest.mark.parametrize(
    "text",
    ["As an AI language model, I have no age.", "Hello! I am {{name}}, an AI.", "My name is Nova.",
     "I am Clara from the bank.", "I was created by Acme.", "I'm Max, your helper.", "\u6211\u662f Nova"],
)  # fmt: skip
def test_who_speaks_is_found(text: str) -> None:
    assert identity_statement(turns(("assistant", text), ("user", text)))["row"].to_list() == [0]


@pytest.mark.parametrize(
    "text", ["I am sure of it.", "AI is a field of science.", "I'm at home.", "I am going to Rome."]
)
def test_other_sentences_in_the_first_person_are_not(text: str) -> None:
    assert identity_statement(turns(("assistant", text))).is_empty()


def test_a_part_to_play_is_found_in_what_is_asked() -> None:
    found = role_play(
        turns(("user", "Pretend to be a king."), ("system", "You are a brave pirate."), ("assistant", "Act as a king."),
              ("user", "You are a brave pirate."), ("user", "Who wrote this play?"))
    )  # fmt: skip
    assert found["row"].to_list() == [0, 1]


def test_every_finding_is_of_low_severity() -> None:
    table = turns(("assistant", LISTS[0]), ("assistant", "My name is Nova."), ("user", "Pretend to be a king."))
    found = pl.concat([find(table) for find in (list_structure, identity_statement, role_play)])
    assert found.select("finding", "severity").rows() == [
        ("list_structure", "low"), ("identity_statement", "low"), ("role_play", "low"),
    ]  # fmt: skip
