"""The checks of what a user names: model folder, corpus, task set, name. Each looks at the bytes at once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safety_assets.corpus.ingest import count_rows
from safety_assets.corpus.tasks import read_tasks
from safety_assets.datafiles import DataFiles
from safety_assets.errors import ModelError

UNKNOWN_CONTEXT = 1024
"""Tokens assumed where config.json does not say how many a chat may have."""


@dataclass(frozen=True)
class ModelFacts:
    """What the recipes of a new project depend on.

    Args:
        parameters: stored values.
        context: tokens that a chat may have.
    """

    parameters: int
    context: int


def model_facts(folder: Path) -> ModelFacts:
    """The facts of a model folder.

    Raises:
        ModelError: it is no complete model: no folder, no weights in safetensors, no configuration, no tokenizer, no
            chat template, or damaged weights.
    """
    from safety_assets.models.identity import identify
    from safety_assets.models.weights import inspect_weights

    identify(folder)
    report = inspect_weights(folder)
    if report.faults:
        raise ModelError(f"{folder}: {report.faults[0]}", expected="readable weights", do="download the model again")
    return ModelFacts(parameters=report.parameters, context=_context(folder / "config.json"))


def _context(config: Path) -> int:
    try:
        value = json.loads(config.read_text(encoding="utf-8"))
        return int(value.get("max_position_embeddings") or UNKNOWN_CONTEXT)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(
            f"{config} cannot be read: {error}", expected="a JSON object", do="download the file again"
        ) from error


def corpus_rows(paths: Sequence[Path]) -> tuple[int, int]:
    """Rows that can be read, and lines that cannot; CorpusError when there is no row at all."""
    return count_rows([DataFiles(path=path) for path in paths])


def task_items(path: Path) -> int:
    """Items of a task set; CorpusError when a line is wrong."""
    return read_tasks(DataFiles(path=path)).height
