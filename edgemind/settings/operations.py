"""What operators of the fleet set: its tier, and where and when they are told what is wrong."""

from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from edgemind.domain.alerts.rules import TIME_LIMIT_S, AlertRule, adjusted_rules
from edgemind.domain.bounds import OutOfBounds
from edgemind.domain.kpi import Level, Tier
from edgemind.settings.fields import Name, OriginUrl, TopicArn
from edgemind.settings.groups import Group
from edgemind.settings.secret import SecretReference

SINKS_LIMIT = 8
AlertTime = Annotated[float, Field(ge=0, le=TIME_LIMIT_S)]


class AlertLevels(Group):
    """Which alerts a place is told."""

    critical: bool = Field(default=True, description="Somebody has to get up.")
    warning: bool = Field(default=True, description="Somebody has to look within the day.")
    info: bool = Field(default=False, description="Good to know.")

    def levels(self) -> frozenset[Level]:
        return frozenset(level for level in (Level.CRITICAL, Level.WARNING, Level.INFO) if getattr(self, level.value))


class WebhookSettings(Group):
    """A receiver of JSON by POST."""

    name: Name = Field(description="Unique among the places that are told.", examples=["pager"])
    url: SecretReference = Field(description="Its http(s) address: whoever knows it may post there.")
    secret: SecretReference | None = Field(
        default=None, description="Signs each request (x-edgemind-signature), if it is given."
    )
    levels: AlertLevels = Field(default_factory=AlertLevels, description="What it is told.")

    @model_validator(mode="after")
    def _is_an_address(self) -> Self:
        """What stands there is not repeated: it is a secret."""
        if not self.url.known:
            return self
        try:
            parts = urlsplit(self.url.reveal())
            sound = (
                parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not parts.username
            )
        except ValueError:
            sound = False
        if not sound:
            raise OutOfBounds("url", "is no http:// or https:// address of a host; write it into the secret")
        return self


class TopicSettings(Group):
    """A topic of Amazon SNS; the controller's role needs sns:Publish on it."""

    name: Name = Field(description="Unique among the places that are told.", examples=["aws"])
    topic_arn: TopicArn = Field(
        description="The topic.", examples=["arn:aws:sns:eu-central-1:123456789012:edgemind-staging-critical"]
    )
    endpoint_url: OriginUrl | None = Field(
        default=None,
        description="Address of an SNS that is not AWS's own, such as a local stand-in.",
        examples=["http://127.0.0.1:4566"],
    )
    levels: AlertLevels = Field(default_factory=AlertLevels, description="What it is told.")


class OperationsSettings(Group):
    """The tier that targets are taken from, and the fleet's alerts."""

    tier: Tier = Field(
        default=Tier.LOCAL, strict=False, description="local, staging or production: which targets hold."
    )
    console: AlertLevels = Field(
        default_factory=lambda: AlertLevels(info=True), description="What the controller's log is told."
    )
    webhooks: tuple[WebhookSettings, ...] = Field(
        default=(), max_length=SINKS_LIMIT, description="Receivers of JSON by POST."
    )
    topics: tuple[TopicSettings, ...] = Field(default=(), max_length=SINKS_LIMIT, description="Topics of Amazon SNS.")
    dwell_s: dict[str, AlertTime] = Field(
        default={},
        description="By an alert's name, how long it has to be beyond its limit before anybody is told.",
        examples=["{site_report_age_ms: 20}"],
        json_schema_extra={"unit": "s"},
    )
    recovery_s: dict[str, AlertTime] = Field(
        default={},
        description="By an alert's name, how long it has to be within its limits before it is over.",
        examples=["{site_report_age_ms: 60}"],
        json_schema_extra={"unit": "s"},
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        self.rules()
        seen: set[str] = set()
        hooks = [(f"webhooks[{place}].name", hook.name) for place, hook in enumerate(self.webhooks)]
        topics = [(f"topics[{place}].name", topic.name) for place, topic in enumerate(self.topics)]
        for field, name in (*hooks, *topics):
            if name in seen or name == "console":
                raise OutOfBounds(field, f"{name!r} is taken already; choose another one")
            seen.add(name)
        return self

    def rules(self) -> Mapping[str, AlertRule]:
        """Every alert's times. OutOfBounds if one is named that there is not."""
        return adjusted_rules(self.dwell_s, self.recovery_s)

    def secrets(self) -> list[SecretReference]:
        """All that are named here."""
        return [secret for hook in self.webhooks for secret in (hook.url, hook.secret) if secret is not None]
