"""The checks of the data that a user names: corpus, tasks, refusal pairs, probes. Each looks at the bytes at once."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from safety_assets import pools, suites
from safety_assets.corpus.held_out import first_exchange
from safety_assets.corpus.ingest import count_rows, first_rows
from safety_assets.corpus.pairs import read_pairs
from safety_assets.corpus.verdicts import every_category_covered, openings_vary
from safety_assets.datafiles import AnswerRule, DataFiles
from safety_assets.errors import CorpusError
from safety_assets.evals.probes import enough_probes_to_see_the_budget, read_probes, read_suite
from safety_assets.policy import Policy
from safety_assets.project import STANDARD
from safety_assets.records import TASKS

SAMPLED_ROWS = 2000
"""Rows whose answers stand for all, where rows of the corpus will be the tasks."""


def corpus_rows(paths: Sequence[Path]) -> tuple[int, int]:
    """Rows that can be read, and lines that cannot; CorpusError when there is no row at all."""
    return count_rows([DataFiles(path=path) for path in paths])


def sampled_tasks(paths: Sequence[Path], rule: AnswerRule | None) -> pl.DataFrame:
    """TASKS as rows of a corpus would give them, of its first rows.

    Raises:
        CorpusError: the rule finds an answer in none of them.
    """
    chats = first_rows([DataFiles(path=path) for path in paths], SAMPLED_ROWS)["messages"].to_list()
    tasks = [task for task in (first_exchange(chat, rule) for chat in chats) if task is not None]
    if not tasks:
        raise CorpusError(
            f"in none of {len(chats)} rows does --task-answer find an answer", expected="an answer in most rows",
            do="correct --task-answer, or give a --task-set",
        )  # fmt: skip
    return TASKS.frame(tasks)


def pairs_named(named: Sequence[str], law: Policy) -> tuple[int, tuple[str, ...]]:
    """Pairs that can be read, and what the policy misses in them, in sentences.

    Args:
        named: files, folders, or the word standard for the pool of the package.

    Raises:
        CorpusError: there is none.
    """
    found = read_pairs([DataFiles(path=pools.STANDARD if name == STANDARD else Path(name)) for name in named])
    covered = every_category_covered(found.rows, found.quarantine, law.injection)
    return found.rows.height, (*covered.reasons, *openings_vary(found.rows, law.injection).reasons)


def probes_named(name: str, law: Policy) -> tuple[int, tuple[str, ...]]:
    """Probes of a folder or of the standard suite, and what the policy misses in them, in sentences.

    Raises:
        CorpusError: the folder holds none, or a line is wrong.
    """
    folder = suites.STANDARD if name == STANDARD else Path(name)
    probes, suite = read_probes(folder), read_suite(folder)
    foreign = f"{folder / 'suite.yaml'} says that they were written for the models of {suite.written_for}."
    reasons = enough_probes_to_see_the_budget(probes, law).reasons
    return probes.height, (*([foreign] if suite.written_for else []), *reasons)
