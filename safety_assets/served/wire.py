"""JSON over HTTP that survives a bad day: tried again after a drop, a timeout, 429 and 5xx, with jitter; never longer.

The repeats are urllib3's: the body is read inside them, so that a connection that drops half-way is tried again too.
Redirects are not followed: prompts and keys go to the host that was named and nowhere else.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError

from safety_assets.errors import ModelError
from safety_assets.served.address import Address
from safety_assets.served.care import Care

AGAIN = (408, 409, 429, 500, 502, 503, 504, 529)
"""Statuses that another try may mend."""
SAID = 200
"""Characters of an answer that is no JSON, or of the words of an error, that are quoted."""
HIDDEN = "[key]"


@dataclass(frozen=True)
class Reply:
    """What came back.

    Args:
        status: of HTTP.
        body: the JSON object; empty when there was none.
        words: the server's own words where it refuses or sends no JSON, in short, the key blotted out.
    """

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""

    @property
    def given(self) -> bool:
        """Whether this is what was asked for: status 200 with a JSON object."""
        return self.status == 200 and bool(self.body)

    def __str__(self) -> str:
        if self.status == 200 and not self.body:
            return f"sent no JSON object: {self.words!r}"
        return f"refused with status {self.status}: {self.words!r}"


class Wire:
    """Requests to one address, from any number of threads.

    Args:
        address: where, and which key.
        care: how patiently.
    """

    def __init__(self, address: Address, care: Care) -> None:
        self.address, self.care = address, care
        self._pool = _pool(address.url, care)
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # it warns of every single try

    def send(self, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """GET, or POST where there is a body; the reply.

        Raises:
            ModelError: no reply came, or none but that another try may help, however often it was tried.
        """
        url = f"{self.address.url}/{path}"
        try:
            found = self._pool.request(
                "GET" if body is None else "POST", url, headers=self._headers(), redirect=False,
                body=None if body is None else json.dumps(body).encode(),
            )  # fmt: skip
        except HTTPError as error:
            raise ModelError(
                f"{url} gave no answer in {self.care.tries} tries: {_cause(error)}",
                do="see whether it is served there and can be reached from here, then ask again",
            ) from error
        reply = self._reply(found.status, found.data)
        if reply.status in AGAIN:
            raise ModelError(f"{url} {reply} in {self.care.tries} tries", do="wait until it is well, then ask again")
        return reply

    def _headers(self) -> dict[str, str]:
        key = self.address.key
        asked = {"Content-Type": "application/json", "Accept": "application/json"}
        return {**asked, "Authorization": f"Bearer {key}"} if key else asked

    def _reply(self, status: int, data: bytes) -> Reply:
        text = data.decode("utf-8", errors="replace")
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = None
        found = body if isinstance(body, dict) else {}
        words = "" if status == 200 and found else self._hidden(_words(found) or text)[:SAID]
        return Reply(status, found, words)

    def _hidden(self, text: str) -> str:
        key = self.address.key
        return text.replace(key, HIDDEN) if key else text


def _pool(url: str, care: Care) -> urllib3.PoolManager:
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    kept: dict[str, Any] = {
        "maxsize": care.concurrency, "block": True, "retries": again(care),
        "timeout": urllib3.Timeout(connect=min(10.0, care.timeout), read=care.timeout),
    }  # fmt: skip
    return urllib3.ProxyManager(proxy, **kept) if proxy else urllib3.PoolManager(**kept)


def again(care: Care) -> urllib3.Retry:
    """How often and after what waits a request is sent again: what the server asks for, else longer and longer."""
    return urllib3.Retry(
        total=care.tries - 1, redirect=False, status_forcelist=AGAIN, allowed_methods=None, raise_on_status=False,
        backoff_factor=care.backoff / 2, backoff_jitter=care.backoff, backoff_max=care.longest_wait,
        retry_after_max=max(1, round(care.longest_wait)),
    )  # fmt: skip


def _words(body: Mapping[str, Any]) -> str:
    """What an error says of itself: {"error": {"message"}}, {"error"}, {"message"} or {"detail"}."""
    said = body.get("error", body.get("message", body.get("detail", "")))
    if isinstance(said, dict):
        said = said.get("message", "")
    return said if isinstance(said, str) else json.dumps(said)


def _cause(error: HTTPError) -> str:
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason is not None else error
    return (str(reason).partition("): ")[2] or str(reason) or type(reason).__name__)[:SAID]
