"""A small model behind an OpenAI-compatible endpoint on loopback, which misbehaves as a test tells it to."""

import contextlib
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from safety_assets.served.address import Address

Fault = Callable[["Handler"], bool]
"""Spoils a reply and says whether it did."""


@dataclass
class Plan:
    """What goes wrong.

    Args:
        faults: one for each request in turn, as long as there are any; None answers well.
        always: for every request after those.
        key: that a request must bear; empty: none.
        logprobs: whether those of a prompt are told.
        names: of the models listed.
    """

    faults: list[Fault | None] = field(default_factory=list)
    always: Fault | None = None
    key: str = ""
    logprobs: bool = True
    names: tuple[str, ...] = ("small",)
    seen: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> Fault | None:
        with self.lock:
            return self.faults.pop(0) if self.faults else self.always


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: "ModelServer"
    body: bytes
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        listed = [{"id": n, "object": "model", "created": time.time_ns()} for n in self.server.plan.names]
        self.reply(200, {"object": "list", "data": listed})

    def do_POST(self) -> None:
        plan, size = self.server.plan, int(self.headers["Content-Length"])
        self.body = self.rfile.read(size)
        body = json.loads(self.body)
        with plan.lock:
            plan.seen.append({"path": self.path, "key": self.headers.get("Authorization", ""), **body})
        if plan.key and self.headers.get("Authorization") != f"Bearer {plan.key}":
            return self.reply(401, {"error": {"message": f"wrong key, not {plan.key}"}})
        fault = plan.next()
        if fault is None or not fault(self):
            self.reply(200, self.server.answer(body, plan.logprobs))

    def reply(self, status: int, body: dict, headers: dict[str, str] | None = None) -> None:
        self.raw(status, json.dumps(body).encode(), headers)

    def raw(self, status: int, data: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it no longer waits
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data) if length is None else length))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


class ModelServer(ThreadingHTTPServer):
    """Serves what `answer` gives."""

    daemon_threads = True

    def __init__(self, answer: Callable[[dict, bool], dict], plan: Plan) -> None:
        self.answer, self.plan = answer, plan
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *args: object) -> None:
        """A connection that a test broke is no news."""

    @property
    def address(self) -> Address:
        return Address(f"http://127.0.0.1:{self.server_address[1]}/v1")


@contextlib.contextmanager
def serving(answer: Callable[[dict, bool], dict], plan: Plan) -> Iterator[ModelServer]:
    with ModelServer(answer, plan) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def status(code: int, **headers: str) -> Fault:
    """Refuses with a status."""

    def fault(handler: Handler) -> bool:
        handler.reply(
            code, {"error": {"message": f"status {code}"}}, {k.replace("_", "-"): v for k, v in headers.items()}
        )
        return True

    return fault


def dropped(handler: Handler) -> bool:
    """The connection ends before a word."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)
    return True


def cut(handler: Handler) -> bool:
    """The connection ends in the middle of the body."""
    handler.raw(200, b'{"choices": [{"mess', length=4000)
    return dropped(handler)


def garbled(handler: Handler) -> bool:
    """No JSON."""
    handler.raw(200, b"<html>a proxy's page</html>")
    return True


def slow(seconds: float) -> Fault:
    """Answers well, but late."""

    def fault(handler: Handler) -> bool:
        time.sleep(seconds)
        return False

    return fault


def weights(folder: Path) -> Callable[[dict, bool], dict]:
    """What the weights in a folder answer, in the shape of vLLM's replies."""
    from safety_assets.models.chat import encode_prompt
    from safety_assets.models.generate import Generator
    from safety_assets.models.load import load_model

    loaded, lock = load_model(folder, device="cpu", threads=1), threading.Lock()
    generator = Generator(loaded, batch_rows=1)

    def told(messages: list[dict], begun: bool) -> list[dict | None]:
        import torch

        tokenizer = loaded.tokenizer
        ids = (
            encode_prompt(tokenizer, messages)
            if begun
            else tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False)
        )
        with torch.inference_mode(), loaded.precision():
            logits = loaded.model(input_ids=torch.tensor([ids])).logits[0]
        own = logits.float().log_softmax(-1)[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0].tolist()
        named = [
            {str(i): {"logprob": v, "decoded_token": tokenizer.decode([i])}} for i, v in zip(ids[1:], own, strict=True)
        ]
        return [None, *named]

    known: dict[str, dict] = {}

    def answer(body: dict, logprobs: bool) -> dict:
        asked = json.dumps([body, logprobs], sort_keys=True)
        if asked not in known:
            known[asked] = work_out(body, logprobs)
        return known[asked]

    def work_out(body: dict, logprobs: bool) -> dict:
        with lock:
            if "prompt_logprobs" in body:
                more = {"prompt_logprobs": told(body["messages"], body["add_generation_prompt"])} if logprobs else {}
                return {**completion("", "length", 1), **more}
            (found,) = generator.generate([body["messages"]], body["max_tokens"])
        return completion(found.text, found.finish, found.num_tokens)

    return answer


def completion(text: str | None, finish: str = "stop", tokens: int = 1) -> dict:
    message = {"role": "assistant", "content": text}
    return {
        "object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"completion_tokens": tokens},
    }  # fmt: skip


def echo(body: dict, logprobs: bool) -> dict:
    """Says back what it was told."""
    return completion(f"You said: {body['messages'][-1]['content']}")


def bad_day(faults: list[Fault]) -> Fault:
    """Every third request, told by its text, meets two faults one after the other, and is answered then."""
    met: dict[bytes, int] = {}
    lock = threading.Lock()

    def fault(handler: Handler) -> bool:
        number = zlib.crc32(handler.body)
        with lock:
            before = met[handler.body] = met.get(handler.body, -1) + 1
        return number % 3 == 0 and before < 2 and faults[(number // 3 + before) % len(faults)](handler)

    return fault


def quotes_the_key(handler: Handler) -> bool:
    """Refuses, and quotes the key in its refusal."""
    handler.reply(400, {"error": {"message": f"not with {handler.headers.get('Authorization')}"}})
    return True


def garbled_status(handler: Handler) -> bool:
    """A page of a proxy that lost its server."""
    handler.raw(502, b"<html>Bad Gateway</html>")
    return True
