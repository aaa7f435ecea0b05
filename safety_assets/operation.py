"""How a project runs by itself: `operation` in project.yaml. What is scheduled, what is watched, who is told."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Discriminator, Field, model_validator

from safety_assets.settings import Settings

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
URL = r"^https?://\S+$"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name} is no time zone; name one as Europe/Berlin or UTC") from error
    return name


class LogChannel(Settings):
    """The log of the tick that sends alerts. Everything is logged there anyway: name it where nothing else is named."""

    to: Literal["log"]


class HttpChannel(Settings):
    """A JSON document by POST. Its address is a secret where whoever knows it may write: then name a variable."""

    to: Literal["webhook", "slack"] = Field(
        description="slack: a message as Slack and its like read it; else all fields"
    )
    url: str | None = Field(None, pattern=URL, description="where to; give this or url_from")
    url_from: str | None = Field(None, pattern=VARIABLE, description="environment variable that holds the URL")
    token_from: str | None = Field(None, pattern=VARIABLE, description="environment variable with a bearer token")

    @model_validator(mode="after")
    def _one_address(self) -> "HttpChannel":
        if (self.url is None) is (self.url_from is None):
            raise ValueError("a channel takes one of url and url_from")
        return self


class EmailChannel(Settings):
    """A message through the mail server of `alerts.smtp`."""

    to: Literal["email"]
    address: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="who reads it")


Channel = Annotated[LogChannel | HttpChannel | EmailChannel, Discriminator("to")]


class Smtp(Settings):
    """The mail server."""

    host: str = Field(min_length=1, description="name or address of the mail server")
    port: int = Field(587, ge=1, le=65535, description="its port; 465 is usual for tls")
    security: Literal["starttls", "tls", "none"] = Field("starttls", description="none only on the machine itself")
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="address that alerts come from")
    user: str | None = Field(None, description="who logs in there; nobody when absent")
    password_from: str | None = Field(
        None, pattern=VARIABLE, description="environment variable that holds the password"
    )


class Alerts(Settings):
    """Who is told of a red check or a failed run."""

    webserver: str | None = Field(None, pattern=URL, description="address of Dagster's pages, for links to runs")
    model_owner: tuple[Channel, ...] = Field((), description="told when the gate says no: a red check, a refusal")
    on_call: tuple[Channel, ...] = Field((), description="told when something broke")
    smtp: Smtp | None = Field(None, description="the mail server; channels to email need it")
    timeout: float = Field(10.0, gt=0, le=30, description="seconds that one try may take")
    tries: int = Field(3, ge=1, le=10, description="tries within a tick of the sensor; the next tick tries again")
    backoff: float = Field(0.5, ge=0, le=30, description="seconds before the second try, doubled from try to try")

    @model_validator(mode="after")
    def _mail_has_a_server(self) -> "Alerts":
        if self.smtp is None and any(channel.to == "email" for channel in (*self.model_owner, *self.on_call)):
            raise ValueError("a channel to email needs smtp, the mail server")
        return self


class Operation(Settings):
    """What happens without a person. Nothing does until `turned_on` says so; the pages can start and stop each."""

    turned_on: bool = Field(False, description="schedules and sensors run as soon as Dagster's daemon does")
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field("UTC", description="of the schedules")
    retrain: str = Field("0 3 * * 1", description="cron: measure, then train and decide; it only proposes a release")
    retrain_recipes: tuple[str, ...] | None = Field(None, description="recipes to retrain; every recipe when absent")
    recheck: str = Field("0 2 * * *", description="cron: does what is served still hold?")
    observe: str = Field("0 6 * * *", description="cron: look at policy, tasks and recipes")
    clean_up: str = Field("0 5 * * 0", description="cron: say what could be removed; it removes nothing")
    endpoint: str | None = Field(None, pattern=URL, description="what recheck asks, as http://HOST/v1#MODEL")
    look_every: int = Field(60, ge=1, description="seconds between two looks of a sensor")
    settled: float = Field(30.0, ge=0, description="seconds a file must be at rest before it counts as put there")
    alerts: Alerts = Field(Alerts(), description="who is told of a red check or a failed run")

    @model_validator(mode="after")
    def _crons_can_be_read(self) -> "Operation":
        for name in ("retrain", "recheck", "observe", "clean_up"):
            cron = getattr(self, name)
            if len(cron.split()) != 5:
                raise ValueError(f"{name} {cron!r} is no cron line; give five fields, as in '0 3 * * 1'")
        return self
