"""The hub at its border: a server on this machine that speaks as much of its protocol as a snapshot needs."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

REVISION = "0123456789abcdef0123456789abcdef01234567"
NAME = f"org/name@{REVISION}"
TOKEN = "hf_secret_of_this_test"
UNWANTED = {"pytorch_model.bin": b"pickle", "modeling_own.py": b"code", "original/model.safetensors": b"twice"}


class Hub(ThreadingHTTPServer):
    """What is on the hub, what it was asked and how it answers."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.files, self.asked, self.tokens = files, [], set()
        self.private, self.refuse = False, ""


class Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.tokens.add(self.headers.get("Authorization"))
        if self.server.private and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer(401, b"", {"X-Error-Code": "RepoNotFound"})
        if self.path.startswith(f"/api/models/org/name/tree/{REVISION}"):
            return self.answer(200, json.dumps([entry(n, d) for n, d in self.server.files.items()]).encode())
        name = self.path.removeprefix(f"/org/name/resolve/{REVISION}/")
        if name not in self.server.files or name == self.server.refuse:
            code = "RevisionNotFound" if "/tree/" in self.path else "EntryNotFound"
            return self.answer(404, b"", {"X-Error-Code": code})
        data = self.server.files[name]
        return self.answer(200, data, {"X-Repo-Commit": REVISION, "ETag": f'"{entry(name, data)["oid"]}"'})

    def do_HEAD(self) -> None:
        self.do_GET()

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence."""


def entry(name: str, data: bytes) -> dict:
    return {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}


@contextmanager
def serving(model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has one model, and an empty cache, for this process."""
    server = Hub({path.name: path.read_bytes() for path in model.iterdir()} | UNWANTED)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    url = constants.HUGGINGFACE_CO_URL_TEMPLATE.split("/{repo_id}", 1)[1]
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{constants.ENDPOINT}/{{repo_id}}{url}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield server
    server.shutdown()
    server.server_close()
