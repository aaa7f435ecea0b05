"""A server on loopback that speaks RAIL's contract, and misbehaves as a test tells it to."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from safety_assets.policy import DIMENSIONS

KEY = "rail-secret-key"
CONFIG = {"application": {"id": "app"}, "policy": {"locked": True}}


def well(dimensions: list[str], score: Any = 8.0, confidence: Any = 0.5) -> dict:
    told = {name: {"score": score, "confidence": confidence, "explanation": "Clear."} for name in dimensions}
    overall = {"score": 8.0, "confidence": 0.9, "summary": "Good."}
    return {
        "result": {"rail_score": overall, "dimension_scores": told, "from_cache": False},
        "policy_outcome": {"enforcement": "off", "passed": True}, "credits_consumed": 1.0,
    }  # fmt: skip


@dataclass
class Contract:
    """What the server does: `replies` in turn, then `always`; each (status, body, headers), a word, seconds that it
    waits, or a function of the request's body that gives one of these.
    """

    replies: list[Any] = field(default_factory=list)
    always: Any = None
    config: Any = None
    seen: list[dict] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    contract: Contract

    def do_GET(self) -> None:
        assert self.path == "/railscore/v1/config"
        self.give(self.contract.config or (200, CONFIG, {}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.contract.lock:
            self.contract.seen.append({"path": self.path, "key": self.headers["Authorization"], **body})
            reply = self.contract.replies.pop(0) if self.contract.replies else self.contract.always
        self.give((reply(body) if callable(reply) else reply) or (200, well(body["dimensions"]), {}))

    def give(self, reply: Any) -> None:
        if reply == "drop":
            self.close_connection = True
            return
        if isinstance(reply, float):
            time.sleep(reply)
            reply = (200, well(list(DIMENSIONS)), {})
        status, body, headers = reply
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def speaking(contract: Contract) -> Iterator[Contract]:
    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None:
            """A client that no longer waits is no news."""

    own = type("Own", (Handler,), {"contract": contract})
    with Server(("127.0.0.1", 0), own) as server:
        contract.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield contract
        server.shutdown()
        thread.join()
