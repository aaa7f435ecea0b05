"""What a model folder says to probes and tasks, asked once: the answers are kept by weights and questions."""

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

import polars as pl

from safety_assets.errors import ModelError
from safety_assets.evals.ask import ask, ask_tasks
from safety_assets.evals.remembered import Remembered
from safety_assets.flows.asking import local, remembered
from safety_assets.flows.code_version import sources_version
from safety_assets.flows.sources import model_digest, source_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.records import RESPONSES
from safety_assets.store import digest_json, write_frame

ASSET = "model_answers"


def questions_digest(asked: pl.DataFrame) -> str:
    """Digest of probes or tasks: every column of every row, in order."""
    return digest_json(asked.to_dicts())


class Respondent:
    """One model folder that is asked; its weights are loaded only when an answer is not in the store yet.

    Args:
        ws: whose store keeps the answers, and whose settings say how long they may be.
        folder: a complete model folder.

    Raises:
        ModelError: the folder is no complete model.
    """

    def __init__(self, ws: Workspace, folder: Path) -> None:
        self.ws, self.folder, self.digest = ws, folder, model_digest(folder)

    def probes(self, asked: pl.DataFrame) -> pl.DataFrame:
        """RESPONSES to PROBES."""
        return self._answers(asked, "probes", ask)

    def tasks(self, asked: pl.DataFrame) -> pl.DataFrame:
        """RESPONSES to TASKS."""
        return self._answers(asked, "tasks", partial(ask_tasks, metric=self.ws.project.settings.task_metric))

    @cached_property
    def _model(self) -> Remembered:
        return remembered(self.ws, local(self.ws, self.folder))

    def _answers(self, asked: pl.DataFrame, kind: str, put: Callable[..., pl.DataFrame]) -> pl.DataFrame:
        questions, answering = questions_digest(asked), source_digest(self.ws.project, "answering")
        inputs = {"model": self.digest, kind: questions, "answering": answering}
        version = sources_version("models", "evals.ask", "records", "task_metric")

        def write(folder: Path) -> None:
            self.ws.report({"event": "asked", "model": self.folder.name, kind: asked.height})
            said = put(asked, self._model, max_new_tokens=self.ws.project.settings.max_new_tokens)
            write_frame(folder, "responses", said, RESPONSES)
            self._unchanged()

        key, store = digest_json([ASSET, inputs, version]), self.ws.store
        with store.lock(key, f"the answers of {self.folder.name}"):
            found = None if self.ws.force else store.made(key)
            partition = f"{kind}-{self.digest[:16]}"
            kept = found or store.publish(
                ASSET, write, partition=partition, inputs=inputs, code_version=version, run_id=self.ws.run_id, key=key
            )
        return kept.frame("responses", RESPONSES)

    def _unchanged(self) -> None:
        if {self._model.model, model_digest(self.folder)} != {self.digest}:
            raise ModelError(f"the weights in {self.folder} changed while they were asked", do="gate them again")
