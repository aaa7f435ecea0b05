"""A second run of a model over some of its probes: how many verdicts flip where nothing changed."""

from dataclasses import replace

import polars as pl

from safety_assets.errors import SafetyAssetsError
from safety_assets.evals.ask import Answerer, ask
from safety_assets.evals.comparison import Flips
from safety_assets.evals.remembered import Remembered
from safety_assets.evals.repeats import null_flips, repeated
from safety_assets.evals.suite import judge
from safety_assets.flows.workspace import Workspace


def second_run(
    ws: Workspace, model: Answerer, probes: pl.DataFrame, scores: pl.DataFrame, max_new_tokens: int | None = None
) -> Flips | None:
    """Flips of the probes that are asked twice; None where there are none, or the model answers no more.

    What was said the second time is kept apart from what was said the first time, by model, prompt and decoding: a
    model whose answers are all kept is not opened for it again.

    Args:
        model: who gave the first answers.
        probes: PROBES that were asked.
        scores: SCORES of the first answers.
        max_new_tokens: longest answer; the project's setting by default.
    """
    asked = repeated(probes)
    if asked.is_empty():
        return None
    other = _again(model) if isinstance(model, Remembered) else model
    try:
        said = ask(asked, other, max_new_tokens=max_new_tokens or ws.project.settings.max_new_tokens)
        return null_flips(scores, judge(asked, said))
    except SafetyAssetsError as error:
        ws.report({"event": "second run", "model": model.model, "failed": str(error)})
        return None


def _again(model: Remembered) -> Remembered:
    """The same opened model, its second answers under keys of their own."""
    target = replace(model.target, how={**model.target.how, "run": "second"}, open=lambda told: model.live)
    return Remembered(target, model.kept, again=model.again)
