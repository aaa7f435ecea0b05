"""What several commands print as JSON: an artefact that was made, and a release."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safety_assets.flows.workspace import Made, Workspace


def made_document(made: "Made", seconds: float) -> dict[str, Any]:
    """One artefact: what it is, where it lies, whether it was there before, and its checks."""
    from safety_assets.flows.checks import red_blocking
    from safety_assets.store import WHOLE

    artefact, blocking = made.artefact, {verdict.check for verdict in red_blocking(made)}
    return {
        "asset": artefact.asset,
        "recipe": None if artefact.partition == WHOLE else artefact.partition,
        "digest": artefact.digest,
        "path": str(artefact.path),
        "cached": made.cached,
        "seconds": round(seconds, 3),
        "checks": [
            {"check": v.check, "status": v.status, "blocking": v.check in blocking, "reasons": list(v.reasons)}
            for v in made.verdicts
        ],
    }


def release_document(ws: "Workspace", record: dict) -> dict[str, Any]:
    """What is served: recipe, digest of the weights, where they lie, since when, and the number of the move."""
    release = record["release"]
    return {
        "recipe": release["recipe"],
        "weights": release["weights"],
        "folder": release["folder"],
        "path": str(ws.store.root / release["folder"]),
        "since": record["at"],
        "sequence": record["sequence"],
    }
