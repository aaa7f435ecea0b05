"""Scores that were finished before. Where model, probes, settings and code did not change, the table is there.

It is an artefact to which nothing refers, as old as its last use: `clean-up` removes what was not used for a day.
Where an answer or a verdict that is kept was replaced (`--force`, or the file removed), no table of before is used.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from safety_assets.evals.probes import probe_files
from safety_assets.evals.remembered import Target
from safety_assets.flows.asking import kept, target
from safety_assets.flows.code_version import package_digest
from safety_assets.flows.sources import digest_settings, source_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.served.address import is_url
from safety_assets.store import digest_file, digest_json

if TYPE_CHECKING:
    from safety_assets.flows.scoring import Scored

log = logging.getLogger(__name__)

ASSET = "finished_scores"
LIBRARIES = ("jinja2", "numpy", "polars", "scipy", "tokenizers", "torch", "transformers")
"""Whose versions may change an answer, a verdict or an interval."""
TABLES = ("scores", "responses")


@dataclass(frozen=True, kw_only=True)
class Exam:
    """Which questions are asked.

    Args:
        place: file or folder of the probes.
        named: what the probe set is called.
        split: one split, or all.
        wrappers: names; none wraps nothing.
        in_domain: ask some probes inside the project's task too.
    """

    place: Path
    named: str
    split: str
    wrappers: tuple[str, ...] = ()
    in_domain: bool = False

    def probes(self, ws: Workspace) -> pl.DataFrame:
        """PROBES of all of it."""
        from safety_assets.flows.scoring import questions, with_slices

        return with_slices(ws, questions(self.place, self.split), self.wrappers, in_domain=self.in_domain)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """Scores as they are handed over.

    Args:
        scores: a Parquet file of SCORES.
        responses: a Parquet file of RESPONSES.
        document: as `flows.scoring.document` says it, in JSON types.
    """

    scores: bytes
    responses: bytes
    document: Mapping[str, Any]


def score_once(
    ws: Workspace, exam: Exam, model: str, adapter: str | None = None, max_new_tokens: int | None = None
) -> Finished:
    """The scores that are there where nothing changed that decides them; else they are made, and kept.

    What an endpoint says is not kept here, since its identity does not bind its weights; nor is a table that lacks an
    answer, or one whose model, probes, settings or code changed on the way.

    Args:
        model: as `flows.asking.target` reads it.
        adapter: on top of it.
        max_new_tokens: longest answer; the project's setting by default.
    """

    def basis() -> dict[str, object]:
        asked = target(ws, model, adapter)
        return {"model": [asked.model, asked.name, dict(asked.how), max_new_tokens], **_basis(ws, exam)}

    if is_url(model):
        return finish(_scored(ws, exam, target(ws, model, adapter), max_new_tokens))
    before, era = basis(), kept(ws, "answers").era()
    found = None if ws.force else _found(ws, digest_json([before, era]))
    if found is not None:
        return found
    scored = _scored(ws, exam, target(ws, model, adapter), max_new_tokens)
    done, now = finish(scored), kept(ws, "answers").era()
    whole = scored.responses["failure"].null_count() == scored.responses.height
    if whole and (ws.force or now == era) and basis() == before:
        _keep(ws, digest_json([before, now]), done)
    return done


def score_file(ws: Workspace, exam: Exam, responses: Path) -> Finished:
    """Scores of the answers in a file."""
    from safety_assets.flows.scoring import score_responses

    return finish(score_responses(ws, responses, exam.probes(ws), exam.named))


def finish(scored: "Scored") -> Finished:
    """Scores as files and document."""
    from safety_assets.evals.score_files import write_table
    from safety_assets.flows.scoring import document
    from safety_assets.records import RESPONSES, SCORES

    scores, responses = BytesIO(), BytesIO()
    write_table(scores, scored.scores, SCORES, scored.facts)
    write_table(responses, scored.responses, RESPONSES, scored.facts)
    return Finished(scores=scores.getvalue(), responses=responses.getvalue(), document=document(scored))


def _scored(ws: Workspace, exam: Exam, asked: Target, max_new_tokens: int | None) -> "Scored":
    from safety_assets.flows.scoring import score_model

    return score_model(ws, asked, exam.probes(ws), exam.named, max_new_tokens)


def _basis(ws: Workspace, exam: Exam) -> dict[str, object]:
    """All that decides a table but the model and what is kept of it, by content."""
    root = exam.place if exam.place.is_dir() else exam.place.parent
    files = {path.relative_to(root).as_posix(): digest_file(path) for path in probe_files(exam.place)}
    return {
        "probes": [exam.named, exam.split, files], "slices": _slices(ws, exam),
        "settings": digest_settings(ws.project.settings), "code": package_digest(),
        "libraries": [sys.version, *(version(name) for name in LIBRARIES)],
    }  # fmt: skip


def _slices(ws: Workspace, exam: Exam) -> list[object]:
    """What is asked in wrappers and inside the task, and what decides it."""
    if not exam.wrappers and not exam.in_domain:
        return []
    tasks = source_digest(ws.project, "task_file") if exam.in_domain else ""
    return [list(exam.wrappers), exam.in_domain, digest_settings(ws.policy.probes), tasks]


def _found(ws: Workspace, key: str) -> Finished | None:
    """The table of this key; one that is not as it was written is named and forgotten."""
    memory = ws.store.root / "made" / f"{key}.json"
    with ws.store.lock(ASSET, "finished scores"):
        if not memory.is_file():
            return None
        try:
            artefact = ws.store.made(key)
            if artefact is not None and (artefact.asset, artefact.manifest.inputs) == (ASSET, {"order": key}):
                os.utime(artefact.path / "manifest.json")
                return _read(artefact.path)
        except OSError as error:
            log.warning("the finished scores %s cannot be read: %s", key[:12], error)
        log.warning("the finished scores %s were changed on disk or are gone: they are made anew", key[:12])
        memory.unlink(missing_ok=True)
        return None


def _read(folder: Path) -> Finished:
    scores, responses = ((folder / f"{name}.parquet").read_bytes() for name in TABLES)
    document = json.loads((folder / "document.json").read_text(encoding="utf-8"))
    return Finished(scores=scores, responses=responses, document=document)


def _keep(ws: Workspace, key: str, done: Finished) -> None:
    """Keep it as whoever finds it has it: nothing was asked. Made anew it has the same digest, and takes its place."""
    said = done.document
    told = {**said, "asked": 0, "remembered": said["asked"] + said["remembered"]}

    def write(folder: Path) -> None:
        for name in TABLES:
            (folder / f"{name}.parquet").write_bytes(getattr(done, name))
        (folder / "document.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")

    with ws.store.lock(ASSET, "finished scores"):
        ws.store.publish(
            ASSET, write, inputs={"order": key}, code_version=package_digest()[:16], run_id=ws.run_id, key=key,
            current=False,
        )  # fmt: skip
