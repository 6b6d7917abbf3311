"""Who tells what concerns the whole metro: the first live site by name. The others keep quiet, and could go on.

Each of them asks the teller every turn for its alerts, so that whoever is first after its death knows what was told. A
site that becomes the first by coming back asks the one who told meanwhile. Who is no longer first, finishes what its
successor does not have: after a partition both sides told of each other, and each has to tell that it is over.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from edgemind.domain.alerts.engine import AlertEngine, Key, Notice, Observation
from edgemind.domain.alerts.rules import AlertRule
from edgemind.domain.operations_status import AlertState, AlertStatus

MUTE_S = 60.0
"""Who cannot tell as this site can is passed over for so long, then asked again. Until it answers, this one goes on."""
MIRROR_FRESH_S = 30.0
"""What was heard of the teller longer ago says nothing about what it told since."""


class MetroDesk:
    """One site's. In each turn: `asks`, then `heard` if that named somebody, then `step`. Times are monotonic."""

    def __init__(self, own: str, rules: Mapping[str, AlertRule]) -> None:
        self._own = own
        self._engine = AlertEngine(rules)
        self._mirror: Sequence[AlertStatus] = ()
        self._mirrored_s: float | None = None
        self._mute_s: dict[str, float] = {}
        self.telling = False

    @property
    def watching(self) -> bool:
        """Whether it needs to know how the metro is: it tells, or finishes what it told."""
        return self.telling or bool(self._engine.firing())

    def use(self, rules: Mapping[str, AlertRule]) -> None:
        self._engine.rules = rules

    def asks(self, live: Collection[str], now_s: float) -> str | None:
        """Whom to ask for its metro's alerts, of the live sites (this one is); None: nobody."""
        self._mute_s = {site: since_s for site, since_s in self._mute_s.items() if now_s - since_s < MUTE_S}
        others = sorted(set(live) - {self._own} - set(self._mute_s))
        if others and others[0] < self._own:
            return others[0]
        if self.telling:
            return None
        if not others or (self._mirrored_s is not None and now_s - self._mirrored_s <= MIRROR_FRESH_S):
            self._take_over()
            return None
        return others[0]

    def refused(self, site: str, now_s: float) -> None:
        """The asked one knows of no alerts, or tells them to fewer places than this one."""
        self._mute_s[site] = now_s

    def heard(self, site: str, alerts: Sequence[AlertStatus] | None, now_s: float) -> None:
        """What the asked one answered; None if it did not."""
        if alerts is not None:
            self._mirror, self._mirrored_s = alerts, now_s
            self.telling = self.telling and site > self._own
        if site > self._own:
            self._take_over()

    def step(
        self, observations: Iterable[Observation], sites: Collection[str], now_s: float, wall_ms: int
    ) -> list[Notice]:
        if not self.telling:
            self._engine.forget([*self._engine.pending(), *_active(self._mirror)])
            own = self._engine.firing()
            observations = [seen for seen in observations if seen.key in own]
        return self._engine.step(observations, sites, now_s, wall_ms)

    def told_here(self) -> list[AlertStatus]:
        """Of the metro, what this site tells or told itself."""
        return self._engine.alerts()

    def alerts(self) -> list[AlertStatus]:
        """Of the metro, as told here or as the teller told last."""
        if self.telling:
            return self._engine.alerts()
        known = {alert.id for alert in self._mirror}
        return [*self._mirror, *(alert for alert in self._engine.alerts() if alert.id not in known)]

    def _take_over(self) -> None:
        self.telling = True
        self._engine.adopt(self._mirror)
        self._mirror, self._mirrored_s = (), None


def _active(alerts: Iterable[AlertStatus]) -> list[Key]:
    return [(alert.name, alert.site) for alert in alerts if alert.state is not AlertState.RESOLVED]
