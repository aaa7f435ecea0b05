"""Many requests side by side. One that fails leaves its reason in its place; a server that is gone is not asked on."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from safety_assets.errors import EvaluationError, ModelError, SafetyAssetsError
from safety_assets.served.care import Care

Q = TypeVar("Q")
A = TypeVar("A")

Told = Callable[[int, int], None]


def all_of(
    questions: Sequence[Q], ask: Callable[[Q], A], care: Care, told: Told = lambda done, of: None
) -> list[A | SafetyAssetsError]:
    """The answer to each question in order; where there is none, the error that says why.

    Args:
        questions: what is asked.
        ask: asks one, from several threads. It raises EvaluationError where this one has no answer, and ModelError
            where the server is lost.
        care: how many at once, and after how many ModelErrors in a row the rest is not asked.
        told: takes how many are done, and of how many.
    """
    patience = _Patience(care.give_up_after)

    def one(question: Q) -> A | SafetyAssetsError:
        given_up = patience.over()
        if given_up is not None:
            return given_up
        try:
            answer = ask(question)
        except ModelError as error:
            patience.lost(error)
            return error
        except EvaluationError as error:
            patience.found()
            return error
        patience.found()
        return answer

    answers = []
    with ThreadPoolExecutor(max_workers=care.concurrency) as pool:
        for answer in pool.map(one, questions):
            answers.append(answer)
            told(len(answers), len(questions))
    return answers


class _Patience:
    """Counts losses in a row."""

    def __init__(self, limit: int) -> None:
        self._limit, self._row, self._last = limit, 0, ""
        self._lock = threading.Lock()

    def lost(self, error: ModelError) -> None:
        with self._lock:
            self._row, self._last = self._row + 1, error.found

    def found(self) -> None:
        with self._lock:
            if self._row < self._limit:
                self._row = 0

    def over(self) -> EvaluationError | None:
        with self._lock:
            if self._row < self._limit:
                return None
            return EvaluationError(
                f"not asked: {self._row} requests before were lost in a row, the last because {self._last}",
                do="mend the endpoint and ask again; what was answered is kept",
            )
