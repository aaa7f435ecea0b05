"""Ask a model the probes. The model is a callable handed in: nothing here knows torch."""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from safety_assets.errors import SafetyAssetsError
from safety_assets.evals.task_metrics.likelihood import candidates
from safety_assets.records import PROBES, RESPONSES, TASKS
from safety_assets.task_metric import AnyMetric, ResponseLoss, compares_likelihoods

Chat = Sequence[dict[str, str]]


class Completion(Protocol):
    """One generated answer."""

    @property
    def text(self) -> str: ...
    @property
    def num_tokens(self) -> int | None: ...
    @property
    def finish(self) -> str: ...


class Answerer(Protocol):
    """What is asked: local weights, or anything else that answers chats.

    Where one answer cannot be had, the error that says why stands in its place, and the others are not lost.
    """

    @property
    def model(self) -> str: ...
    def generate(self, chats: Sequence[Chat], max_new_tokens: int) -> Sequence[Completion | SafetyAssetsError]: ...
    def choice_logprobs(
        self, chats: Sequence[Chat], choices: Sequence[Sequence[str]]
    ) -> Sequence[list[float] | SafetyAssetsError]: ...


def ask(probes: pl.DataFrame, generator: Answerer, *, max_new_tokens: int) -> pl.DataFrame:
    """Greedy answers to all probes; likelihoods of the choices where a probe compares them.

    Args:
        probes: PROBES.
        generator: answers chats.
        max_new_tokens: longest answer.

    Returns:
        RESPONSES in the order of the probes, sample 0; `failure` says of a probe without an answer why.
    """
    rows = PROBES.check(probes).select("probe_id", "messages", "choices").to_dicts()
    spoken = [r for r in rows if not r["choices"]]
    compared = [r for r in rows if r["choices"]]
    answers = generator.generate([r["messages"] for r in spoken], max_new_tokens)
    logprobs = generator.choice_logprobs([r["messages"] for r in compared], [r["choices"] for r in compared])
    done = {r["probe_id"]: _generated(generator.model, r["probe_id"], a) for r, a in zip(spoken, answers, strict=True)}
    done |= {
        r["probe_id"]: _compared(generator.model, r["probe_id"], r["choices"], ls)
        for r, ls in zip(compared, logprobs, strict=True)
    }
    return RESPONSES.frame([done[r["probe_id"]] for r in rows])


def ask_tasks(tasks: pl.DataFrame, generator: Answerer, metric: AnyMetric, *, max_new_tokens: int) -> pl.DataFrame:
    """What the metric needs of the model for a task set, as RESPONSES whose probe_id is the task's id.

    Most metrics need greedy answers. Where texts are compared by likelihood, their log-probabilities are recorded and
    nothing is generated: for multiple choice those of the options, the likeliest standing in for the completion; for
    response_loss that of the reference answer, with an empty completion. An item without texts to compare has no row.
    """
    rows = TASKS.check(tasks).to_dicts()
    if compares_likelihoods(metric):
        return _ask_likelihoods(rows, generator, metric)
    answers = generator.generate([r["messages"] for r in rows], max_new_tokens)
    return RESPONSES.frame([_generated(generator.model, r["task_id"], a) for r, a in zip(rows, answers, strict=True)])


def _ask_likelihoods(rows: Sequence[dict], generator: Answerer, metric: AnyMetric) -> pl.DataFrame:
    asked = [(row, texts) for row in rows if (texts := candidates(metric, row["answer"], row["options"] or []))]
    logprobs = generator.choice_logprobs([row["messages"] for row, _ in asked], [texts for _, texts in asked])
    return RESPONSES.frame([
        _compared(generator.model, row["task_id"], texts, own, shown=not isinstance(metric, ResponseLoss))
        for (row, texts), own in zip(asked, logprobs, strict=True)
    ])  # fmt: skip


def _generated(model: str, key: str, answer: Completion | SafetyAssetsError) -> dict[str, object]:
    if isinstance(answer, SafetyAssetsError):
        return _unanswered(model, key, answer)
    return {
        "model": model, "probe_id": key, "sample": 0, "completion": answer.text, "num_tokens": answer.num_tokens,
        "finish": answer.finish, "choice_logprobs": [],
    }  # fmt: skip


def _unanswered(model: str, key: str, error: SafetyAssetsError) -> dict[str, object]:
    return {"model": model, "probe_id": key, "sample": 0, "choice_logprobs": [], "failure": str(error)}


def _compared(
    model: str, key: str, choices: Sequence[str], logprobs: list[float] | SafetyAssetsError, *, shown: bool = True
) -> dict[str, object]:
    """The likeliest choice stands in for the text, where one shall be shown."""
    if isinstance(logprobs, SafetyAssetsError):
        return _unanswered(model, key, logprobs)
    likeliest = max(range(len(logprobs)), key=logprobs.__getitem__)
    return {
        "model": model, "probe_id": key, "sample": 0, "completion": choices[likeliest] if shown else "",
        "num_tokens": 0, "finish": "stop", "choice_logprobs": logprobs,
    }  # fmt: skip
