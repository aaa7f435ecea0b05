"""Signed files: what people of the policy signed, which of it counts, and what is void and why.

One act is one file of a folder. It counts only in its exact text, under its own name, with the signature of a person
whom the policy names, in a role that this person holds and that may do it. Everything else is named and void; what is
void and may have been a hold holds.
"""

import base64
import binascii
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from safety_assets.people import MAY, Role
from safety_assets.policy import Policy
from safety_assets.release.acts import Act
from safety_assets.release.keys import verifies
from safety_assets.store import digest_bytes, replace_text

FOLDER = "signed"
LARGEST = 1 << 16
"""Bytes of a signed file; a longer one is none."""

SKEW = timedelta(minutes=10)
"""Two clocks may differ so much before an act counts as made in the future."""

HARMLESS = ("sign_off-", "waiver-", "disposition-", "lift-")
"""Beginnings of names: a void file called so grants nothing and was no hold, unless its text says that it is one."""


@dataclass(frozen=True)
class Void:
    """A file that does not count.

    Args:
        name: of the file.
        why: a sentence.
        holds: it is, or may have been, a hold, so that nothing is released while it is there.
    """

    name: str
    why: str
    holds: bool


@dataclass(frozen=True)
class Signed:
    """All signed files of a project: the acts that were soundly signed, ended ones too, and what is void."""

    acts: tuple[Act, ...] = ()
    void: tuple[Void, ...] = ()

    def sign_offs(self, weights: str, case: str, today: date) -> dict[Role, set[str]]:
        """Role to the people who signed these weights, or this very decision on them, in that role."""
        found: dict[Role, set[str]] = {}
        for act in self._of("sign_off", today):
            if act.binds(weights) or (act.about == "decision" and act.digest == case):
                found.setdefault(act.role, set()).add(act.who)
        return found

    def of_policy(self, digest: str, today: date) -> tuple[Act, ...]:
        """Sign-offs of a policy."""
        return tuple(act for act in self._of("sign_off", today) if act.about == "policy" and act.digest == digest)

    def waivers(self, weights: str | None) -> dict[str, Act]:
        """Dimension to the waiver that holds longest, ended ones included."""
        mine = [act for act in self.acts if act.kind == "waiver" and act.binds(weights)]
        mine.sort(key=lambda act: (act.expires or date.max, act.made_at))
        return {act.dimension or "": act for act in mine}

    def dispositions(self, weights: str | None, today: date) -> dict[tuple[str, str], Act]:
        """Dimension and category to the last word on its loss, where that word holds today."""
        mine = [act for act in self.acts if act.kind == "disposition" and act.binds(weights)]
        last = {(act.dimension or "", act.category or ""): act for act in sorted(mine, key=lambda act: act.made_at)}
        return {place: act for place, act in last.items() if act.in_force(today)}

    def holds(self, weights: str | None, today: date) -> tuple[str, ...]:
        """Why these weights are held back, a sentence each; empty when they are not."""
        lifted = {act.lifts for act in self._of("lift", today)}
        held = [a for a in self._of("hold", today) if a.binds(weights) and a.act_digest not in lifted]
        said = [f"{a.sentence()} To lift it: safety-assets hold --lift {a.act_digest[:12]}." for a in held]
        odd = [
            f"{FOLDER}/{v.name} may be a hold and does not count as signed: {v.why} Restore it, or have a model owner "
            "remove it." for v in self.void if v.holds
        ]  # fmt: skip
        return (*said, *odd)

    def told_void(self) -> tuple[str, ...]:
        """What does not count, a sentence for each file."""
        return tuple(f"{FOLDER}/{v.name} is void: {v.why}" for v in self.void)

    def _of(self, kind: str, today: date) -> Iterator[Act]:
        return (act for act in self.acts if act.kind == kind and act.in_force(today))


def write_signed(folder: Path, act: Act, key: Ed25519PrivateKey) -> Path:
    """Sign an act and put its file into a folder."""
    path = folder / act.file_name
    replace_text(path, text_of(act, key.sign(act.body.encode())))
    return path


def text_of(act: Act, signature: bytes) -> str:
    """The one text of a signed file."""
    value = {"body": act.model_dump(mode="json"), "signature": base64.b64encode(signature).decode()}
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_signed(folder: Path, project: str, policy: Policy, now: datetime | None = None) -> Signed:
    """Everything in a folder of signed files.

    Args:
        folder: may be absent: nothing was signed.
        project: name of the project that the acts must be of.
        policy: names the people, and what cannot be waived.
        now: acts of a later time are void.
    """
    acts, void = list[Act](), list[Void]()
    try:
        paths = _paths(folder)
    except OSError as error:
        return Signed(void=(Void("", f"The folder cannot be read ({error.strerror or error}).", True),))
    for path in paths:
        try:
            acts.append(_sound(path, project, policy, now or datetime.now(UTC)))
        except (OSError, ValueError, RecursionError) as error:
            why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            void.append(Void(path.name, f"{why.rstrip('.')}.", _may_hold(path)))
    return Signed(tuple(acts), tuple(void))


def _paths(folder: Path) -> list[Path]:
    """What stands in the folder, files on their way left out; OSError where it is no folder of its own."""
    if not os.path.lexists(folder):
        return []
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise NotADirectoryError(0, "it is no folder")
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _bytes(path: Path) -> bytes:
    """The content of an ordinary file that is no link; ValueError or OSError otherwise."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError("it is no ordinary file")
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"it is longer than {LARGEST} bytes")
    return data


def _sound(path: Path, project: str, policy: Policy, now: datetime) -> Act:
    """The act of a file; ValueError or OSError with the reason why it is void."""
    data = _bytes(path)
    try:
        value = json.loads(data)
        act, signature = Act.model_validate(value["body"]), base64.b64decode(value["signature"], validate=True)
    except (KeyError, TypeError, binascii.Error, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"it is no signed file ({type(error).__name__}: {error})") from error
    if text_of(act, signature).encode() != data:
        raise ValueError("its text is not as it was written")
    if path.name != act.file_name:
        raise ValueError(f"it was signed as {act.file_name}: it was renamed, or edited")
    _demand_signer(act, signature, policy)
    _demand_scope(act, project, policy, now)
    return act


def _demand_signer(act: Act, signature: bytes, policy: Policy) -> None:
    person = policy.people.get(act.who)
    if person is None:
        raise ValueError(f"the policy names nobody called {act.who}")
    if not verifies(person.key, signature, act.body):
        raise ValueError(f"its signature is not that of {act.who}")
    if act.role not in person.roles:
        raise ValueError(f"{act.who} does not hold the role {act.role}")
    if act.deed not in MAY[act.role]:
        able = [role for role, deeds in MAY.items() if act.deed in deeds]
        raise ValueError(f"a {act.role} may not {act.deed}; {' or '.join(able)} may")


def _demand_scope(act: Act, project: str, policy: Policy, now: datetime) -> None:
    if act.project != project:
        raise ValueError(f"it is of the project {act.project}")
    if act.made_at > now + SKEW:
        raise ValueError(f"it was made at {act.made_at.isoformat()}, which is to come")
    if act.kind == "waiver":
        demand_waivable(act.dimension or "", policy)


def demand_waivable(dimension: str, policy: Policy) -> None:
    """ValueError unless the dimension is a supporting one of the policy."""
    rule = policy.rule_of(dimension)
    if rule is None:
        raise ValueError(f"the policy has no dimension {dimension}")
    if rule.rank != "supporting":
        why = "cannot be waived" if rule.rank == "critical" else "only warns, there is nothing to waive"
        raise ValueError(f"{dimension} is {rule.rank} and {why}")


def _may_hold(path: Path) -> bool:
    """Whether a void file is a hold, or may have been one."""
    try:
        data = _bytes(path)
    except (OSError, ValueError):
        return not path.name.startswith(HARMLESS)
    return path.name.startswith("hold") or b'"hold"' in data


def folder_digests(folder: Path) -> dict[str, str]:
    """Name to sha256 of what stands in a folder of signed files; what is no readable file by the reason."""
    try:
        return {path.name: _content(path) for path in _paths(folder)}
    except OSError as error:
        return {"": str(error)}


def _content(path: Path) -> str:
    try:
        return digest_bytes(_bytes(path))
    except (OSError, ValueError) as error:
        return str(error)
