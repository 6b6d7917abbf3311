"""The checked-in parameters of the simulator: `parameters.toml`, read once per run."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class FleetParameters:
    slots: tuple[int, ...]
    rtt_min_ms: float
    rtt_max_ms: float
    neighbours: int


@dataclass(frozen=True, slots=True)
class WorkParameters:
    service_ms: float
    sigma: float


@dataclass(frozen=True, slots=True)
class LoadParameters:
    duration_s: float
    warm_up_s: float
    utilisation: float
    skew: float


@dataclass(frozen=True, slots=True)
class FlashCrowdParameters:
    factor: float
    ingress_ratio: float
    crowd_sites: int
    start_ratio: float
    end_ratio: float


@dataclass(frozen=True, slots=True)
class BrownoutParameters:
    factor: float
    site_ratio: float
    start_ratio: float
    end_ratio: float


@dataclass(frozen=True, slots=True)
class SignalParameters:
    beacon_hz: float
    demand_window_ms: float


@dataclass(frozen=True, slots=True)
class RoutingParameters:
    tick_ms: float
    fill_ratio: float
    override_margin_ms: float
    fresh_ms: float
    session_margin_ms: float
    deadline_ms: float


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything about the world but its size, seed and staleness. Units and reasons stand in `parameters.toml`."""

    fleet: FleetParameters
    work: WorkParameters
    load: LoadParameters
    flash_crowd: FlashCrowdParameters
    brownout: BrownoutParameters
    signals: SignalParameters
    routing: RoutingParameters


def read_parameters() -> Parameters:
    raw = tomllib.loads(files("edgemind.simulation").joinpath("parameters.toml").read_text(encoding="utf-8"))
    raw["fleet"]["slots"] = tuple(raw["fleet"]["slots"])
    return Parameters(
        fleet=FleetParameters(**raw["fleet"]),
        work=WorkParameters(**raw["work"]),
        load=LoadParameters(**raw["load"]),
        flash_crowd=FlashCrowdParameters(**raw["flash_crowd"]),
        brownout=BrownoutParameters(**raw["brownout"]),
        signals=SignalParameters(**raw["signals"]),
        routing=RoutingParameters(**raw["routing"]),
    )
