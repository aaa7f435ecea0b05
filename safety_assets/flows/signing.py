"""Making a signed file: who holds the key, in which role, about what; the law is asked before anything is signed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from safety_assets.errors import FileError, ProjectError
from safety_assets.evals.forgotten import CATEGORIES
from safety_assets.flows.check_functions import today
from safety_assets.flows.inputs import current
from safety_assets.flows.release import decision_of
from safety_assets.flows.signed import signed_files, signed_folder
from safety_assets.flows.workspace import Workspace
from safety_assets.people import MAY, Person, Role
from safety_assets.policy import Policy
from safety_assets.project import Project
from safety_assets.release.acts import Act
from safety_assets.release.decision import Decision
from safety_assets.release.keys import public_of
from safety_assets.release.signed import demand_waivable, write_signed


@dataclass(frozen=True)
class Subject:
    """What an act is about: weights, decision, policy or project, and its digest."""

    about: str
    digest: str | None = None


def decided(ws: Workspace, recipe: str) -> Decision:
    """The current decision on a recipe, its files as they were made."""
    artefact = ws.store.current("release_decision", recipe)
    artefact.verify()
    return decision_of(artefact)


def weights_of(ws: Workspace, recipe: str) -> Subject:
    """The weights that a recipe was decided upon with."""
    return Subject("weights", decided(ws, recipe).digests["weights"])


def policy_in_force(ws: Workspace) -> Subject:
    """The policy as it is now, as a checkpoint trained under it would name it."""
    return Subject("policy", current(ws, "policy").digest)


def demand_outside(project: Project, key: Path) -> None:
    """FileError where a private key would lie in the project's folder, from where it is copied and committed."""
    if key.resolve().is_relative_to(project.folder.resolve()):
        raise FileError(f"{key} is inside the project", expected="a private key outside of it", do="name another file")


def holder(policy: Policy, public: str) -> tuple[str, Person]:
    """Whom the policy names for a public key; ProjectError when nobody."""
    for name, person in policy.people.items():
        if person.key == public:
            return name, person
    raise ProjectError(
        f"the policy names nobody for the key {public}", expected="one of people in the policy",
        do="have the policy's owner add it under people, with name and roles",
    )  # fmt: skip


def draft(ws: Workspace, key: Ed25519PrivateKey, role: Role | None, subject: Subject, **said: Any) -> Act:
    """The act that would be signed.

    Args:
        role: needed where the signer holds several that may do it.
        said: fields of Act beside project, who, role, about, digest and made_at.

    Raises:
        ProjectError: the signer may not do it, or it says too much or too little.
    """
    name, person = holder(ws.policy, public_of(key))
    common = {
        "project": ws.project.settings.name, "who": name, "about": subject.about, "digest": subject.digest,
        "made_at": datetime.now(UTC), **said,
    }  # fmt: skip
    try:
        acts = [Act.model_validate({**common, "role": own}) for own in ([role] if role else person.roles)]
        if acts[0].kind == "waiver":
            demand_waivable(acts[0].dimension or "", ws.policy)
    except ValidationError as error:
        raise ProjectError(f"this cannot be signed: {error.errors()[0]['msg']}") from error
    except ValueError as error:
        raise ProjectError(f"this cannot be signed: {error}", do="train with a recipe that keeps it") from error
    if not acts[0].in_force(today()):
        raise ProjectError(f"it would end on {acts[0].expires}, which is over", do="name a day to come with --until")
    return _permitted(acts, name, person)


def _permitted(acts: list[Act], name: str, person: Person) -> Act:
    able = [act for act in acts if act.role in person.roles and act.deed in MAY[act.role]]
    if not able:
        roles = [role for role, deeds in MAY.items() if acts[0].deed in deeds]
        raise ProjectError(
            f"{name}, {' and '.join(person.roles)}, may not {acts[0].deed}", expected=" or ".join(roles),
            do="ask somebody who holds that role",
        )  # fmt: skip
    if len(able) > 1:
        raise ProjectError(f"{name} holds {' and '.join(a.role for a in able)}", do="say in which one, with --role")
    return able[0]


def put(ws: Workspace, act: Act, key: Ed25519PrivateKey) -> Path:
    """Sign it and put it into the project's folder of signed files."""
    return write_signed(signed_folder(ws.project), act, key)


def hold_named(ws: Workspace, beginning: str) -> Act:
    """The hold in force whose digest begins so; ProjectError where that is none or several."""
    signed = signed_files(ws.project, ws.policy)
    found = [act for act in signed.acts if act.kind == "hold" and act.act_digest.startswith(beginning)]
    if len(found) != 1:
        named = ", ".join(act.act_digest[:12] for act in signed.acts if act.kind == "hold") or "there is none"
        raise ProjectError(f"no one hold begins with {beginning!r}", expected=f"one of: {named}", do="name one of them")
    return found[0]


def demand_lost(ws: Workspace, recipe: str, dimension: str, category: str) -> None:
    """ProjectError unless this category of the current candidate lost an item."""
    rows = ws.store.current("forgotten_behaviours", recipe).frame("categories", CATEGORIES)
    places = [(d, c) for d, c, lost in rows.select("dimension", "category", "num_lost").iter_rows() if lost]
    if (dimension, category) not in places:
        named = ", ".join(f"{d} {c}" for d, c in places) or "nothing was lost"
        raise ProjectError(f"{recipe} lost nothing of {dimension} {category}", expected=f"one of: {named}")


def until(day: datetime | None) -> date | None:
    """A day of the command line."""
    return day.date() if day else None
