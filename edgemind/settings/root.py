"""The whole of edgemind.yaml as one frozen object, and the domain objects that are built from it."""

from difflib import get_close_matches
from pathlib import Path

from pydantic import Field

from edgemind.domain.fleet import Fleet, Site
from edgemind.domain.limits import Limits
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.domain.swarm.swarm_policy import SwarmPolicy
from edgemind.domain.thresholds import Thresholds
from edgemind.errors import ConfigurationError
from edgemind.settings.advice import AdviceSettings
from edgemind.settings.audit import AuditSettings
from edgemind.settings.bedrock import BedrockSettings
from edgemind.settings.fields import Name, Version
from edgemind.settings.groups import (
    AccessSettings,
    AuthMode,
    AwsSettings,
    Group,
    ModelStoreSettings,
    StateSettings,
    TenantSettings,
)
from edgemind.settings.memory import MemorySettings
from edgemind.settings.metrics import MetricsSettings
from edgemind.settings.operations import OperationsSettings
from edgemind.settings.sites import CloudSettings, SiteSettings
from edgemind.settings.telemetry import TelemetrySettings

MAX_SITES = 1000


class Settings(Group):
    """One metro's configuration. Only `load_settings` makes one: it also checks what spans several groups.

    `limits`, `thresholds`, `routing` and `swarm` are domain objects already; `fleet()` builds the rest. The yaml's
    group `fleet` is `access` here.
    """

    version: Version = Field(description="Version of this file's layout.", examples=[1])
    metro: Name = Field(default="metro", description="Name of the group of sites that share a routing table.")
    state: StateSettings = Field(default_factory=StateSettings, description="Where registrations and keys are kept.")
    model_store: ModelStoreSettings = Field(
        default_factory=ModelStoreSettings, description="Where model files are published."
    )
    aws: AwsSettings = Field(default_factory=AwsSettings, description="The deployment on AWS, if there is one.")
    access: AccessSettings = Field(default_factory=AccessSettings, alias="fleet", description="Tokens of the fleet.")
    auth: AuthMode = Field(
        default=AuthMode.KEYS, strict=False, description="keys: requests need an API key. off: none."
    )
    sites: tuple[SiteSettings, ...] = Field(
        min_length=1, max_length=MAX_SITES, description="The MEC sites of the metro.", examples=["[{name: ...}]"]
    )
    cloud: CloudSettings | None = Field(default=None, description="The cloud tier behind the sites, if there is one.")
    bedrock: BedrockSettings | None = Field(
        default=None, description="What `edgemind bedrock-proxy` serves, for a cloud tier of Bedrock's models."
    )
    tenants: tuple[TenantSettings, ...] = Field(default=(), description="Who may send requests.")
    limits: Limits = Field(default_factory=Limits, description="Bounds a gateway holds.")
    thresholds: Thresholds = Field(default_factory=Thresholds, description="When a site counts as in trouble.")
    routing: RoutingPolicy = Field(default_factory=RoutingPolicy, description="How a gateway chooses a site.")
    swarm: SwarmPolicy = Field(default_factory=SwarmPolicy, description="How sites decide together.")
    advice: AdviceSettings = Field(default_factory=AdviceSettings, description="Who advises, after the rounds.")
    memory: MemorySettings = Field(default_factory=MemorySettings, description="Where agents remember what happened.")
    metrics: MetricsSettings = Field(default_factory=MetricsSettings, description="Metrics for CloudWatch.")
    operations: OperationsSettings = Field(
        default_factory=OperationsSettings, description="Targets, and who is told what is wrong."
    )
    audit: AuditSettings = Field(default_factory=AuditSettings, description="What is kept to be provable afterwards.")
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings, description="Traces and logs.")

    def fleet(self) -> Fleet:
        """Everything declared, as the domain sees it, upstream keys included."""
        return Fleet(
            metro=self.metro,
            sites=tuple(site.site() for site in self.sites),
            cloud=self.cloud.site() if self.cloud else None,
            tenants=tuple(tenant.tenant() for tenant in self.tenants),
        )

    def site(self, name: str) -> Site:
        """The site a process was started for; ConfigurationError names the ones there are."""
        return self.declared(name).site()

    def declared(self, name: str) -> SiteSettings:
        """The same as it stands in the file: no secret is needed for it."""
        for site in self.sites:
            if site.name == name:
                return site
        names = [site.name for site in self.sites]
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"declared are {', '.join(names[:20])}"
        raise ConfigurationError(f"no site is called {name!r}; {hint}")

    def secret_files(self) -> tuple[Path, ...]:
        """The files that `file:` references lead to, each once: a change there is a change of configuration."""
        tokens = self.access.tokens
        everywhere = (*self.sites, self.cloud) if self.cloud else self.sites
        secrets = [self.access.secret, *self.access.previous_secrets, *tokens.known(), self.advice.key]
        secrets += [model.key for site in everywhere for model in site.models]
        secrets += [self.bedrock.key] if self.bedrock else []
        secrets += self.operations.secrets()
        secrets += self.telemetry.headers.values()
        return tuple(dict.fromkeys(secret.path for secret in secrets if secret and secret.path))
