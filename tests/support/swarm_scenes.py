"""A simulated metro in which a test says what happens when: whose breach, which fault, who stops and goes on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from edgemind.domain.swarm.proposals import propose
from edgemind.domain.swarm.protocol import Breached, Execute, Learned, Membership
from edgemind.domain.swarm.records import Fence, Outcome
from edgemind.simulation.swarm_parameters import Delays, Faults, StoreFaults
from edgemind.simulation.swarm_process import Life, Process, Strike
from edgemind.simulation.swarm_world import SwarmWorld


@dataclass(frozen=True, slots=True)
class Learning:
    site: str
    fence: Fence
    outcome: Outcome
    at_ms: float


@dataclass(frozen=True, slots=True)
class Effect:
    """`taken`: the site's resource did not refuse it for its fence."""

    site: str
    fence: Fence
    outcome: Outcome
    at_ms: float
    taken: bool


class SwarmScene(SwarmWorld):
    """Without faults but for those that the test brings. Times are world milliseconds."""

    def __init__(self, sites: int, seed: int = 1, delays: Delays | None = None, faults: Faults | None = None) -> None:
        self.learned: list[Learning] = []
        self.effects: list[Effect] = []
        super().__init__(sites, seed, delays or Delays(), faults or Faults("none"))
        self.sites = self._sites

    # What the test says

    def play(self) -> None:
        """Until nothing is left to happen."""
        self.clock.run((), lambda _: None)
        assert self.table.audit.violations == []

    def at(self, when_ms: float, what: Callable[..., None], *arguments: object) -> None:
        self.clock.at(when_ms, what, *arguments)

    def breach(self, site: str, when_ms: float, *, up: bool = True) -> None:
        """`up` False: the site's model servers are gone, which is for FAIL_OVER, and that is claimed."""
        self.clock.at(when_ms, self._breach, site, up)

    def store_faults(self, from_ms: float, to_ms: float, faults: StoreFaults) -> None:
        self.clock.at(from_ms, setattr, self.table, "_faults", faults)
        self.clock.at(to_ms, setattr, self.table, "_faults", StoreFaults())

    def store_takes(self, from_ms: float, to_ms: float, store_ms: float) -> None:
        usual = self._delays
        slow = replace(usual, store_ms=store_ms, store_sd_ms=store_ms / 10)
        self.clock.at(from_ms, setattr, self.table, "_delays", slow)
        self.clock.at(to_ms, setattr, self.table, "_delays", usual)

    def pause(self, site: str, from_ms: float, to_ms: float) -> None:
        """Not a word from it, and it misses nothing: it goes on with all that waited, as if no time had passed."""
        self.clock.at(from_ms, self.process(site).stop, Life.PAUSED)
        self.clock.at(to_ms, self.process(site).resume)

    def strike(self, site: str, kind: type, after: int, *, pause: bool = False) -> None:
        self.process(site).strike = Strike(kind, after, pause)

    def membership(self, when_ms: float, *sites: str) -> None:
        self.clock.at(when_ms, self._set_roster, sites)

    def process(self, site: str) -> Process:
        return self._processes[site]

    # What is to be seen

    @property
    def outcomes(self) -> dict[Fence, Outcome]:
        """Of the rounds that opened and were decided."""
        return {fence: found.outcome for fence, found in self.table.audit.rounds.items() if found.outcome is not None}

    def decided_ms(self, fence: Fence) -> float:
        """When the first site knew it."""
        return min(each.at_ms for each in self.learned if each.fence == fence)

    def knows(self, fence: Fence) -> set[str]:
        return {each.site for each in self.learned if each.fence == fence}

    # The world's own ways

    def _breach(self, site: str, up: bool) -> None:
        loads = self._loads.new_round(self._sites, site)
        loads = self._loads._loads = {**loads, site: replace(loads[site], up=up)}
        self.process(site).happen(Breached(propose(loads, site, "model")), 0)

    def _set_roster(self, sites: tuple[str, ...]) -> None:
        self._roster = sites
        self._tell_all(Membership(sites))

    def _stopped(self, process: Process) -> None:
        """Nobody starts it anew unless the test does."""

    def start_anew(self, site: str) -> None:
        self._start_anew(site)

    def _learned(self, process: Process, effect: Learned, depth: int) -> None:
        process.member.validate()
        self.table.audit.learned(effect.fence, effect.outcome)
        self.learned.append(Learning(process.site, effect.fence, effect.outcome, self.clock.now_ms))

    def _execute(self, process: Process, effect: Execute) -> None:
        resource = self.table.audit._resources.get(process.site)
        taken = resource is None or effect.fence >= resource.fence
        self.effects.append(Effect(process.site, effect.fence, effect.outcome, self.clock.now_ms, taken))
        super()._execute(process, effect)
