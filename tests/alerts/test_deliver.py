"""Alerts reach real HTTP and SMTP servers on loopback: once, with every field, and without a secret in any error."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from safety_assets.alerts.alert import Alert
from safety_assets.alerts.deliver import Outbox, deliver
from safety_assets.operation import Alerts

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # loopback only
SECRET, VARIABLE = "hush-9f31", "ALERT_SECRET"


def alert(**changes: str) -> Alert:
    given = {
        "kind": "gate", "asset": "release_decision", "recipe": "plain", "check": "task_floor",
        "sentence": "The task is not learnt.", "run": "r1", "link": "https://dagster.test/runs/r1",
        "serving": "protected, weights abc", "next": "safety-assets explain release_decision --recipe plain",
    }  # fmt: skip
    return Alert(**{**given, **changes})


class Web:
    """An HTTP server that answers with the statuses it is given, the last one for ever."""

    def __init__(self) -> None:
        self.statuses, self.got = [200], []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                web.got.append((self.path, dict(self.headers), body))
                self.send_response(web.statuses.pop(0) if len(web.statuses) > 1 else web.statuses[0])
                self.end_headers()

            def log_message(self, *arguments: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web()
    yield made
    made.server.shutdown()
    made.server.server_close()


class Mailbox:
    """Takes messages of whoever gives the password."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], str]] = []
        self.refuses = False

    async def handle_DATA(self, server: SMTP, session: object, envelope: object) -> str:  # noqa: N802
        if self.refuses:
            return "451 not now"
        self.messages.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()

    def known(server: SMTP, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        return AuthResult(success=data.password.decode() == SECRET, handled=False)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=known, auth_required=True, auth_require_tls=False
    )
    controller.start()
    yield box, port
    controller.stop()


def owner(*channels: dict, **more: object) -> Alerts:
    return Alerts.model_validate({"model_owner": channels, "backoff": 0, "timeout": 5, **more})


def sent(tmp_path: Path, settings: Alerts, told: Alert | None = None, **options: object) -> list[str]:
    until = time.monotonic() + 30
    return deliver(told or alert(), settings, Outbox(tmp_path), until=until, **options)


def test_a_webhook_gets_every_field_once(web: Web, tmp_path: Path) -> None:
    settings = owner({"to": "webhook", "url": f"{web.url}/hook"})
    assert sent(tmp_path, settings) == sent(tmp_path, settings) == []
    [(path, headers, body)] = web.got
    assert (path, "Authorization" in headers) == ("/hook", False)
    assert body == {**alert().document(), "text": alert().text}
    assert sent(tmp_path, settings, alert(run="r2")) == []
    assert len(web.got) == 2


def test_a_message_names_asset_check_sentence_run_what_is_served_and_the_next_command(tmp_path: Path, web: Web) -> None:
    assert sent(tmp_path, owner({"to": "slack", "url": web.url})) == []
    [(_, _, body)] = web.got
    assert set(body) == {"text"}
    assert body["text"].splitlines() == [
        "The gate said no: release_decision [plain] task_floor",
        "The task is not learnt.",
        "Run: https://dagster.test/runs/r1",
        "Serving unchanged: protected, weights abc",
        "Next: safety-assets explain release_decision --recipe plain",
    ]


def test_the_gate_concerns_the_owner_and_a_fault_who_is_on_call(web: Web, tmp_path: Path) -> None:
    settings = Alerts.model_validate(
        {
            "model_owner": [{"to": "webhook", "url": f"{web.url}/owner"}],
            "on_call": [{"to": "webhook", "url": f"{web.url}/call"}],
        }
    )
    sent(tmp_path, settings)
    sent(tmp_path, settings, alert(kind="infrastructure", check=""))
    assert [path for path, *_ in web.got] == ["/owner", "/call"]


def test_it_is_tried_again_with_back_off_and_owed_when_that_does_not_help(web: Web, tmp_path: Path) -> None:
    settings = owner({"to": "webhook", "url": web.url}, tries=3, backoff=1.5)
    web.statuses, waits = [500, 429, 200], []
    assert sent(tmp_path, settings, sleep=waits.append) == []
    assert (len(web.got), waits) == (3, [1.5, 3.0])
    web.statuses = [503]
    assert sent(tmp_path, settings, alert(run="r2"), sleep=waits.append) == [
        f"webhook {web.url} answered with status 503."
    ]
    web.statuses = [200]
    assert sent(tmp_path, settings, alert(run="r2")) == []  # the next tick
    assert len(web.got) == 7


def test_one_channel_that_is_down_repeats_nothing_to_another(web: Web, tmp_path: Path) -> None:
    settings = owner({"to": "slack", "url": "http://127.0.0.1:9"}, {"to": "webhook", "url": web.url}, tries=1)
    assert "NewConnectionError" in sent(tmp_path, settings)[0]
    assert len(sent(tmp_path, settings)) == 1
    assert len(web.got) == 1


def test_nothing_is_tried_when_the_tick_has_no_time_left(web: Web, tmp_path: Path) -> None:
    settings = owner({"to": "webhook", "url": web.url})
    assert "no time" in deliver(alert(), settings, Outbox(tmp_path), until=time.monotonic())[0]
    assert web.got == []


def test_secrets_come_from_the_environment_and_stand_in_no_error(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = owner({"to": "slack", "url_from": VARIABLE}, {"to": "webhook", "url": web.url, "token_from": "TOKEN"})
    assert [said for said in sent(tmp_path, settings) if "is not set" in said] == [
        f"the environment variable {name} is not set. Do: set {name} for the process of the code location."
        for name in (VARIABLE, "TOKEN")
    ]
    monkeypatch.setenv("TOKEN", SECRET)
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:9/{SECRET}")
    said = sent(tmp_path, settings)
    assert len(said) == 1
    assert web.got[0][1]["Authorization"] == f"Bearer {SECRET}"
    web.statuses = [403]
    monkeypatch.setenv(VARIABLE, f"{web.url}/{SECRET}")
    said += sent(tmp_path, settings)
    assert web.got[-1][0] == f"/{SECRET}"
    assert SECRET not in str(said)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("safety_assets")]
    assert SECRET not in str(ours)
    assert all(SECRET not in path.name + path.read_text() for path in tmp_path.iterdir())


def test_a_redirect_takes_no_token_elsewhere(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    web.statuses = [307]
    settings = owner({"to": "webhook", "url": web.url, "token_from": "TOKEN"}, tries=1)
    assert sent(tmp_path, settings) == [f"webhook {web.url} answered with status 307."]
    assert len(web.got) == 1


def test_mail_arrives_once_and_a_wrong_password_is_told_without_it(
    mailbox: tuple[Mailbox, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, port = mailbox
    smtp = {
        "host": "127.0.0.1", "port": port, "security": "none", "sender": "gate@bank.test", "user": "gate",
        "password_from": VARIABLE,
    }  # fmt: skip
    settings = owner({"to": "email", "address": "owner@bank.test"}, smtp=smtp, tries=1)
    monkeypatch.setenv(VARIABLE, "hush-wrong")
    [said] = sent(tmp_path, settings)
    assert "SMTPAuthenticationError 535" in said
    assert "hush" not in said
    monkeypatch.setenv(VARIABLE, SECRET)
    box.refuses = True
    assert "SMTPDataError 451" in sent(tmp_path, settings)[0]
    box.refuses = False
    evil = alert(sentence="A line.\nBcc: everybody@bank.test", check="floor\nBcc: everybody@bank.test")
    assert sent(tmp_path, settings, evil) == sent(tmp_path, settings, evil) == []
    [(readers, content)] = box.messages
    head, _, body = content.replace("\r\n", "\n").partition("\n\n")
    assert readers == ["owner@bank.test"]
    assert "\nBcc:" not in head
    assert "Serving unchanged: protected, weights abc" in body


def test_a_server_without_starttls_gets_nothing(mailbox: tuple[Mailbox, int], tmp_path: Path) -> None:
    box, port = mailbox
    smtp = {"host": "127.0.0.1", "port": port, "sender": "gate@bank.test"}
    settings = owner({"to": "email", "address": "owner@bank.test"}, smtp=smtp, tries=1)
    assert "SMTPNotSupportedError" in sent(tmp_path, settings)[0]
    assert box.messages == []


def test_the_log_takes_what_concerns_nobody_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert sent(tmp_path, owner({"to": "log"})) == []
    assert "Serving unchanged" in caplog.text
