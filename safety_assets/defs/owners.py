"""Who answers for what: the owner of every asset, the tag of every job, schedule and sensor.

CODEOWNERS says the same of files.
"""

from safety_assets.flows.graph import GRAPH, Group
from safety_assets.people import Role

OF_GROUP: dict[Group, Role] = {
    "inputs": "ml_engineer",
    "corpus": "data_steward",
    "baseline": "safety_engineer",
    "training": "ml_engineer",
    "evaluation": "safety_engineer",
    "release": "model_owner",
    "external": "model_owner",
}

APART: dict[str, Role] = {
    "policy": "model_owner",
    "base_model": "ml_engineer",
    "injection_ratio": "safety_engineer",
    "safety_anatomy": "ml_engineer",
}
"""Assets that another role answers for than the rest of their group."""


def role(asset: str) -> Role:
    """The role that answers for an asset of the graph."""
    return APART.get(asset, OF_GROUP[GRAPH[asset].group])


def owner(asset: str) -> str:
    """The same as Dagster's owner."""
    return f"team:{role(asset)}"


def tags(asset: str) -> dict[str, str]:
    """Tags of an asset: the role that answers for it, and whether a gate stands before it."""
    gate = "refuses" if GRAPH[asset].gated else "observed" if GRAPH[asset].observed else "open"
    return tagged(role(asset)) | {"safety_assets/gate": gate}


def tagged(answers: Role) -> dict[str, str]:
    """The tag that names a role; owners of jobs, schedules and sensors are in beta in Dagster 1.13."""
    return {"safety_assets/role": answers}
