"""Where a row went: the audits that saw it, the checkpoints that were trained on it, the releases that hold those.

Read from the store alone: manifests say what was made from what, tables say whether the row is in them.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import polars as pl

from safety_assets.errors import StoreError
from safety_assets.flows.release import released_record
from safety_assets.flows.workspace import Workspace
from safety_assets.records import AUDITED, FINDINGS, PAIRS, ROWS, Table
from safety_assets.store import WHOLE, Artefact

DATA = {"raw_corpus": ("rows", ROWS), "refusal_pairs": ("pairs", PAIRS)}
"""Where a row may come from: asset to its table."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One artefact that a row is in, or that was made with it.

    Args:
        recipe: of a checkpoint or release; None for what has none.
        current: it is what its asset points at now; for a release, what is served now.
        about: what is known of the row there.
    """

    asset: str
    digest: str
    recipe: str | None
    made_at: str
    current: bool
    about: dict


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Where a row went, oldest first in each list; all empty when nobody ever gave it."""

    row_id: str
    given: list[Place]
    audits: list[Place]
    audited: list[Place]
    checkpoints: list[Place]
    releases: list[Place]

    def as_dict(self) -> dict:
        """A JSON value."""
        return asdict(self)


def trace(ws: Workspace, row_id: str) -> Trace:
    """Everything in the store that a row of the corpus, or a pair, went into."""
    given = [place for asset, (name, table) in DATA.items() for place in _holding(ws, asset, name, table, row_id)]
    raws, audited = {place.digest for place in given}, list(_holding(ws, "audited_corpus", "rows", AUDITED, row_id))
    checkpoints = list(_checkpoints(ws, row_id, {place.digest: place for place in audited}))
    return Trace(
        row_id=row_id, given=given, audits=list(_audits(ws, row_id, raws)), audited=audited, checkpoints=checkpoints,
        releases=list(_releases(ws, {place.digest for place in checkpoints})),
    )  # fmt: skip


def _holding(ws: Workspace, asset: str, name: str, table: Table, row_id: str) -> Iterator[Place]:
    """Artefacts whose table holds the row, with what stands beside its chat there."""
    for artefact in ws.store.all(asset):
        for row in _rows(artefact, name, table, row_id):
            yield _place(ws, artefact, row)


def _rows(artefact: Artefact, name: str, table: Table, row_id: str) -> list[dict]:
    """The rows of a table with this id, without their chat; none where the table is damaged."""
    try:
        found = artefact.shards(name, table).lazy().filter(pl.col("row_id") == row_id)
        return found.select(pl.exclude("row_id", "messages")).collect().to_dicts()
    except (StoreError, pl.exceptions.PolarsError):
        return []


def _audits(ws: Workspace, row_id: str, raws: set[str]) -> Iterator[Place]:
    for artefact in ws.store.all("corpus_audit"):
        if artefact.manifest.inputs.get("raw_corpus") in raws:
            found = _rows(artefact, "findings", FINDINGS, row_id)
            kept = ("finding", "turn", "evidence", "action")
            yield _place(ws, artefact, {"findings": [{key: one[key] for key in kept} for one in found]})


def _checkpoints(ws: Workspace, row_id: str, audited: dict[str, Place]) -> Iterator[Place]:
    """Checkpoints that may have been trained on the row: their recipe draws its kind, and it could be encoded."""
    for artefact in ws.store.all("finetuned_checkpoint"):
        place = audited.get(artefact.manifest.inputs.get("audited_corpus", ""))
        if place is None or place.about["split"] != "train":
            continue
        training = artefact.json("training")
        origin, unfit = place.about["origin"], {row["row_id"] for row in training["quarantined"]}
        drawn = origin == "corpus" or (training["share"] > 0 and origin in training["recipe"]["origins"])
        if drawn and row_id not in unfit:
            yield _place(ws, artefact, {"weight": place.about["weight"], "audited_corpus": place.digest})


def _releases(ws: Workspace, checkpoints: set[str]) -> Iterator[Place]:
    now = released_record(ws)
    served = now["release"].get("checkpoint") if now else None
    for artefact in ws.store.all("released_model"):
        checkpoint = artefact.manifest.inputs.get("finetuned_checkpoint")
        if checkpoint in checkpoints:
            yield _place(ws, artefact, {"checkpoint": checkpoint}, current=checkpoint == served)


def _place(ws: Workspace, artefact: Artefact, about: dict, *, current: bool | None = None) -> Place:
    manifest = artefact.manifest
    if current is None:
        current = _is_current(ws, artefact)
    recipe = None if manifest.partition == WHOLE else manifest.partition
    return Place(
        asset=manifest.asset, digest=manifest.digest, recipe=recipe, made_at=manifest.made_at, current=current,
        about=about,
    )  # fmt: skip


def _is_current(ws: Workspace, artefact: Artefact) -> bool:
    try:
        found = ws.store.find(artefact.asset, artefact.partition)
    except StoreError:
        return False
    return found is not None and found.digest == artefact.digest
