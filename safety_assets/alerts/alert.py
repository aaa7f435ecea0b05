"""One alert: a red check, a refusal or something broken, with what is served meanwhile and what to type next."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from safety_assets.store import digest_json

Kind = Literal["gate", "infrastructure"]

SAYS: Mapping[Kind, str] = {"gate": "The gate said no", "infrastructure": "Something broke"}


@dataclass(frozen=True, kw_only=True)
class Alert:
    """What people are told.

    Args:
        kind: gate concerns the model's owner, infrastructure who is on call.
        asset: the asset, or the step or job where it is of no asset.
        recipe: the partition; empty where there is none.
        check: the red check; empty for a refusal or a failure.
        sentence: why, personal data masked.
        run: id of the run.
        link: address of the run's page; empty where the webserver's is not known.
        serving: what is served now.
        next: the command to type.
    """

    kind: Kind
    asset: str
    recipe: str
    check: str
    sentence: str
    run: str
    link: str
    serving: str
    next: str

    @property
    def key(self) -> str:
        """What makes it the same alert, however often it is found."""
        return digest_json([self.run, self.asset, self.recipe, self.check])[:32]

    @property
    def title(self) -> str:
        """One line without line breaks."""
        where = f"{self.asset} [{self.recipe}]" if self.recipe else self.asset
        return " ".join(f"{SAYS[self.kind]}: {where} {self.check}".split())

    @property
    def text(self) -> str:
        """Everything, one line each."""
        run = self.link or self.run
        return f"{self.title}\n{self.sentence}\nRun: {run}\nServing unchanged: {self.serving}\nNext: {self.next}"

    def document(self) -> dict[str, str]:
        """In JSON types."""
        return asdict(self)
