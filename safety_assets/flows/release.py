"""Release: the decision and its evidence, the card of these weights, the pointer that serving reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from safety_assets.errors import GateRefused, ModelError, SafetyAssetsError, StoreError
from safety_assets.flows.checks import made
from safety_assets.flows.code_version import code_version
from safety_assets.flows.decision_checks import evidence_of
from safety_assets.flows.evidence import evidence_html
from safety_assets.flows.gates import admit, inspect, reasons_behind
from safety_assets.flows.inputs import digests
from safety_assets.flows.pages import EVIDENCE, beside, card_text, evidence_text
from safety_assets.flows.release_record import release_of
from safety_assets.flows.signed import hold_reasons
from safety_assets.flows.sources import model_digest
from safety_assets.flows.workspace import Made, Markdown, Workspace, make, source_digests
from safety_assets.release import ledger, promotion
from safety_assets.release.approved import difference, every_file
from safety_assets.release.decision import Decision, decide, from_dict
from safety_assets.store import Artefact, write_json

SMOKE = (
    "This was a smoke run: it shows that the parts work together, and no figure of it counts. "
    "Run the recipe without --smoke."
)


SERVED = ("recipe", "weights", "folder")
"""What the record of a release must name for serving."""
HEAD = ("| move | action | at | recipe | weights |", "|---|---|---|---|---|")
SHORTEST = 8
"""Digits of a digest by which a decision may be named."""


def release_decision(ws: Workspace, recipe: str) -> Made:
    """Approved, rejected or not certified, with every reason. It never refuses: what is missing is a reason.

    It is decided anew whenever it is asked for: waivers end, and people sign.
    """
    found = inspect(ws, "release_decision", recipe)
    problems = [*found.reasons, *([SMOKE] if ws.project.settings.smoke else [])]
    decision = decide(evidence_of(ws, recipe, found.inputs, problems), ws.policy)
    also = beside(ws, found.inputs)

    def write(folder: Path) -> None:
        write_json(folder, "decision", decision.as_dict())
        write_json(folder, "problems", {"problems": problems})
        (folder / "evidence.md").write_text(evidence_text(ws, decision, found.inputs, also))
        (folder / EVIDENCE).write_text(evidence_html(ws, decision, found.inputs, also), encoding="utf-8")

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
    return from_dict(artefact.json("decision"), required=())


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


def released_model(ws: Workspace, recipe: str, decision: str = "") -> Made:
    """One promotion: the pointer that serving reads moves to these weights.

    Args:
        decision: first digits, at least eight, of the digest of the decision to promote; empty for the one in force.
    """
    inputs = admit_approved(ws, "released_model", recipe)
    _demand_decision(recipe, decision_of(inputs["release_decision"]), decision)
    release = release_of(ws, recipe, inputs)
    held = hold_reasons(ws.project, release["weights"])
    if held:
        raise GateRefused("released_model", held)

    def write(folder: Path) -> None:
        write_json(folder, "release", release)

    artefact, cached = make(ws, "released_model", write, inputs=digests(inputs), partition=recipe)
    name = ws.project.settings.name
    record = promotion.promote(ws.store.root, name, release)
    return made(ws, artefact, cached, released_shown(record, promotion.history(ws.store.root, name)))


def _demand_decision(recipe: str, in_force: Decision, named: str) -> None:
    """A promotion that names a decision is of that decision and of no later one."""
    if named and not (len(named) >= SHORTEST and in_force.digest.startswith(named)):
        raise GateRefused(
            "released_model",
            [f"The decision in force on {recipe} is {in_force.digest[:12]}, the promotion names {named[:12]}."],
            expected=f"the decision in force, by {SHORTEST} or more digits of its digest",
            do="read the decision, and name it",
        )


def released_shown(record: Mapping, past: Sequence[Mapping]) -> dict[str, object]:
    """A move of the pointer, with what moved it before."""
    release = record["release"]
    decided = from_dict(release["decision"], required=()).digest
    return {
        "sequence": record["sequence"], "weights": release["weights"], "decision": decided,
        "history": Markdown("\n".join([*HEAD, *map(_line, past)])),
    }  # fmt: skip


def _line(record: Mapping) -> str:
    release = record["release"]
    told = (record["sequence"], record["action"], record["at"], release["recipe"], str(release["weights"])[:12])
    return f"| {' | '.join(map(str, told))} |"


def promote(ws: Workspace, recipe: str, decision: str = "") -> Made:
    """The card of an approved decision, and its promotion.

    Raises:
        GateRefused: something upstream is not in order, it is no approval, or another decision was named.
    """
    _demand_decision(recipe, decision_of(admit_approved(ws, "model_card", recipe)["release_decision"]), decision)
    model_card(ws, recipe)
    return released_model(ws, recipe, decision)


def demand_released(ws: Workspace) -> tuple[Path, dict]:
    """The folder of the released weights, identified again, and the record of their release.

    Raises:
        StoreError: nothing is released, or as in `released_folder`.
    """
    folder, record = released_folder(ws), released_record(ws)
    if folder is None or record is None:
        raise StoreError("nothing is released", do="release an approved recipe: safety-assets run RECIPE --release")
    return folder, record


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
        StoreError: the pointer is broken, what it names was never approved, or its folder does not hold the weights
            any more.
    """
    now = released_record(ws)
    if now is None:
        return None
    return _whole(ws, now["release"], do="type safety-assets rollback, or restore that folder from a copy")


def roll_back(ws: Workspace, to: int | None = None, why: str = "") -> dict:
    """Move the pointer to a release that was current before, once every byte of it was read again.

    No policy is asked; what the gate of the day has against that release is recorded in the history.

    Args:
        to: number of a move in the history; the release before the current one when absent.
        why: stands in the history.

    Raises:
        GateRefused: there is no such release.
        StoreError: its weights are not there any more as they were released; the pointer stays where it is.
    """
    do = "restore that folder from a copy, or release another recipe: safety-assets run RECIPE --release"

    def look(release: Mapping) -> list[str]:
        _whole(ws, release, do=do)
        return objections(ws, release)

    return promotion.roll_back(ws.store.root, ws.project.settings.name, look, to=to, why=why)


def objections(ws: Workspace, release: Mapping) -> list[str]:
    """Why the gate would not release these very weights again today; empty when it would."""
    try:
        behind = [ws.store.open(release[key]) for key in ("checkpoint", "card")]
        held = hold_reasons(ws.project, release["weights"])
        return [*held, *reasons_behind(ws, "released_model", release["recipe"], behind)]
    except (SafetyAssetsError, KeyError) as error:
        return [str(error)]


def _whole(ws: Workspace, release: Mapping[str, object], *, do: str) -> Path:
    """The folder of a release, every file of it read again; StoreError where it is not what was approved."""
    _demand_complete(release)
    promotion.demand_approved(ws.store.root, release)
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
    differs = difference(release["files"], every_file(folder))  # type: ignore[arg-type]
    if not differs.is_none:
        said = "; ".join(differs.sentences())
        raise StoreError(f"{folder} is not as it was released: {said}", expected="every file as it was", do=do)
    return folder
