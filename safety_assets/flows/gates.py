"""The gate: what a step may open, decided from artefacts and policy alone.

It resolves the current artefact of every input, follows the digests in their manifests back to the
sources, recomputes every required verdict, and refuses in words unless all of it holds. It reads no event
log, so a wiped history, another code location or a launch that leaves checks out change nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from safety_assets.errors import GateRefused, SafetyAssetsError, StoreError
from safety_assets.flows.checks import CHECKS, verdict_of
from safety_assets.flows.graph import GRAPH, ancestors
from safety_assets.flows.inputs import current, partition_of, place, wanted_inputs
from safety_assets.flows.sources import source_digest
from safety_assets.flows.workspace import Workspace
from safety_assets.store import Artefact

Inputs = Mapping[str, Artefact]

POLICY_BINDS = frozenset({"finetuned_checkpoint"})
"""A checkpoint keeps the policy it was trained under; whether a newer one may judge it is for `signed_off` to say."""


@dataclass(frozen=True)
class Inspection:
    """What stands upstream of a step: the inputs that exist, and every reason not to use them."""

    inputs: Inputs
    reasons: tuple[str, ...]


def admit(ws: Workspace, step: str, partition: str) -> Inputs:
    """The exact artefacts a step may open.

    Raises:
        GateRefused: something upstream is missing, changed, stale or red; one sentence per reason.
    """
    found = inspect(ws, step, partition)
    if found.reasons:
        raise GateRefused(step, found.reasons)
    return found.inputs


def inspect(ws: Workspace, step: str, partition: str) -> Inspection:
    """The inputs of a step and all reasons not to use them; empty reasons mean that it may run."""
    inputs: dict[str, Artefact] = {}
    reasons: list[str] = []
    for name, own in _wanted(ws, step, partition, reasons).items():
        try:
            inputs[name] = current(ws, name, own)
        except SafetyAssetsError as error:
            reasons.append(str(error))
    reasons += reasons_behind(ws, step, partition, inputs.values())
    return Inspection(inputs, tuple(dict.fromkeys(reasons)))


def _wanted(ws: Workspace, step: str, partition: str, reasons: list[str]) -> Mapping[str, str]:
    """The inputs of a step; where the recipe that decides them cannot be read, a reason and none."""
    try:
        return wanted_inputs(ws, step, partition)
    except SafetyAssetsError as error:
        reasons.append(str(error))
        return {}


def reasons_behind(ws: Workspace, step: str, partition: str, artefacts: Iterable[Artefact]) -> list[str]:
    """Every reason why a step may not use these very artefacts: what is missing, changed, stale or red behind them."""
    lineage = Lineage(ws, step)
    for artefact in artefacts:
        lineage.follow(artefact)
    return [*lineage.reasons, *_two_versions(lineage), *_red_checks(ws, step, partition, lineage)]


class Lineage:
    """The artefacts behind a step, found by following manifests; what is wrong with them, in words."""

    def __init__(self, ws: Workspace, step: str) -> None:
        self.ws, self.step = ws, step
        self.artefacts: dict[str, Artefact] = {}
        self.reasons: list[str] = []

    def follow(self, artefact: Artefact) -> None:
        """Verify an artefact and everything it was made from."""
        if artefact.digest in self.artefacts:
            return
        self.artefacts[artefact.digest] = artefact
        self._attempt(artefact.verify)
        for used in self.compare(artefact):
            self.follow(used)

    def compare(self, artefact: Artefact) -> list[Artefact]:
        """Compare what an artefact was made from with what is current; gives back what it was made from."""
        opened = []
        for name, digest in artefact.manifest.inputs.items():
            if name in GRAPH:
                opened += self._compare_input(artefact, name, digest)
            else:
                self._compare_source(artefact, name, digest)
        return opened

    def _compare_input(self, artefact: Artefact, name: str, digest: str) -> list[Artefact]:
        try:
            used = self.ws.store.open(digest)
        except StoreError as error:
            self.reasons.append(f"{place(artefact)} was made from {name} {digest[:12]}, which is gone. {error}")
            return []
        if used.asset != name:
            self.reasons.append(f"{place(artefact)} calls {digest[:12]} its {name}, but it is {place(used)}.")
        self._compare_current(artefact, used)
        return [used]

    def _compare_current(self, artefact: Artefact, used: Artefact) -> None:
        if used.asset == "policy" and artefact.asset in POLICY_BINDS and GRAPH[self.step].group == "release":
            return
        try:
            now = current(self.ws, used.asset, used.partition)
        except SafetyAssetsError as error:
            self.reasons.append(str(error))
            return
        if now.digest != used.digest:
            self.reasons.append(
                f"{place(artefact)} is stale: it was made from {used.asset} {used.digest[:12]}, "
                f"and {used.asset} is now {now.digest[:12]}. Materialize {place(artefact)} again."
            )

    def _compare_source(self, artefact: Artefact, name: str, digest: str) -> None:
        if GRAPH[artefact.asset].observed:
            return  # read anew whenever it is asked for: whoever used an older one is compared with the current one
        try:
            now = source_digest(self.ws.project, name, artefact.partition)
        except SafetyAssetsError as error:
            self.reasons.append(f"{name} of {place(artefact)} cannot be read. {error}")
            return
        if now != digest:
            self.reasons.append(
                f"{name} changed since {place(artefact)} was made from it. Materialize {place(artefact)} again."
            )

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except SafetyAssetsError as error:
            self.reasons.append(str(error))


def _two_versions(lineage: Lineage) -> Iterator[str]:
    """Ancestors of which two different versions were used."""
    seen: dict[tuple[str, str], str] = {}
    for artefact in lineage.artefacts.values():
        first = seen.setdefault((artefact.asset, artefact.partition), artefact.digest)
        if first != artefact.digest and artefact.asset != "policy":
            yield (
                f"{lineage.step} would join two versions of {place(artefact)}: {first[:12]} and "
                f"{artefact.digest[:12]}. Materialize what was made from the older one again."
            )


def _red_checks(ws: Workspace, step: str, partition: str, lineage: Lineage) -> Iterator[str]:
    """Required checks that do not pass, on what was consumed and on what is current upstream."""
    artefacts = dict(lineage.artefacts)
    for name in ancestors(step):
        try:
            found = ws.store.find(name, partition_of(name, partition))
        except StoreError as error:
            yield str(error)
            continue
        if found is not None:
            artefacts.setdefault(found.digest, found)
    for artefact in artefacts.values():
        for check in CHECKS.get(artefact.asset, ()):
            if not check.blocking:
                continue
            verdict = verdict_of(ws, artefact, check, fresh=step == "released_model")
            if not verdict.passed:
                said = " ".join(verdict.reasons) or "It gave no reason."
                yield f"{place(artefact)}: {check.name} {WORDS[verdict.status]}. {said}"


WORDS = {"fail": "failed", "not_certified": "could not be certified", "pass": "passed"}
