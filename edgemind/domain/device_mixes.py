"""What devices keep asking for, as data: activities with deadlines, priorities and residency, and mixes of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from edgemind.domain.fleet import DeviceClass
from edgemind.domain.requests import Priority

REAL_LLM = "smollm2-135m"
SIMULATED_LLM = "simulated-llm"
DETECTOR = "simulated-detector"
EMBEDDER = "simulated-embedder"


class Call(Enum):
    """Which API a device uses, and with what kind of body."""

    CHAT = "chat"
    CHAT_STREAM = "chat_stream"
    EMBEDDING = "embedding"
    FRAME = "frame"
    SENSORS = "sensors"


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that one kind of device does.

    `share` is its part of all requests. `at_most_per_s` caps it over the whole fleet, whatever the rate: a real model
    on a laptop has the capacity it has. An empty `residency` allows every zone.
    """

    name: str
    device_class: DeviceClass
    call: Call
    model: str
    share: float
    deadline_ms: float
    priority: Priority = Priority.NORMAL
    residency: frozenset[str] = frozenset()
    in_session: bool = False
    at_most_per_s: float | None = None
    max_tokens: int = 8


Mix = tuple[Activity, ...]
_EU, _DE = frozenset({"eu"}), frozenset({"de"})
_MOBILE, _IOT, _XR, _VEHICLE = DeviceClass.MOBILE, DeviceClass.IOT, DeviceClass.XR, DeviceClass.VEHICLE
_LOW, _NORMAL, _HIGH = Priority.LOW, Priority.NORMAL, Priority.HIGH


def _assistant(name: str, device: DeviceClass, per_s: float, residency: frozenset[str] = frozenset()) -> Activity:
    """A few tokens of the real model, now and then."""
    return Activity(name, device, Call.CHAT, REAL_LLM, 0.07, 20_000, _NORMAL, residency, True, per_s)


EVERYDAY: Mix = (
    Activity("driving assistance frames", _VEHICLE, Call.FRAME, DETECTOR, 0.25, 150, _HIGH),
    Activity("headset frames", _XR, Call.FRAME, DETECTOR, 0.20, 150, in_session=True),
    Activity("sensor batches", _IOT, Call.SENSORS, DETECTOR, 0.15, 1000, _LOW),
    Activity("photo search", _MOBILE, Call.EMBEDDING, EMBEDDER, 0.18, 300),
    Activity("writing help", _MOBILE, Call.CHAT_STREAM, SIMULATED_LLM, 0.15, 4000, in_session=True),
    _assistant("small talk", _MOBILE, 2.0),
)
GAMING: Mix = (
    Activity("pose and gaze frames", _XR, Call.FRAME, DETECTOR, 0.55, 75, _HIGH, in_session=True),
    Activity("player matching", _MOBILE, Call.EMBEDDING, EMBEDDER, 0.20, 200),
    Activity("character dialogue", _XR, Call.CHAT_STREAM, SIMULATED_LLM, 0.18, 2000, in_session=True),
    _assistant("quest hints", _MOBILE, 1.5),
)
AUTOMOTIVE: Mix = (
    Activity("hazard frames", _VEHICLE, Call.FRAME, DETECTOR, 0.50, 100, _HIGH, _EU),
    Activity("map matching", _VEHICLE, Call.EMBEDDING, EMBEDDER, 0.20, 250, residency=_EU),
    Activity("telemetry", _VEHICLE, Call.SENSORS, DETECTOR, 0.15, 2000, _LOW),
    Activity("trip planning", _VEHICLE, Call.CHAT_STREAM, SIMULATED_LLM, 0.08, 4000, in_session=True),
    _assistant("voice commands", _VEHICLE, 1.5),
)
HEALTHCARE: Mix = (
    Activity("vital signs", _IOT, Call.SENSORS, DETECTOR, 0.38, 500, _HIGH, _DE),
    Activity("ward camera frames", _IOT, Call.FRAME, DETECTOR, 0.20, 250, _HIGH, _DE),
    Activity("record search", _MOBILE, Call.EMBEDDING, EMBEDDER, 0.22, 500, residency=_DE),
    Activity("clinical notes", _MOBILE, Call.CHAT_STREAM, SIMULATED_LLM, 0.13, 5000, residency=_DE, in_session=True),
    _assistant("bedside questions", _MOBILE, 1.5, _DE),
)
INDUSTRY: Mix = (
    Activity("meter readings", _IOT, Call.SENSORS, DETECTOR, 0.56, 5000, _LOW),
    Activity("conveyor frames", _IOT, Call.FRAME, DETECTOR, 0.20, 200, _HIGH),
    Activity("anomaly search", _IOT, Call.EMBEDDING, EMBEDDER, 0.12, 1000),
    Activity("maintenance reports", _MOBILE, Call.CHAT_STREAM, SIMULATED_LLM, 0.05, 8000, _LOW),
    _assistant("repair questions", _MOBILE, 1.0),
)


def for_models(mix: Mix, served: Collection[str]) -> Mix:
    """The mix with what asks for a real model that is not served asking the simulated one instead."""
    return tuple(one if one.model in served else replace(one, model=SIMULATED_LLM) for one in mix)


def weights(mix: Sequence[Activity], ingress_per_s: float, sites: int) -> Mapping[str, float]:
    """The chance of each activity (by name) for one request at an ingress with that rate; they sum to 1.

    What a cap takes from one activity is spread over those without a cap, so that the rate stays what was asked for.
    """
    chances = {}
    for one in mix:
        cap = 1.0 if one.at_most_per_s is None else one.at_most_per_s / sites / ingress_per_s
        chances[one.name] = min(one.share, cap)
    free = sum(one.share for one in mix if one.at_most_per_s is None)
    spare = 1.0 - sum(chances.values())
    for one in mix:
        if one.at_most_per_s is None:
            chances[one.name] += spare * one.share / free
    return chances
