"""Where a served model is: its URL, its name there, and the environment variable that holds the key to it."""

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from safety_assets.errors import ModelError

KEY = "SAFETY_ASSETS_KEY_"
"""What the variable of a key begins with. The host follows, so that no key is ever sent to another one."""


@dataclass(frozen=True)
class Address:
    """A served model. It holds no secret: the key is read from the environment when a request is sent.

    Args:
        url: of the OpenAI-compatible interface, without a slash at its end, as in http://127.0.0.1:8000/v1.
        model: its name there; None: the only one there is.
    """

    url: str
    model: str | None = None

    @property
    def key_variable(self) -> str:
        """The environment variable of the key, as in SAFETY_ASSETS_KEY_API_EXAMPLE_COM."""
        return KEY + re.sub(r"[^A-Z0-9]", "_", urlsplit(self.url).netloc.upper())

    @property
    def key(self) -> str:
        """The key; empty where none is set."""
        return os.environ.get(self.key_variable, "").strip()

    def __str__(self) -> str:
        return f"{self.url}#{self.model}" if self.model else self.url


def is_url(where: object) -> bool:
    """Whether a model is named by a URL and not by a folder."""
    return str(where).startswith(("http://", "https://"))


def read_address(where: str) -> Address:
    """The address in URL or URL#MODEL; the part behind # is never sent as part of a URL.

    Raises:
        ModelError: it is no such URL, or it holds a password.
    """
    expected = "http(s)://HOST[:PORT]/v1, and #MODEL behind it where several models are served"
    try:
        parts = urlsplit(where)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ModelError(f"the URL of an endpoint cannot be read: {error}", expected=expected) from error
    if parts.username or parts.password or parts.query:
        raise ModelError(
            f"the URL of the endpoint at {host} holds a name, a password or a query", expected=expected,
            do=f"put the key into the environment variable {Address(f'http://{_netloc(parts.netloc)}').key_variable}",
        )  # fmt: skip
    if parts.scheme not in ("http", "https") or not host:
        raise ModelError(f"{where} is no URL of an endpoint", expected=expected)
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return Address(f"{parts.scheme}://{parts.netloc}{path}", parts.fragment or None)


def _netloc(netloc: str) -> str:
    return netloc.rpartition("@")[2]
