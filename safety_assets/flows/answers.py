"""What a model says to probes and tasks, asked once: the answers are kept by its identity and the questions.

Answers that got lost on the way are kept as lost, and asked for again the next time. What an endpoint said is used
again only to finish what was begun: its identity does not bind its weights.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path

import polars as pl

from safety_assets.errors import ModelError
from safety_assets.evals.ask import Answerer, ask, ask_tasks
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.sources import source_digest
from safety_assets.flows.targets import Target
from safety_assets.flows.workspace import Workspace
from safety_assets.records import RESPONSES
from safety_assets.store import Artefact, digest_json, write_frame

ASSET = "model_answers"
FRESH = timedelta(hours=1)
"""How long what an endpoint said may be finished instead of begun anew."""


def questions_digest(asked: pl.DataFrame) -> str:
    """Digest of probes or tasks: every column of every row, in order."""
    return digest_json(asked.to_dicts())


class Respondent:
    """One model that is asked; it is opened only when an answer is not in the store yet.

    Args:
        ws: whose store keeps the answers, and whose settings say how long they may be.
        target: the model.

    Raises:
        ModelError: there is no such model.
    """

    def __init__(self, ws: Workspace, target: Target) -> None:
        self.ws, self.target, self.digest = ws, target, target.digest

    def probes(self, asked: pl.DataFrame) -> pl.DataFrame:
        """RESPONSES to PROBES."""
        return self._answers(asked, "probes", ask)

    def tasks(self, asked: pl.DataFrame) -> pl.DataFrame:
        """RESPONSES to TASKS."""
        return self._answers(asked, "tasks", partial(ask_tasks, metric=self.ws.project.settings.task_metric))

    @cached_property
    def answerer(self) -> Answerer:
        """The model itself, with the answers that are kept one by one; opened once."""
        return self.target.answerer()

    def _answers(self, asked: pl.DataFrame, kind: str, put: Callable[..., pl.DataFrame]) -> pl.DataFrame:
        questions, answering = questions_digest(asked), source_digest(self.ws.project, "answering")
        inputs = {"model": self.digest, kind: questions, "answering": answering}
        version = sources_version("models", "served", "evals.ask", "records", "task_metric")
        key, store = digest_json([ASSET, inputs, version]), self.ws.store
        with store.lock(key, f"the answers of {self.target.name}"):
            kept = None if self.ws.force else store.made(key)
            before = RESPONSES.empty() if kept is None else kept.frame("responses", RESPONSES)
            if kept is not None and self._whole(before):
                return before
            answered = _answered(before) if kept and _fresh(kept) else before.clear()

            def write(folder: Path) -> None:
                write_frame(folder, "responses", self._asked(asked, kind, put, answered), RESPONSES)
                self._unchanged()

            partition = f"{kind}-{self.digest[:16]}"
            made = store.publish(
                ASSET, write, partition=partition, inputs=inputs, code_version=version, run_id=self.ws.run_id, key=key
            )
        return made.frame("responses", RESPONSES)

    def _whole(self, said: pl.DataFrame) -> bool:
        """Whether these answers may be used as they are."""
        return self.target.lasting and said["failure"].null_count() == said.height

    def _asked(
        self, asked: pl.DataFrame, kind: str, put: Callable[..., pl.DataFrame], answered: pl.DataFrame
    ) -> pl.DataFrame:
        """Answers in the order of the questions: those that are there, and those to the other questions."""
        name = {"probes": "probe_id", "tasks": "task_id"}[kind]
        left = asked.filter(~pl.col(name).is_in(answered["probe_id"].to_list()))
        self.ws.report({"event": "asked", "model": self.target.name, kind: left.height})
        said = put(left, self.answerer, max_new_tokens=self.ws.project.settings.max_new_tokens)
        order = asked.select(pl.col(name).alias("probe_id"))
        return RESPONSES.check(order.join(pl.concat([answered, said]), on="probe_id", maintain_order="left"))

    def _unchanged(self) -> None:
        if {self.answerer.model, self.target.identify()} != {self.digest}:
            raise ModelError(f"what answers as {self.target.name} changed while it was asked", do="gate it again")


def _answered(said: pl.DataFrame) -> pl.DataFrame:
    """The answers of an attempt that lost some; none where it lost none, and there is nothing to finish."""
    found = said.filter(pl.col("failure").is_null())
    return found if found.height < said.height else found.clear()


def _fresh(kept: Artefact) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(kept.manifest.made_at) < FRESH
