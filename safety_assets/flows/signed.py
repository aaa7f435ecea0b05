"""What people signed for a project: the files of its folder `signed/`, read under a policy."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from safety_assets.errors import StoreError
from safety_assets.people import holders
from safety_assets.policy import Policy
from safety_assets.project import Project
from safety_assets.release.signed import FOLDER, Signed, folder_digests, read_signed
from safety_assets.store import Store, digest_json


def signed_folder(project: Project) -> Path:
    """Where the signed files of a project stand."""
    return project.folder / FOLDER


def signed_files(project: Project, policy: Policy | None = None) -> Signed:
    """What was signed so far, under the policy in force unless another is given; empty where there is no folder."""
    return read_signed(signed_folder(project), project.settings.name, policy or project.policy())


def signed_digest(project: Project) -> str:
    """Content digest of the signed files, those that do not count among them."""
    return digest_json(folder_digests(signed_folder(project)))


def hold_reasons(project: Project, weights: str) -> tuple[str, ...]:
    """Why a model owner holds these weights back today, a sentence each; empty when nobody does."""
    from safety_assets.flows.check_functions import today

    return signed_files(project).holds(weights, today())


def model_owners(store: Store, policy_digest: str | None) -> dict[str, str] | None:
    """Model owners whom an earlier policy names, to their keys; None when that policy is not there as it was.

    Args:
        policy_digest: of the `policy` artefact that a checkpoint was trained under.
    """
    if policy_digest is None:
        return None
    try:
        kept = store.open(policy_digest)
        kept.verify()
        if kept.digest != policy_digest or kept.asset != "policy":
            return None
        return holders(Policy.model_validate(kept.json("policy")).people, "model_owner")
    except (StoreError, OSError, ValueError):
        return None


def accepted_losses(signed: Signed, forgotten: pl.DataFrame | None, weights: str | None) -> dict[str, int]:
    """Dimension to lost items that a person accepted for these weights; what was not lost does not count.

    Args:
        signed: what people signed.
        forgotten: FORGOTTEN.
        weights: identity digest of the candidate.
    """
    from safety_assets.flows.check_functions import today

    if forgotten is None:
        return {}
    said = signed.dispositions(weights, today())
    accepted = {place for place, act in said.items() if act.outcome == "accept"}
    lost = forgotten.filter(pl.col("change") == "lost").select("dimension", "category", "probe_id").unique()
    found = [dimension for dimension, category, _ in lost.iter_rows() if (dimension, category) in accepted]
    return {dimension: found.count(dimension) for dimension in set(found)}


def lost_categories(categories: pl.DataFrame | None) -> Sequence[Mapping[str, object]] | None:
    """Rows of CATEGORIES as `losses_disposed` takes them; None where nothing was compared."""
    return None if categories is None else categories.to_dicts()
