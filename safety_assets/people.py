"""Who may sign what: the people of a project, their roles and public keys, and the one law of what a role may do."""

import base64
import binascii
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from safety_assets.settings import Settings

Role = Literal["data_steward", "ml_engineer", "safety_engineer", "model_owner"]
Deed = Literal["sign_off", "sign_policy", "waive", "fix", "accept", "hold", "lift"]

MAY: Mapping[Role, frozenset[Deed]] = {
    "data_steward": frozenset({"sign_off"}),
    "ml_engineer": frozenset({"sign_off", "fix"}),
    "safety_engineer": frozenset({"sign_off", "fix", "accept"}),
    "model_owner": frozenset({"sign_off", "sign_policy", "waive", "fix", "accept", "hold", "lift"}),
}
"""What each role may sign. Not a setting: whoever may change the policy cannot widen it."""

PREFIX = "ed25519:"

SMALL_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""Points of small order, the sign bit cleared: under such a key anybody can sign (the list of libsodium)."""


class Person(Settings):
    """Somebody who may sign, by a key of their own."""

    roles: tuple[Role, ...] = Field(min_length=1, description="what this person answers for")
    key: str = Field(description="public key, as `safety-assets keys new` prints it")

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        public_bytes(value)
        return value


def public_bytes(key: str) -> bytes:
    """The 32 bytes of a public key; ValueError when it is none, or one under which anybody could sign."""
    try:
        raw = base64.b64decode(key.removeprefix(PREFIX), validate=True) if key.startswith(PREFIX) else b""
    except binascii.Error:
        raw = b""
    if len(raw) != 32 or public_text(raw) != key:
        raise ValueError(f"expected {PREFIX} and 32 bytes in Base64, as `safety-assets keys new` prints it")
    if raw[:31] + bytes([raw[31] & 0x7F]) in SMALL_ORDER:
        raise ValueError("this is a placeholder, under which anybody can sign; make a key: safety-assets keys new")
    return raw


def public_text(raw: bytes) -> str:
    """32 bytes as a policy writes them."""
    return PREFIX + base64.b64encode(raw).decode()


def holders(people: Mapping[str, Person], role: Role) -> dict[str, str]:
    """Name to public key of everybody who holds a role."""
    return {name: person.key for name, person in people.items() if role in person.roles}
