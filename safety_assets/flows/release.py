"""Release: the decision and its evidence, the card of these weights, the pointer that serving reads."""

from collections.abc import Mapping
from pathlib import Path

from safety_assets.errors import GateRefused, ModelError, StoreError
from safety_assets.flows.checks import made
from safety_assets.flows.code_version import code_version
from safety_assets.flows.decision_checks import evidence_of
from safety_assets.flows.evidence import evidence_html
from safety_assets.flows.gates import admit, inspect
from safety_assets.flows.inputs import digests
from safety_assets.flows.pages import EVIDENCE, card_text, evidence_text
from safety_assets.flows.sources import model_digest
from safety_assets.flows.training import checkpoint_model
from safety_assets.flows.workspace import Made, Markdown, Workspace, make, source_digests
from safety_assets.release import ledger, promotion
from safety_assets.release.decision import Decision, decide, from_dict
from safety_assets.store import Artefact, write_json

SMOKE = (
    "This was a smoke run: it shows that the parts work together, and no figure of it counts. "
    "Run the recipe without --smoke."
)


SERVED = ("recipe", "weights", "folder")
"""What the record of a release must name for serving."""


def release_decision(ws: Workspace, recipe: str) -> Made:
    """Approved, rejected or not certified, with every reason. It never refuses: what is missing is a reason.

    It is decided anew whenever it is asked for: waivers end, and people sign.
    """
    found = inspect(ws, "release_decision", recipe)
    problems = [*found.reasons, *([SMOKE] if ws.project.settings.smoke else [])]
    decision = decide(evidence_of(ws, recipe, found.inputs, problems), ws.policy)

    def write(folder: Path) -> None:
        write_json(folder, "decision", decision.as_dict())
        write_json(folder, "problems", {"problems": problems})
        (folder / "evidence.md").write_text(evidence_text(ws, decision, found.inputs))
        (folder / EVIDENCE).write_text(evidence_html(ws, decision, found.inputs), encoding="utf-8")

    inputs = digests(found.inputs) | source_digests(ws, "release_decision", recipe)
    artefact = ws.store.publish(
        "release_decision", write, partition=recipe, inputs=inputs, code_version=code_version("release_decision"),
        run_id=ws.run_id,
    )  # fmt: skip
    _record(ws, decision)
    return made(ws, artefact, False, decision_shown(artefact))


def _record(ws: Workspace, decision: Decision) -> None:
    """Add a decision to the ledger, unless it is the last word there already."""
    with ws.store.lock("ledger", "the ledger"):
        entries = ledger.read(ws.store.root)
        about = [e for e in entries if e.decision.recipe == decision.recipe]
        if not about or about[-1].decision.digest != decision.digest:
            ledger.append(ws.store.root, decision)


def decision_of(artefact: Artefact) -> Decision:
    """The decision of a `release_decision`, its status checked against its own verdicts."""
    return from_dict(artefact.json("decision"))


def decision_shown(artefact: Artefact) -> dict[str, object]:
    """Status, reasons, the decision in short, and where its evidence page is."""
    decision = decision_of(artefact)
    reasons = "\n".join(f"{i}. {reason}" for i, reason in enumerate(decision.reasons, 1)) or "None."
    page = Markdown((artefact.path / "evidence.md").read_text())
    shown = {"status": decision.status, "reasons": Markdown(reasons), "evidence": page}
    return {**shown, "evidence_page": artefact.path / EVIDENCE}


def admit_approved(ws: Workspace, step: str, recipe: str) -> dict[str, Artefact]:
    """The inputs of a step that takes an approved decision only.

    Raises:
        GateRefused: something upstream is not in order, or the decision is no approval.
    """
    if ws.project.settings.smoke:
        raise GateRefused(step, [SMOKE])
    inputs = dict(admit(ws, step, recipe))
    decision = decision_of(inputs["release_decision"])
    if decision.status != "approved":
        said = f"release_decision [{recipe}] is {decision.status}."
        raise GateRefused(step, [said, *decision.reasons])
    return inputs


def model_card(ws: Workspace, recipe: str) -> Made:
    """A card about these very weights."""
    inputs = admit_approved(ws, "model_card", recipe)

    def write(folder: Path) -> None:
        (folder / "card.md").write_text(card_text(ws, inputs["release_decision"]))

    artefact, cached = make(ws, "model_card", write, inputs=digests(inputs), partition=recipe)
    return made(ws, artefact, cached, {"card": Markdown((artefact.path / "card.md").read_text())})


def released_model(ws: Workspace, recipe: str) -> Made:
    """One promotion: the pointer that serving reads moves to these weights."""
    inputs = admit_approved(ws, "released_model", recipe)
    checkpoint = inputs["finetuned_checkpoint"]
    release = {
        "decision": inputs["release_decision"].json("decision"),
        "weights": model_digest(checkpoint_model(checkpoint)),
        "recipe": recipe,
        "folder": checkpoint_model(checkpoint).relative_to(ws.store.root).as_posix(),
        "checkpoint": checkpoint.digest,
        "quantise": ws.project.settings.quantise,
        "card": inputs["model_card"].digest,
    }

    def write(folder: Path) -> None:
        write_json(folder, "release", release)

    artefact, cached = make(ws, "released_model", write, inputs=digests(inputs), partition=recipe)
    record = _promoted(ws, release)
    return made(ws, artefact, cached, {"sequence": record["sequence"], "weights": release["weights"]})


def _promoted(ws: Workspace, release: Mapping[str, object]) -> dict:
    """Move the pointer, unless it stands on this release already."""
    name = ws.project.settings.name
    now = promotion.released(ws.store.root, name)
    if now is not None and now["release"] == release:
        return now
    return promotion.promote(ws.store.root, name, release)


def released_record(ws: Workspace) -> dict | None:
    """The current record of the pointer; None when nothing was released.

    Raises:
        StoreError: it cannot be read, or does not name what is served.
    """
    now = promotion.released(ws.store.root, ws.project.settings.name)
    if now is not None:
        _demand_complete(now["release"])
    return now


def _demand_complete(release: object) -> None:
    if not (isinstance(release, dict) and all(isinstance(release.get(key), str) for key in SERVED)):
        raise StoreError(
            "the record of a release is incomplete", expected=", ".join(SERVED), do="roll back, or release again"
        )


def released_folder(ws: Workspace) -> Path | None:
    """The folder of the released weights, identified again; None when nothing was released.

    Raises:
        StoreError: the pointer is broken, or its folder does not hold the weights any more.
    """
    now = released_record(ws)
    if now is None:
        return None
    return _whole(ws, now["release"], do="type safety-assets roll-back, or restore that folder from a copy")


def roll_back(ws: Workspace) -> None:
    """Move the pointer to the release before the current one, once its weights were identified again.

    Raises:
        GateRefused: there is no earlier release.
        StoreError: its weights are not there any more as they were released; the pointer stays where it is.
    """
    do = "restore that folder from a copy, or release another recipe: safety-assets run RECIPE --release"
    promotion.roll_back(ws.store.root, ws.project.settings.name, lambda release: _whole(ws, release, do=do))


def _whole(ws: Workspace, release: Mapping[str, object], *, do: str) -> Path:
    """The folder of a release, identified again; StoreError where it does not hold the weights any more."""
    _demand_complete(release)
    folder = ws.store.root / str(release["folder"])
    try:
        found = model_digest(folder)
    except ModelError as error:
        raise StoreError(f"the weights of the release {release['recipe']} are damaged: {error.found}", do=do) from error
    if found != release["weights"]:
        raise StoreError(
            f"the weights in {folder} are not those that were released",
            expected=f"{str(release['weights'])[:12]}, found {found[:12]}", do=do,
        )  # fmt: skip
    return folder
