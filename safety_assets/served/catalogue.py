"""What a server says of the models that it serves: /v1/models."""

from collections.abc import Mapping, Sequence
from typing import Any

from safety_assets.errors import ModelError
from safety_assets.served.address import Address
from safety_assets.served.wire import Wire

SHOWN = 20
"""Names of models that an error lists at most."""


def entry(wire: Wire) -> Mapping[str, Any]:
    """What the server says of the model that is meant; nothing but its name where it lists none and one was named.

    Raises:
        ModelError: no reply, a wrong key, no such model, or several and none was named.
    """
    reply = wire.send("models")
    if reply.status == 401:
        raise ModelError(f"{wire.address} {reply}", do=f"set {wire.address.key_variable} to a key of that host")
    models = _listed(reply.body) if reply.given else []
    if not models and wire.address.model:
        return {"id": wire.address.model}
    return _chosen(wire.address, models)


def _listed(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    data = body.get("data")
    return [m for m in data if isinstance(m, dict) and isinstance(m.get("id"), str)] if isinstance(data, list) else []


def _chosen(address: Address, models: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    meant = [m for m in models if address.model in (None, m["id"])]
    if len(meant) == 1:
        return meant[0]
    names = ", ".join(sorted(m["id"] for m in models)[:SHOWN]) or "no model that it lists"
    raise ModelError(
        f"{address.url} serves {names}", expected=address.model or "one model, or a named one",
        do=f"name one behind #, as in {address.url}#NAME",
    )  # fmt: skip
