"""ROUGE-L (Lin 2004): how much of the answer's words the completion holds in the same order."""

import re
from functools import cache
from typing import Any

from safety_assets.evals.task_metrics.grade import Grade, unscored

UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")


def rouge(answer: str, completion: str) -> Grade:
    """F1 of precision and recall of the longest common subsequence of words.

    Words are in lower case, not stemmed, and of any script (the library's own tokeniser knows only a-z and 0-9); where
    a script has no spaces, every character is one. An answer without a word leaves the item unscored.
    """
    if not Words().tokenize(answer):
        return unscored("The answer holds no word. Correct the task item.")
    return Grade(float(_scorer().score(answer, completion)["rougeL"].fmeasure))


class Words:
    """A tokeniser for rouge_score."""

    def tokenize(self, text: str) -> list[str]:
        """Words in lower case."""
        return WORD.findall(text.lower())


@cache
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], tokenizer=Words())
