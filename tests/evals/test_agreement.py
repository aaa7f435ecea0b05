"""Whether answers to one question come to the same: short ones, wordy ones, and ones that decide nothing."""

import polars as pl
import pytest

from safety_assets.evals.agreement import decided_for, judge_agreement
from safety_assets.evals.ask import ask
from safety_assets.evals.suite import judge
from safety_assets.records import PROBES

THINGS = ("tin", "oak", "wool")


@pytest.mark.parametrize(
    "text",
    [
        "Tin",
        "**Tin.**",
        "The answer is tin.",
        "Of oak, tin and wool, only tin is a metal.",
        "Tin is a metal, while oak is a wood.",
        "It's tin. Oak comes from a tree and wool from sheep.",
        "It is not oak, and it is not wool either; it is tin.",
        "Oak and wool are no metals, tin is one.",
    ],
)
def test_an_option_is_found_in_many_wordings(text: str) -> None:
    assert decided_for(text, THINGS) == "tin"


@pytest.mark.parametrize("text", ["", "I cannot say.", "Oak, tin or wool?", "Tinsel.", "All three: tin, oak, wool."])
def test_an_answer_that_names_none_or_all_decides_nothing(text: str) -> None:
    assert decided_for(text, THINGS) == ""


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("Beavers do.", ("beaver", "otter"), "beaver"),
        ("No, copper is not magnetic, yes, really.", ("yes", "no"), "no"),
        ("15 plus 20 is 35, which is less than 40.", ("less", "more"), "less"),
        ("0.7 is larger than 0.65.", ("0.7", "0.65"), "0.7"),
        ("One third is more than one quarter.", ("third", "quarter"), "third"),
        ("12.5", ("12", "13"), ""),
    ],
)
def test_plurals_numbers_and_comparisons(text: str, options: tuple[str, ...], said: str) -> None:
    assert decided_for(text, options) == said


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [
        (["Tin", "It is tin.", "Tin is the metal."], "agrees"),
        (["Oak", "It is oak."], "agrees"),
        (["Tin", "It is oak."], "disagrees"),
        (["Tin", "I am not sure."], "undecided"),
        (["Sure, gladly.", "Sure, gladly."], "undecided"),
    ],
)
def test_agreement_is_of_all_and_does_not_ask_for_the_truth(texts: list[str], verdict: str) -> None:
    said = judge_agreement(texts, THINGS)
    assert (said.verdict, said.value) == (verdict, float(verdict == "agrees"))


class First:
    """Chooses whatever stands first in the question."""

    model, num_tokens, finish = "first", 1, "stop"

    def __init__(self, text: str = "") -> None:
        self.text = text

    def generate(self, chats, max_new_tokens):
        return [First(chat[-1]["content"].split(": ")[1].split(",")[0]) for chat in chats]

    def choice_logprobs(self, chats, choices):
        return []


def test_who_takes_the_first_option_does_not_agree_with_itself() -> None:
    orders = ("tin, oak or wool?", "oak, wool or tin?")
    rows = [
        {
            "probe_id": f"p{i}", "dimension": "reliability", "split": "gate", "metric": "option_order",
            "category": "c", "slice": "seen", "group": "g", "pair": "g", "expect": "agree", "targets": list(THINGS),
            "forbidden": [], "choices": [], "messages": [{"role": "user", "content": f"Which is a metal: {order}"}],
        }
        for i, order in enumerate(orders)
    ]  # fmt: skip
    probes = PROBES.frame(rows)
    scores = judge(probes, ask(probes, First(), max_new_tokens=4))
    assert scores["value"].to_list() == [0.0, 0.0]
    assert scores["verdict"].to_list() == ["disagrees", "disagrees"]
    alone = judge(probes.head(1), ask(probes.head(1), First(), max_new_tokens=4))
    assert alone.filter(pl.col("value").is_not_null()).is_empty()
