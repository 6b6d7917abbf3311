"""The devices of a run, each with its own list of ingresses and, where its activity wants one, its own session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgemind.domain.attachment import Attachment
from edgemind.domain.device_mixes import Activity
from edgemind.domain.workload import Arrival


@dataclass(frozen=True, slots=True)
class Device:
    """`session` is None for a device that does not care where its last request ran."""

    activity: Activity
    attachment: Attachment
    session: str | None

    @property
    def home(self) -> str:
        return self.attachment.home


class Population:
    """Devices are made when they first speak. `sites` in the order that arrivals count them.

    `ingresses` are, for each site, all sites from the nearest: the site itself comes first.
    """

    def __init__(self, sites: Sequence[str], ingresses: Mapping[str, Sequence[str]]) -> None:
        self._sites = sites
        self._ingresses = ingresses
        self._devices: dict[tuple[int, str, int], Device] = {}

    def device_of(self, arrival: Arrival) -> Device:
        activity = arrival.activity
        key = (arrival.site, activity.name, arrival.device)
        device = self._devices.get(key)
        if device is None:
            home = self._sites[arrival.site]
            session = f"{home}/{activity.name.replace(' ', '-')}/{arrival.device}" if activity.in_session else None
            device = self._devices[key] = Device(activity, Attachment(self._ingresses[home]), session)
        return device

    def lost_ingresses(self) -> list[str]:
        """The ingresses that some device has found gone."""
        return sorted({ingress for device in self._devices.values() for ingress in device.attachment.lost_ingresses})

    def found(self, ingress: str) -> None:
        """Tell every device that an ingress answers again."""
        for device in self._devices.values():
            device.attachment.found(ingress)

    def attached(self) -> dict[str, int]:
        """How many devices talk to each ingress now."""
        counts = dict.fromkeys(self._sites, 0)
        for device in self._devices.values():
            counts[device.attachment.current] += 1
        return counts
