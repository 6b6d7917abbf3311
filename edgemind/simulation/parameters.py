"""What the simulated world is like: `parameters.toml`, where every value has its unit and reason, or a file like it."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from edgemind.domain.bounds import OutOfBounds, bounds, check_bounds, check_order
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.errors import ConfigurationError

DISTRIBUTIONS = ("lognormal", "exponential")


@dataclass(frozen=True, slots=True)
class FleetParameters:
    slots: tuple[int, ...]
    rtt_min_ms: float = field(metadata=bounds(0, 10_000, "ms", "Round trip between the closest sites."))
    rtt_max_ms: float = field(metadata=bounds(0, 10_000, "ms", "Round trip between the farthest sites."))
    neighbours: int = field(metadata=bounds(0, 1_000, "sites", "Sites that a site exchanges beacons with."))

    def __post_init__(self) -> None:
        check_bounds(self)
        check_order(self, "rtt_min_ms", "rtt_max_ms")
        if not self.slots or min(self.slots) < 1:
            raise OutOfBounds("slots", f"slots is {list(self.slots)}; it must list numbers of at least 1")


@dataclass(frozen=True, slots=True)
class WorkParameters:
    service_ms: float = field(metadata=bounds(0.1, 600_000, "ms", "Mean service time of a healthy site."))
    distribution: str
    sigma: float = field(metadata=bounds(0, 5, "of the log", "Spread of a lognormal service time."))
    deadline_ms: float = field(metadata=bounds(1, 600_000, "ms", "Deadline of every request."))

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.distribution not in DISTRIBUTIONS:
            raise OutOfBounds(
                "distribution", f"distribution is {self.distribution!r}; take {' or '.join(DISTRIBUTIONS)}"
            )


@dataclass(frozen=True, slots=True)
class LoadParameters:
    duration_s: float = field(metadata=bounds(0.1, 36_000, "s", "Virtual time during which requests arrive."))
    warm_up_s: float = field(metadata=bounds(0, 36_000, "s", "Requests sent before this are not counted."))
    peak_utilisation: float = field(metadata=bounds(0.001, 2, "ratio", "Demand / capacity during the flash crowd."))
    skew: float = field(metadata=bounds(0, 0.99, "ratio", "How far an ingress's demand per slot is from the mean."))

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.warm_up_s >= self.duration_s:
            raise OutOfBounds("warm_up_s", f"warm_up_s ({self.warm_up_s:g}) leaves nothing of duration_s")


@dataclass(frozen=True, slots=True)
class FlashCrowdParameters:
    factor: float = field(metadata=bounds(0.01, 100, "x normal", "Demand of the affected ingresses."))
    ingress_ratio: float = field(metadata=bounds(0, 1, "ratio", "Share of the ingresses that are affected."))
    crowd_sites: int = field(metadata=bounds(1, 1_000, "sites", "Neighbouring ingresses of one crowd."))
    start_ratio: float = field(metadata=bounds(0, 1, "of duration_s", "When it begins."))
    end_ratio: float = field(metadata=bounds(0, 1, "of duration_s", "When it ends."))

    def __post_init__(self) -> None:
        check_bounds(self)
        check_order(self, "start_ratio", "end_ratio")


@dataclass(frozen=True, slots=True)
class BrownoutParameters:
    factor: float = field(metadata=bounds(0.01, 100, "x normal", "Service time of the affected sites."))
    site_ratio: float = field(metadata=bounds(0, 1, "ratio", "Share of the sites that are affected."))
    start_ratio: float = field(metadata=bounds(0, 1, "of duration_s", "When it begins."))
    end_ratio: float = field(metadata=bounds(0, 1, "of duration_s", "When it ends."))

    def __post_init__(self) -> None:
        check_bounds(self)
        check_order(self, "start_ratio", "end_ratio")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything about the world but its size, its seed and how stale its signals are.

    `routing` is what a gateway reads from edgemind.yaml; its `policy` is not used, for the policies are compared.
    """

    fleet: FleetParameters
    work: WorkParameters
    load: LoadParameters
    flash_crowd: FlashCrowdParameters
    brownout: BrownoutParameters
    routing: RoutingPolicy


def read_parameters(file: Path | None = None) -> Parameters:
    """The checked-in parameters, or those of another file. ConfigurationError lists everything that is wrong."""
    shown = file or Path("parameters.toml")
    try:
        text = (file or files("edgemind.simulation").joinpath("parameters.toml")).read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as exc:
        raise ConfigurationError(f"cannot read {shown}: {exc.strerror}") from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigurationError(f"{shown} is not valid TOML: {exc}") from exc
    kinds = {part.name: part.type for part in fields(Parameters)}
    findings = [f"[{name}] is unknown; there are {', '.join(kinds)}" for name in document.keys() - kinds.keys()]
    parts: dict[str, Any] = {}
    for name, kind in kinds.items():
        try:
            parts[name] = _read_group(kind, document.get(name))
        except OutOfBounds as exc:
            findings.append(f"[{name}] {exc}")
    if findings:
        raise ConfigurationError(f"{shown}: " + "; ".join(sorted(findings)))
    return Parameters(**parts)


def _read_group(kind: Any, raw: object) -> Any:
    """One table of the file as its dataclass; OutOfBounds names the first key that is wrong."""
    if not isinstance(raw, Mapping):
        raise OutOfBounds("", "is missing")
    known = {entry.name: entry for entry in fields(kind) if entry.name != "policy"}
    for name in raw:
        if name not in known:
            raise OutOfBounds(name, f"{name} is unknown; there are {', '.join(known)}")
    values = {}
    for name, entry in known.items():
        if name in raw:
            values[name] = _read_value(name, entry.type, raw[name])
        elif entry.default is MISSING:
            raise OutOfBounds(name, f"{name} is missing")
    return kind(**values)


def _read_value(name: str, wanted: Any, value: Any) -> Any:
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if wanted is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if wanted is str and isinstance(value, str):
        return value
    if wanted == tuple[int, ...] and isinstance(value, list) and all(type(one) is int for one in value):
        return tuple(value)
    kinds = {float: "a number", int: "a whole number", str: "text"}
    raise OutOfBounds(name, f"{name} must be {kinds.get(wanted, 'a list of whole numbers')}, not {value!r}")
