"""One try to hand an alert to one channel. Secrets come from the environment at that moment and stand in no error."""

import os
import smtplib
import ssl
from email.message import EmailMessage

import urllib3

from safety_assets.alerts.alert import Alert
from safety_assets.errors import SafetyAssetsError
from safety_assets.operation import Alerts, Channel, EmailChannel, HttpChannel, Smtp


class NotDelivered(SafetyAssetsError):
    """A channel did not take an alert."""


def hand_over(alert: Alert, channel: Channel, settings: Alerts) -> None:
    """Try once.

    Raises:
        NotDelivered: with the class of what went wrong, and neither address nor answer where that may be a secret.
    """
    if isinstance(channel, HttpChannel):
        _post(alert, channel, settings.timeout)
    elif isinstance(channel, EmailChannel):
        assert settings.smtp is not None  # the settings demand it
        _mail(alert, channel, settings.smtp, settings.timeout)


def named(channel: Channel) -> str:
    """A channel as logs may name it."""
    if isinstance(channel, HttpChannel):
        return f"{channel.to} {channel.url or f'of {channel.url_from}'}"
    return f"email to {channel.address}" if isinstance(channel, EmailChannel) else "log"


def _secret(variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise NotDelivered(
            f"the environment variable {variable} is not set", do=f"set {variable} for the process of the code location"
        )
    return value


def _post(alert: Alert, channel: HttpChannel, timeout: float) -> None:
    url = channel.url or _secret(channel.url_from or "")
    headers = {"Authorization": f"Bearer {_secret(channel.token_from)}"} if channel.token_from else {}
    body = {"text": alert.text} if channel.to == "slack" else {**alert.document(), "text": alert.text}
    try:
        reply = urllib3.request(
            "POST", url, json=body, headers=headers, timeout=timeout, retries=False, redirect=False
        )  # a redirect would carry the token elsewhere
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise NotDelivered(f"{named(channel)} was not reached: {type(error).__name__}") from None
    if not 200 <= reply.status < 300:
        raise NotDelivered(f"{named(channel)} answered with status {reply.status}")


def _mail(alert: Alert, channel: EmailChannel, server: Smtp, timeout: float) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, channel.address, alert.title
    message.set_content(alert.text)
    password = _secret(server.password_from) if server.password_from else ""
    try:
        with _connected(server, timeout) as session:
            if server.user:
                session.login(server.user, password)
            session.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        code = getattr(error, "smtp_code", "")
        raise NotDelivered(
            f"{server.host}:{server.port} did not take it: {type(error).__name__} {code}".strip()
        ) from None


def _connected(server: Smtp, timeout: float) -> smtplib.SMTP:
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=ssl.create_default_context())
    session = smtplib.SMTP(server.host, server.port, timeout=timeout)
    if server.security == "starttls":
        try:
            session.starttls(context=ssl.create_default_context())
        except Exception:
            session.close()
            raise
    return session
