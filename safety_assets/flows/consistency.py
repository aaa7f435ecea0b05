"""A model asked the same again, greedily and at seeds and temperatures, each answer judged by every judge there is.

What was drawn is kept like greedy answers, by model, prompt, temperature and seed: a base is asked once for all its
candidates, and another seed more asks that seed alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

import polars as pl

from safety_assets.errors import EvaluationError
from safety_assets.evals.ask import Answerer, ask
from safety_assets.evals.consistency import CONSISTENCY, consistency
from safety_assets.evals.judges_agree import JUDGES_AGREE, judges_agree
from safety_assets.evals.ratings import GREEDY, RATINGS, Draw, drawn_sample, draws_of, ratings
from safety_assets.evals.remembered import Remembered, Target
from safety_assets.evals.suite import judge
from safety_assets.evals.two_judges import answers, second_scores
from safety_assets.figure_specs import Consistency
from safety_assets.flows.asking import remembered
from safety_assets.flows.two_judges import second_verdicts
from safety_assets.flows.workspace import Workspace
from safety_assets.measures import Judges
from safety_assets.records import Table

if TYPE_CHECKING:
    from safety_assets.models.generate import Generator
    from safety_assets.served.endpoint import Endpoint

TABLES: Mapping[str, Table] = {
    "consistency": CONSISTENCY, "judges_agree": JUDGES_AGREE, "ratings_base": RATINGS, "ratings_candidate": RATINGS,
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A model that is asked greedily or by chance; it is opened, once, only for what is not kept.

    Args:
        ws: whose settings say how many prompts stand in a batch.
        target: local weights, or a model behind an endpoint.
    """

    ws: Workspace
    target: Target

    def at(self, draw: Draw) -> Remembered:
        """The model with its kept answers of one draw."""
        if draw.temperature == GREEDY:
            return remembered(self.ws, replace(self.target, open=lambda told: self.live))

        how, name = f"drawn at {draw.temperature}", f"{self.target.name} at {draw.temperature}, seed {draw.seed}"
        asked = replace(
            self.target, name=name, how={**self.target.how, "decoding": how}, open=lambda told: self._by_chance(draw)
        )
        return remembered(self.ws, asked, sample=draw.seed or 0)

    def _by_chance(self, draw: Draw) -> Answerer:
        seed, live = draw.seed or 0, self.live
        if not hasattr(live, "loaded"):
            return cast("Endpoint", live).drawn(draw.temperature, seed)
        from safety_assets.models.sampled import Sampler

        rows = self.ws.project.settings.generation_batch
        return Sampler(cast("Generator", live).loaded, temperature=draw.temperature, seed=seed, batch_rows=rows)

    @cached_property
    def live(self) -> Answerer:
        """The model itself."""
        return self.target.open(lambda done, of: None)


def rated(
    ws: Workspace, rule: Consistency, judges: Judges | None, probes: pl.DataFrame, model: Drawn,
    max_new_tokens: int | None = None,
) -> pl.DataFrame:  # fmt: skip
    """RATINGS of one model.

    Args:
        rule: which probes, seeds and temperatures.
        judges: the second judge, where there is one.
        probes: PROBES to take the sample from.
        max_new_tokens: longest answer; the project's setting by default.

    Raises:
        EvaluationError: none of them is answered in words.
    """
    asked = drawn_sample(probes, rule.per_dimension, rule.sample_seed)
    if asked.is_empty():
        raise EvaluationError("no probe is answered in words, so that nothing can be drawn", do="add some")
    draws = draws_of(rule.temperatures, rule.seeds)
    longest, said = max_new_tokens or ws.project.settings.max_new_tokens, []
    for place, draw in enumerate(draws):
        given = ask(asked, model.at(draw), max_new_tokens=longest)
        said.append(given.with_columns(sample=pl.lit(place, pl.Int64)))
    responses = pl.concat(said)
    scores = [judge(asked, responses)]
    if judges is not None and judges.rail is None:  # what is paid for by the answer judges greedy answers alone
        rows = answers(asked, responses)
        verdicts, _ = second_verdicts(ws, judges, rows)
        scores.append(second_scores(scores[0], rows, verdicts))
    return ratings(asked, responses, pl.concat(scores), draws)


def asked_again(ws: Workspace, asked: Target, probes: pl.DataFrame, max_new_tokens: int | None = None) -> pl.DataFrame:
    """RATINGS of one model, as the project's policy sizes the sample, or by default.

    Raises:
        EvaluationError: no probe is answered in words.
    """
    model = Drawn(ws, asked)
    return rated(ws, ws.policy.consistency or Consistency(), ws.policy.judges, probes, model, max_new_tokens)


def compared(sides: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables of TABLES.

    Args:
        sides: base and candidate, or either, to RATINGS.
    """
    given = {f"ratings_{side}": table for side, table in sides.items()}
    return {"consistency": consistency(sides), "judges_agree": judges_agree(sides), **given}
