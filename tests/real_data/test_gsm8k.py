"""Published sums: every reference answer grades itself as right, and a wrong number as wrong.

Found by SAFETY_ASSETS_REAL_DATA (default ../shared/data).
"""

import json
from pathlib import Path

import published
import pytest

from safety_assets.evals.task_metrics.numeric import numeric
from safety_assets.evals.task_metrics.text import regex
from safety_assets.task_metric import Numeric, Regex

pytestmark = pytest.mark.real_data
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["train", "test"])
def answers(request: pytest.FixtureRequest) -> list[str]:
    folder = published.data() / "gsm8k"
    lines = (folder / f"{request.param}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["answer"] for line in lines]


def test_every_reference_is_right(answers: list[str]) -> None:
    assert len(answers) in (7473, 1319)
    for answer in answers:
        final = answer.rpartition("#### ")[2]
        said = (answer, final, f"The answer is ${final}.", f"**{final}** apples")
        assert [numeric(answer, completion, Numeric()).value for completion in said] == [1.0] * 4, answer
        assert numeric(final, answer, Numeric()).value == 1, answer
        assert regex(answer, answer, Regex(pattern=r"#### (.+)")).value == 1, answer


def test_every_wrong_number_is_wrong(answers: list[str]) -> None:
    for answer in answers:
        reasoning, mark, final = answer.rpartition("#### ")
        right = int(final.replace(",", ""))
        for wrong in (right + 1, -right - 1, 10 * right + 1, "none"):
            for completion in (f"{reasoning}{mark}{wrong}", f"{wrong}", f"The answer is {wrong}."):
                assert numeric(answer, completion, Numeric()).value == 0, (answer, completion)
