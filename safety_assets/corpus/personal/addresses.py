"""E-mail and IP addresses."""

import ipaddress
import re
from collections.abc import Iterator

from safety_assets.corpus.personal.spans import Family, Place

_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w%+-](?:[\w.%+-]{0,62}[\w%+-])?"
    r"@(?![1-9]x\.)"  # icon@2x.png
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w])"
)
_IPV4 = re.compile(r"(?<![A-Za-z0-9_.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![A-Za-z0-9_]|\.[0-9])")
_IPV6 = re.compile(r"(?:(?<![A-Za-z0-9_:.])|(?<=[^0-9A-Fa-f:]:))[0-9A-Fa-f:]{2,39}(?![A-Za-z0-9_:])")
_VERSION_BEFORE = re.compile(r"(?:\bv|version|release)\W{0,2}$", re.IGNORECASE)


def _emails(text: str) -> Iterator[Place]:
    return ((*match.span(), "") for match in _EMAIL.finditer(text)) if "@" in text else iter(())


def _ip_addresses(text: str) -> Iterator[Place]:
    """Addresses of a machine; and none that follows the word version."""
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - 10) : match.start()]
            if _is_of_a_machine(match.group()) and not _VERSION_BEFORE.search(before):
                yield *match.span(), ""


def _is_of_a_machine(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or _is_netmask(address))


def _is_netmask(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.version == 4 and int(address) >> 24 == 255


EMAILS = Family("email", r"[@\x{FF20}]", _emails)
IP_ADDRESSES = Family(
    "ip_address",
    r"\d[.\x{FF0E}]\d{1,3}[.\x{FF0E}]\d{1,3}[.\x{FF0E}]\d|(?i)[:\x{FF1A}]{2}|(?:[A-F\d]{1,4}[:\x{FF1A}]){7}",
    _ip_addresses,
)
