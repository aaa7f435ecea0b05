"""What a release says of itself: recipe, decision, digests of all that it rests on and of every served file."""

from collections.abc import Mapping
from pathlib import Path

from safety_assets.flows.fingerprints import make_fingerprint
from safety_assets.flows.sources import model_digest
from safety_assets.flows.training import checkpoint_model
from safety_assets.flows.workspace import Workspace
from safety_assets.release.approved import every_file, sealed
from safety_assets.store import Artefact, digest_json


def release_of(ws: Workspace, recipe: str, inputs: Mapping[str, Artefact]) -> dict:
    """The content of a release, in JSON types.

    Args:
        inputs: what `released_model` was admitted with.
    """
    checkpoint = inputs["finetuned_checkpoint"]
    folder = checkpoint_model(checkpoint)
    return sealed({
        "decision": inputs["release_decision"].json("decision"),
        "weights": model_digest(folder),
        "recipe": recipe,
        "folder": folder.relative_to(ws.store.root).as_posix(),
        "checkpoint": checkpoint.digest,
        "quantise": ws.project.settings.quantise,
        "card": inputs["model_card"].digest,
        "system_prompt": _system_prompt(folder),
        "digests": _digests(ws, inputs, folder),
        "files": every_file(folder),
        "fingerprint": make_fingerprint(ws, folder).digest,
    })  # fmt: skip


def _digests(ws: Workspace, inputs: Mapping[str, Artefact], folder: Path) -> dict[str, str]:
    """Digest by name: the parts of the model, and everything that decided what it is and what was said of it."""
    from safety_assets.models.identity import identify

    checkpoint, decided = inputs["finetuned_checkpoint"].manifest, inputs["release_decision"].manifest
    scores = ws.store.open(decided.inputs["eval_scores"])
    asked = ws.store.open(scores.manifest.inputs["candidate_responses"]).manifest
    probes = ws.store.open(asked.inputs["probe_suite"])
    return {
        **identify(folder).parts,
        "system_prompt": digest_json(_system_prompt(folder)),
        "corpus": checkpoint.inputs["audited_corpus"],
        "recipe": checkpoint.inputs["recipe"],
        "base_model": checkpoint.inputs["base_model"],
        "probes": probes.manifest.inputs["probe_files"],
        "task_set": asked.inputs["task_set"],
        "policy": decided.inputs["policy"],
        "scores": scores.digest,
    }


def _system_prompt(folder: Path) -> str | None:
    from safety_assets.models.template import read_template, system_prompt_of

    return system_prompt_of(read_template(folder) or "")
