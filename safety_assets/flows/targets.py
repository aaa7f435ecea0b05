"""What is gated: a model folder or a model behind an endpoint, and what each can show of itself.

A folder shows its weights. Of an endpoint there is only what it says: its weights cannot be read, so that no check of
them passes, unless the policy names a person who accepts that.
"""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from safety_assets.evals.ask import Answerer
from safety_assets.evals.remembered import Target as Asked
from safety_assets.flows import asking
from safety_assets.flows.candidates import maker, open_candidate, soundness
from safety_assets.flows.sources import model_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.policy import Policy
from safety_assets.records import Verdict
from safety_assets.release.external import weights_unread
from safety_assets.served.address import Address, is_url, read_address

if TYPE_CHECKING:
    from safety_assets.served.endpoint import Endpoint

Where = Path | Address
"""A model folder, or where a served model is."""


def where(named: str) -> Where:
    """A folder or an endpoint, by its name on the command line; ModelError for a URL that is none."""
    return read_address(named) if is_url(named) else Path(named)


class Target(Protocol):
    """One model that is asked."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str:
        """Identity of what answers."""

    @property
    def made_by(self) -> str:
        """Who made the model; empty where nobody says so."""

    @property
    def lasting(self) -> bool:
        """Whether the same identity means the same answers, so that they can be used again."""

    @property
    def template(self) -> str | None:
        """The chat template; None where it cannot be seen."""

    def soundness(self, policy: Policy, today: date) -> Verdict:
        """Whether all weights can be read and are finite."""

    def answerer(self) -> Answerer: ...
    def to_ask(self) -> Asked:
        """It, as it is asked where each answer is kept; what an endpoint says, for the day."""

    def identify(self) -> str:
        """The identity, taken anew."""


@dataclass(frozen=True)
class Weights:
    """A complete model folder; its weights are loaded when it is first asked."""

    ws: Workspace
    folder: Path
    lasting: bool = field(default=True, init=False)

    @cached_property
    def digest(self) -> str:
        return self.identify()

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def made_by(self) -> str:
        return maker(self.folder)

    @property
    def template(self) -> str | None:
        from safety_assets.models.template import read_template

        return read_template(self.folder)

    def soundness(self, policy: Policy, today: date) -> Verdict:
        return soundness(self.folder)

    def answerer(self) -> Answerer:
        return asking.remembered(self.ws, self.to_ask())

    def to_ask(self) -> Asked:
        return asking.local(self.ws, self.folder)

    def identify(self) -> str:
        return model_digest(self.folder)


@dataclass(frozen=True)
class Served:
    """A model behind an endpoint."""

    ws: Workspace
    address: Address
    made_by: str = field(default="", init=False)
    lasting: bool = field(default=False, init=False)
    template: None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self._endpoint.name

    @property
    def digest(self) -> str:
        return self._endpoint.model

    def soundness(self, policy: Policy, today: date) -> Verdict:
        return weights_unread(str(self._endpoint.address), policy.unread_weights, today)

    def answerer(self) -> Answerer:
        return self._endpoint

    def to_ask(self) -> Asked:
        return asking.served(self.ws, self.address)

    def identify(self) -> str:
        return self._endpoint.identify()

    @cached_property
    def _endpoint(self) -> "Endpoint":
        return asking.open_endpoint(self.ws, self.address)


def open_target(ws: Workspace, where: Where, base: Where | None = None) -> Target:
    """What stands there; an adapter is composed with the base it is compared with.

    Raises:
        ModelError: an adapter that cannot be merged, or whose base is behind an endpoint.
    """
    if isinstance(where, Address):
        return Served(ws, where)
    return Weights(ws, where if base is None else open_candidate(ws.project, where, base))
