"""The hub at its border: a server on this machine that speaks as much of its protocol as a snapshot needs."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from safety_assets.errors import ModelError
from safety_assets.models.hub import fetch, parse_hub_id
from safety_assets.models.identity import identify
from safety_assets.models.source import ModelSource, model_folder

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


@pytest.fixture
def hub(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    files = {path.name: path.read_bytes() for path in tiny_model.iterdir()}
    server = Hub(files | UNWANTED)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    url = constants.HUGGINGFACE_CO_URL_TEMPLATE.split("/{repo_id}", 1)[1]
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{constants.ENDPOINT}/{{repo_id}}{url}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield server
    server.shutdown()
    server.server_close()


def folder(where: Path) -> Path:
    return model_folder(ModelSource(base=NAME), root=where, composed=where / "composed")


@pytest.mark.parametrize("text", ["org/name", "org/name@main", f"name@{REVISION}", f"../x/y@{REVISION}", f"{NAME}0"])
def test_only_a_full_commit_hash_pins(text: str):
    assert parse_hub_id(text) is None


def test_a_pinned_model_is_a_folder_like_any_other(hub: Hub, tmp_path: Path, tiny_model: Path):
    assert identify(folder(tmp_path)) == identify(tiny_model)


def test_neither_pickles_nor_code_are_downloaded(hub: Hub, tmp_path: Path):
    fetched = folder(tmp_path)
    assert not [name for name in UNWANTED if (fetched / name).exists()]
    assert not [path for path in hub.asked for name in UNWANTED if path.endswith(name)]


def test_what_is_cached_needs_no_network(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = folder(tmp_path)
    count = len(hub.asked)
    assert folder(tmp_path) == before
    assert len(hub.asked) == count
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert folder(tmp_path) == before


def test_half_a_snapshot_is_no_model(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    hub.refuse = "generation_config.json"
    with pytest.raises(ModelError, match="not wholly in the cache"):
        folder(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="not wholly in the cache"):
        folder(tmp_path)


def test_without_network_and_cache_the_remedy_is_named(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="connect to the network once"):
        folder(tmp_path)
    assert hub.asked == []


def test_the_token_is_that_of_the_environment_and_is_never_said(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    hub.private = True
    with pytest.raises(ModelError, match="environment variable HF_TOKEN"):
        folder(tmp_path)
    assert hub.tokens == {None}
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with caplog.at_level("DEBUG"):
        assert identify(folder(tmp_path)).files
    hub.private, hub.refuse = False, "config.json"
    wanted = parse_hub_id(NAME.replace("org/name", "org/other"))
    with pytest.raises(ModelError) as caught:
        fetch(wanted)
    assert TOKEN not in caplog.text + str(caught.value)


def test_a_revision_that_does_not_exist_is_named(hub: Hub, tmp_path: Path):
    with pytest.raises(ModelError, match=f"no revision {'f' * 40}"):
        model_folder(ModelSource(base=f"org/name@{'f' * 40}"), root=tmp_path, composed=tmp_path)
