"""What people signed: `sign_offs.yaml` in the project's folder. A signature is bound to a digest, never to a name."""

from pydantic import Field

from safety_assets.project import Project
from safety_assets.settings import Settings, read_settings

FILE = "sign_offs.yaml"


class Signature(Settings):
    """One person's signature under weights (a release) or under a policy (its owner)."""

    who: str = Field(min_length=1)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="identity of the weights, or digest of the policy")
    why: str = ""


class AcceptedLoss(Settings):
    """Lost items of one dimension that a person looked at and accepted, for these weights only."""

    who: str = Field(min_length=1)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="identity of the weights")
    dimension: str
    probe_ids: tuple[str, ...] = Field(min_length=1)
    why: str = Field(min_length=1)


class SignOffs(Settings):
    """The whole file."""

    signatures: tuple[Signature, ...] = ()
    accepted_losses: tuple[AcceptedLoss, ...] = ()


def read_sign_offs(project: Project) -> SignOffs:
    """What was signed so far; nothing when there is no file."""
    path = project.folder / FILE
    return read_settings(path, SignOffs) if path.is_file() else SignOffs()
