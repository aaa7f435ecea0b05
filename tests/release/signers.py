"""People with keys, and what they sign: a folder of signed files that a test spoils in one way."""

import functools
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safety_assets.policy import Policy
from safety_assets.release.acts import Act
from safety_assets.release.keys import public_of
from safety_assets.release.signed import write_signed

ROLES = {
    "Ada": ("model_owner",), "Bo": ("safety_engineer",), "Cy": ("ml_engineer",), "Di": ("data_steward",),
    "Eve": ("safety_engineer", "model_owner"),
}  # fmt: skip


@functools.cache
def key_of(name: str) -> Ed25519PrivateKey:
    """The same key for the same name, in all tests."""
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))


def people(*names: str) -> dict[str, dict]:
    """The section of a policy."""
    return {name: {"roles": list(ROLES[name]), "key": public_of(key_of(name))} for name in names or ROLES}


def with_people(law: dict, *names: str, **changes: object) -> Policy:
    return Policy.model_validate({**law, "people": people(*names), **changes})


def act_of(who: str, kind: str, /, **changes: object) -> Act:
    """An act made now in the first role of its signer."""
    said = {
        "project": "p", "kind": kind, "who": who, "role": ROLES[who][0], "reason": "It is known.", "about": "weights",
        "made_at": datetime.now(UTC), **changes,
    }  # fmt: skip
    return Act.model_validate({"digest": None if said["about"] == "project" else "a" * 64, **said})


def put(folder: Path, who: str, kind: str, /, **changes: object) -> Path:
    """Sign an act with the key of `who` and put it where it is read."""
    return write_signed(folder, act_of(who, kind, **changes), key_of(who))
