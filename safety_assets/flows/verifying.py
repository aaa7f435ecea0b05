"""`verify`: which release a folder of weights is, by a project's history or by the file of one release alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from safety_assets.errors import ModelError, SafetyAssetsError, StoreError
from safety_assets.flows.sources import model_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.release import pointer, promotion
from safety_assets.release.approved import Difference, difference, every_file, is_sealed, nearest
from safety_assets.release.decision import from_dict

Outcome = Literal["released", "released_before", "other"]


@dataclass(frozen=True)
class Verified:
    """What a folder is.

    Args:
        outcome: released: what is released now, or what the file says; released_before: an approved release that is
            not the current one; other: none of them.
        why: sentences.
        release: the release that it is, or the one that it is nearest to; None when it is like none.
        sequence: move of the history that released it, None for a release file.
        differs: files in which it differs from that release.
    """

    outcome: Outcome
    why: tuple[str, ...]
    release: Mapping | None
    sequence: int | None
    differs: Difference


def verify_against(folder: Path, file: Path) -> Verified:
    """A folder against the file of one release: no project is needed.

    Raises:
        StoreError: the file is no release, or was changed.
    """
    release, found = read_release(file), files_in(folder)
    differs = difference(release["files"], found)
    problems = differs.sentences() or _identity_problems(folder, release)
    why = problems or ["every file is the one that was approved"]
    return Verified("other" if problems else "released", tuple(why), release, None, differs)


def verify(ws: Workspace, folder: Path) -> Verified:
    """A folder against everything that the project ever released.

    Raises:
        StoreError: pointer, history or ledger is broken.
    """
    name, found = ws.project.settings.name, files_in(folder)
    now, past = promotion.released(ws.store.root, name), promotion.history(ws.store.root, name)
    if now is None:
        raise StoreError("nothing is released", do="safety-assets promote RECIPE, or name a release: --release FILE")
    records = [now, *reversed(past)]
    near = nearest([record["release"] for record in records], found)
    if near is None:
        return Verified("other", ("no file of it is one of any release",), None, None, Difference())
    record = next(record for record in records if record["release"] == near)
    promotion.demand_approved(ws.store.root, near)
    differs = difference(near["files"], found)
    problems = differs.sentences() or _identity_problems(folder, near)
    if problems:
        return Verified("other", tuple(problems), near, record["sequence"], differs)
    if near == now["release"]:
        return Verified("released", ("every file is the one that is released",), near, now["sequence"], differs)
    said = f"approved and released by move {record['sequence']}; released now is {now['release']['recipe']}"
    return Verified("released_before", (said,), near, record["sequence"], differs)


def read_release(file: Path) -> dict:
    """A release from its file: a pointer, a record of the history, or `release.json` of a released model.

    Raises:
        StoreError: it is none, it was changed, or its decision is no approval of its weights.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        if "release" in value and not pointer.is_whole(value):
            raise _no_release(file, "its content does not give its digest")
        release = value.get("release", value)
        if not is_sealed(release):
            raise _no_release(file, "its content does not give its digest")
        decision = from_dict(release["decision"], required=())
        approves = decision.status == "approved" and decision.digests["weights"] == release["weights"]
        listed = dict(release["files"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_release(file, f"it cannot be read ({type(error).__name__}: {error})") from error
    if not approves or not listed:
        raise _no_release(file, "its decision is no approval of its weights")
    return release


def files_in(folder: Path) -> dict[str, str]:
    """Every file of a folder with its digest; ModelError where it is no folder."""
    if not folder.is_dir():
        raise ModelError(f"{folder} is no folder", expected="a folder of weights", do="name the folder that is served")
    return every_file(folder)


def _identity_problems(folder: Path, release: Mapping) -> list[str]:
    """The list of files stands beside the decision: it must be of the weights that were decided upon."""
    try:
        found = model_digest(folder)
    except SafetyAssetsError as error:
        return [str(error)]
    decided = release["weights"]
    return [] if found == decided else [f"these are weights {found[:12]}, the decision is about {decided[:12]}"]


def _no_release(file: Path, what: str) -> StoreError:
    return StoreError(
        f"{file} is no release: {what}", expected="release.json of a released model, or a pointer of `promote`",
        do="take it anew from whoever released the model",
    )  # fmt: skip
