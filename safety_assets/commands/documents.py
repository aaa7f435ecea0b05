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
    """What is served: recipe, digest of the weights, where they lie, since when, number of the move, the decision."""
    release = record["release"]
    return {
        "recipe": release["recipe"],
        "weights": release["weights"],
        "folder": release["folder"],
        "path": str(ws.store.root / release["folder"]),
        "since": record["at"],
        "sequence": record["sequence"],
        "decision": decision_digest(release),
    }


def history_document(project: str, now: dict | None, past: list[dict]) -> dict[str, Any]:
    """Every move of the pointer, oldest first, and the one it stands on."""
    return {
        "project": project,
        "served": now["sequence"] if now else None,
        "moves": [
            {
                **{key: record[key] for key in ("sequence", "action", "at", "why", "objections")},
                "recipe": record["release"]["recipe"],
                "weights": record["release"]["weights"],
                "decision": decision_digest(record["release"]),
            }
            for record in past
        ],
    }


def decision_digest(release: dict) -> str | None:
    """Digest of the decision that a release was made by, as the ledger names it."""
    from safety_assets.store import digest_json

    return digest_json(release["decision"]) if "decision" in release else None
