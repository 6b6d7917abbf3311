"""The groups of edgemind.yaml that declare where inference runs: sites, their model servers and the cloud tier."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field
from pydantic.config import JsonDict

from edgemind.domain.fleet import DeviceClass, Engine, ModelEndpoint, Position, ServiceTime, Site, Tier
from edgemind.settings.fields import ModelName, Name, OriginUrl, ServerUrl, Zone
from edgemind.settings.groups import Group
from edgemind.settings.secret import SecretReference

MS: JsonDict = {"unit": "ms"}
PriorMs = Annotated[float, Field(ge=0, le=60_000)]


class Distribution(StrEnum):
    """How the service times of a simulated model spread around `service_ms`."""

    LOGNORMAL = "lognormal"
    EXPONENTIAL = "exponential"
    CONSTANT = "constant"


class SimulatedSettings(Group):
    """How a simulated model server draws its service times around `service_ms`."""

    distribution: Distribution = Field(default=Distribution.LOGNORMAL, description="Shape of the distribution.")
    sigma: float = Field(default=0.2, ge=0, le=3, description="Standard deviation of the logarithm, for lognormal.")


class ModelSettings(Group):
    """One model at one address: any server that speaks the OpenAI API or the Open Inference Protocol."""

    name: ModelName = Field(description="What requests call it.", examples=["smollm2-135m"])
    base_url: ServerUrl = Field(
        description="Address of the model server; may end in /v1.", examples=["http://127.0.0.1:8401/v1"]
    )
    slots: int = Field(ge=1, le=65_536, description="Requests each replica works on at once.", examples=[8])
    max_replicas: int = Field(
        default=1, ge=1, le=1000, description="Most replicas that a round may ask for; 1: it is not scaled."
    )
    service_ms: float = Field(
        ge=0.01,
        le=3_600_000,
        description="Expected time of one request; measured values replace it.",
        json_schema_extra=MS,
        examples=[400],
    )
    size_gb: float = Field(
        default=0.0, ge=0, le=100_000, description="Size of the weights.", json_schema_extra={"unit": "GB"}
    )
    load_ms: float = Field(
        default=0.0, ge=0, le=3_600_000, description="Time to load it when it is cold.", json_schema_extra=MS
    )
    engine: Engine = Field(
        default=Engine.EXTERNAL, description="external: somebody else's server. The others are started by EdgeMind."
    )
    key: SecretReference | None = Field(default=None, description="Bearer token this server wants, as env: or file:.")
    simulated: SimulatedSettings | None = Field(default=None, description="Only with `engine: simulated`.")

    def endpoint(self) -> ModelEndpoint:
        drawn = self.simulated or SimulatedSettings()
        return ModelEndpoint(
            model=self.name,
            base_url=self.base_url,
            slots=self.slots,
            service_ms=self.service_ms,
            engine=self.engine,
            size_gb=self.size_gb,
            load_ms=self.load_ms,
            key=self.key.reveal() if self.key else None,
            simulated=ServiceTime(drawn.distribution.value, drawn.sigma) if self.engine is Engine.SIMULATED else None,
            max_replicas=self.max_replicas,
        )


class Location(Group):
    """What a MEC site and the cloud tier have in common."""

    name: Name = Field(description="Unique; part of receipts and decision ids.", examples=["site-a"])
    zones: frozenset[Zone] = Field(default=frozenset(), description="Residency zones it lies in.")
    device_classes: frozenset[Annotated[DeviceClass, Field(strict=False)]] = Field(
        default=frozenset(), description="Device classes it serves; empty or absent: all."
    )
    models: tuple[ModelSettings, ...] = Field(min_length=1, description="Model servers.", examples=["[{name: ...}]"])


class PositionSettings(Group):
    """Where a site is drawn on the dashboard's map."""

    latitude: float = Field(
        ge=-90, le=90, description="North of the equator.", json_schema_extra={"unit": "degrees"}, examples=[50.94]
    )
    longitude: float = Field(
        ge=-180, le=180, description="East of Greenwich.", json_schema_extra={"unit": "degrees"}, examples=[6.96]
    )


class SiteSettings(Location):
    """A MEC site. Without a gateway of its own, its model servers are reached directly."""

    gateway: OriginUrl | None = Field(default=None, description="Where its gateway listens.")
    admin: OriginUrl | None = Field(default=None, description="Admin listener of worker 0; worker k takes port + k.")
    controller: OriginUrl | None = Field(default=None, description="Where its controller listens.")
    rtt_ms: dict[str, PriorMs] = Field(
        default_factory=dict,
        description="Expected round trip to other sites; measured values replace it.",
        json_schema_extra=MS,
    )
    position: PositionSettings | None = Field(
        default=None, description="Where it lies, for the map on the dashboard; nothing is routed by it."
    )

    def site(self) -> Site:
        place = self.position
        return Site(
            name=self.name,
            zones=self.zones,
            endpoints=tuple(model.endpoint() for model in self.models),
            position=Position(place.latitude, place.longitude) if place else None,
            gateway_url=self.gateway,
            admin_url=self.admin,
            controller_url=self.controller,
            device_classes=self.device_classes,
            rtt_ms=dict(self.rtt_ms),
            tier=Tier.EDGE,
        )


class CloudSettings(Location):
    """The cloud tier behind all sites: used when no site meets the deadline, never part of the routing table."""

    rtt_ms: PriorMs = Field(description="Round trip from every site.", json_schema_extra=MS, examples=[40])

    def site(self) -> Site:
        return Site(
            name=self.name,
            zones=self.zones,
            endpoints=tuple(model.endpoint() for model in self.models),
            device_classes=self.device_classes,
            rtt_ms={"*": self.rtt_ms},
            tier=Tier.CLOUD,
        )
