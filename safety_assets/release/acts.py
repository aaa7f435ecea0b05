"""What a person signs: one act, bound to what it is about, as canonical JSON."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from safety_assets.people import Deed, Role
from safety_assets.settings import Settings
from safety_assets.store import canonical_json, digest_bytes

FORMAT: Literal["safety-assets act 1"] = "safety-assets act 1"
"""The first thing that is signed: a signature made for another purpose, or another version, is none here."""

Kind = Literal["sign_off", "waiver", "disposition", "hold", "lift"]
About = Literal["weights", "decision", "policy", "project"]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

ABOUT: dict[Kind, tuple[About, ...]] = {
    "sign_off": ("weights", "decision", "policy"),
    "waiver": ("weights", "project"),
    "disposition": ("weights",),
    "hold": ("weights", "project"),
    "lift": ("weights", "project"),
}
NEEDS: dict[Kind, frozenset[str]] = {
    "sign_off": frozenset(),
    "waiver": frozenset({"dimension", "expires"}),
    "disposition": frozenset({"dimension", "category", "outcome"}),
    "hold": frozenset(),
    "lift": frozenset({"lifts"}),
}
"""What each kind says beside who, role, reason and digest; what it does not need it must not say, but when it ends."""


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("expected a time with its zone")
    return value.astimezone(UTC)


class Act(Settings):
    """One act of one person. `Act.sentence` says what it means.

    Args:
        project: name of the project; an act counts in no other.
        about: what the digest is of: weights (their identity), decision (`release.decision.case_digest`: these
            weights with this evidence under this policy), policy; project has none.
        lifts: digest of the hold that a lift ends.
        made_at: when it was signed.
        expires: last day on which it holds; None: without end.
    """

    format: Literal["safety-assets act 1"] = FORMAT
    project: str = Field(min_length=1)
    kind: Kind
    who: str = Field(min_length=1)
    role: Role
    reason: str = Field(pattern=r"\S")
    about: About
    digest: Hex | None = None
    dimension: str | None = None
    category: str | None = None
    outcome: Literal["fix", "accept"] | None = None
    lifts: Hex | None = None
    made_at: Annotated[datetime, AfterValidator(_in_utc)]
    expires: date | None = None

    @model_validator(mode="after")
    def _shape(self) -> "Act":
        if self.about not in ABOUT[self.kind]:
            raise ValueError(f"a {self.kind} is about {' or '.join(ABOUT[self.kind])}, found {self.about}")
        if (self.digest is None) != (self.about == "project"):
            raise ValueError("weights, decision and policy are named by their digest, the project has none")
        needs = NEEDS[self.kind] | ({"expires"} if self.outcome == "accept" else set())
        for name in ("dimension", "category", "outcome", "lifts", "expires"):
            said = getattr(self, name) is not None
            if said != (name in needs) and not (said and name == "expires"):
                raise ValueError(f"a {self.kind} {'does not say' if said else 'needs'} {name}")
        return self

    @property
    def deed(self) -> Deed:
        """What a role must allow for this act."""
        match self.kind:
            case "sign_off":
                return "sign_policy" if self.about == "policy" else "sign_off"
            case "disposition":
                return self.outcome or "accept"
            case "waiver":
                return "waive"
        return self.kind

    @property
    def body(self) -> str:
        """The canonical JSON that is signed."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def act_digest(self) -> str:
        """sha256 of the body."""
        return digest_bytes(self.body.encode())

    @property
    def file_name(self) -> str:
        """The one name under which this act counts."""
        return f"{self.kind}-{self.act_digest[:12]}.json"

    def in_force(self, today: date) -> bool:
        """Whether its last day is not over."""
        return self.expires is None or today <= self.expires

    def binds(self, weights: str | None) -> bool:
        """Whether it is about these weights, or about everything of the project."""
        return self.about == "project" or (self.about == "weights" and self.digest == weights)

    def sentence(self) -> str:
        """What signing this says, in one sentence."""
        what = {
            "weights": f"weights {_short(self.digest)}",
            "decision": f"the decision {_short(self.digest)} (its weights, evidence and policy)",
            "policy": f"policy {_short(self.digest)}, also for what was trained under an older one,",
            "project": f"all of project {self.project}",
        }[self.about]
        does = {
            "sign_off": f"approves {what}",
            "waiver": f"accepts the breach of {self.dimension} by {what}",
            "disposition": f"{_DISPOSED.get(self.outcome or '', '')} the loss of {self.dimension}/{self.category} "
            f"by {what}",
            "hold": f"holds back {what} from release",
            "lift": f"lifts the hold {_short(self.lifts)} on {what}",
        }[self.kind]
        until = f" until {self.expires}" if self.expires else ""
        reason = re.sub(r"\s+", " ", self.reason).strip().rstrip(".")
        return f"{self.who} as {self.role.replace('_', ' ')} {does.rstrip(',')}{until}: {reason}."


_DISPOSED = {"fix": "will have mended", "accept": "accepts"}


def _short(digest: str | None) -> str:
    return (digest or "")[:12]
