"""Closeness to harm: every corpus row against the harmful requests of the refusal pairs, ranked on up to four axes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from safety_assets.corpus.closeness import TextAxis, anchors, ranked, structure_axis, user_text, within_quota
from safety_assets.corpus.report import table
from safety_assets.flows.baseline import base_folder
from safety_assets.flows.checks import made
from safety_assets.flows.inputs import digests, take
from safety_assets.flows.workspace import Made, Workspace, make, source_digests
from safety_assets.records import CLOSENESS, PAIRS, ROWS
from safety_assets.store import Artefact, write_frame

if TYPE_CHECKING:
    from safety_assets.models.embed import Encoder
    from safety_assets.models.load import LoadedModel

ASSET = "corpus_closeness"
SHOWN = 20

Chats = Sequence[Sequence[dict[str, str]]]


def corpus_closeness(ws: Workspace) -> Made:
    """Every row with its nearness to harm, the closest first; empty where the policy does not ask for it."""
    inputs = take(ws, ASSET)

    def write(folder: Path) -> None:
        write_frame(folder, "closeness", _measured(ws, inputs), CLOSENESS)

    sources = source_digests(ws, ASSET)
    artefact, cached = make(ws, ASSET, write, inputs=digests(inputs) | sources)
    rule, closeness = ws.policy.corpus.closeness, artefact.frame("closeness", CLOSENESS)
    shown: dict[str, object] = {"rows": closeness.height, "closest": closeness.head(SHOWN)}
    if rule is not None:
        flagged = within_quota(closeness, rule.quota)
        axes = flagged.group_by("axis").len().sort("axis")
        shown |= {"within_quota": flagged.height, "by_axis": axes}
    return made(ws, artefact, cached, shown)


def close_rows(ws: Workspace, artefact: Artefact | None) -> dict[str, str]:
    """Row id to evidence of the rows within the policy's quota; none where nothing was measured."""
    rule = ws.policy.corpus.closeness
    if rule is None or artefact is None:
        return {}
    closeness = artefact.frame("closeness", CLOSENESS)
    said = "rank {rank} of {rows} in closeness to harm, {risk:.1f} standard deviations on the axis {axis}"
    return {
        row["row_id"]: said.format(**row, rows=closeness.height)
        for row in within_quota(closeness, rule.quota).iter_rows(named=True)
    }


def quota_page(ws: Workspace, artefact: Artefact | None) -> list[str]:
    """Markdown: how many rows the policy's quota reports as close to harm, and on which axes; nothing without one."""
    rule = ws.policy.corpus.closeness
    if rule is None or artefact is None:
        return []
    closeness = artefact.frame("closeness", CLOSENESS)
    flagged = within_quota(closeness, rule.quota)
    axes = flagged.group_by("axis").agg(rows=pl.len(), least=pl.col("risk").min()).sort("axis").rows()
    said = (
        f"The quota of {rule.quota:.1%} reports {flagged.height:,} of {closeness.height:,} rows as close_to_harm, each "
        "by the axis on which it is the closest; least is in standard deviations over the corpus."
    )
    shown = table(("axis", "rows", "least"), [(axis, rows, f"{least:.1f}") for axis, rows, least in axes])
    return ["## Closeness to harm", said, *([shown] if shown else [])]


def _measured(ws: Workspace, inputs: Mapping[str, Artefact]) -> pl.DataFrame:
    rule, rows = ws.policy.corpus.closeness, inputs["raw_corpus"].shards("rows", ROWS)
    if rule is None:
        return CLOSENESS.empty()
    harmful = anchors(inputs["refusal_pairs"].frame("pairs", PAIRS))
    loaded = _base(ws, inputs["base_model"]) if "hidden" in rule.axes else None

    def parts() -> Iterator[Chats]:
        return (part["messages"].to_list() for part in rows)

    encoder = _encoder(ws, rule.embedding_model) if rule.embedding_model else None
    axes = measure_axes(parts, harmful, loaded, max_tokens=rule.max_tokens, encoder=encoder)
    row_ids = rows.lazy().select("row_id").collect()["row_id"].to_list()
    return ranked(row_ids, {name: values for name, values in axes.items() if name in rule.axes})


def _base(ws: Workspace, artefact: Artefact) -> "LoadedModel":
    from safety_assets.models.load import load_model

    settings = ws.project.settings
    return load_model(base_folder(ws, artefact), device=settings.device, threads=settings.threads)


def _encoder(ws: Workspace, named: str) -> "Encoder":
    from safety_assets.models.embed import Encoder

    return Encoder(ws.project.path(named), device=ws.project.settings.device)


def measure_axes(
    parts: Callable[[], Iterable[Chats]], harmful: Chats, loaded: "LoadedModel | None", *, max_tokens: int,
    encoder: "Encoder | None" = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Name of an axis to one value per chat, higher is closer to harm.

    Args:
        parts: the corpus in parts, gone through twice; one part is in memory at a time.
        harmful: anchors (corpus.closeness.anchors); without any, text and hidden are left out.
        loaded: the base model; None leaves the hidden axis out.
        max_tokens: chats are cut behind so many tokens.
        encoder: of user turns; None leaves the embedding axis out.

    Raises:
        ModelError: the template cannot render a chat.
    """
    measures: dict[str, Callable[[Chats], np.ndarray]] = {"structure": structure_axis}
    if harmful:
        measures["text"] = TextAxis(harmful, (chat for part in parts() for chat in part)).of
    if harmful and loaded is not None:
        measures["hidden"] = _hidden_axis(harmful, loaded, max_tokens)
    if harmful and encoder is not None:
        measures["embedding"] = _embedding_axis(harmful, encoder)
    found = [[measure(part) for measure in measures.values()] for part in parts()]
    return {name: np.concatenate(values) for name, values in zip(measures, zip(*found, strict=True), strict=True)}


def _hidden_axis(harmful: Chats, loaded: "LoadedModel", max_tokens: int) -> Callable[[Chats], np.ndarray]:
    from safety_assets.models.activations import answer_states, nearest_cosine

    limit = min(max_tokens, loaded.max_tokens)
    known = answer_states(loaded, harmful, max_tokens=limit)
    return lambda chats: nearest_cosine(answer_states(loaded, chats, max_tokens=limit), known).double().numpy()


def _embedding_axis(harmful: Chats, encoder: "Encoder") -> Callable[[Chats], np.ndarray]:
    from safety_assets.models.activations import nearest_cosine

    known = encoder.vectors([user_text(chat) for chat in harmful])
    return lambda chats: nearest_cosine(encoder.vectors([user_text(c) for c in chats]), known).double().numpy()
