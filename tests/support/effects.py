"""A scaler in memory that behaves as a test wants, and scaling on a clock that its own pauses move."""

from collections.abc import Callable, Mapping
from pathlib import Path

from edgemind.adapters.effect_journal.json_file import JsonFileEffectJournal
from edgemind.domain.swarm.history import EffectReport
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.scale_task import ScalingPolicy
from edgemind.ports.effect_journal import EffectJournal
from edgemind.ports.scaler import Replicas, StaleFence
from edgemind.services.rounds.scale_replicas import ReplicaScaling
from tests.support.clocks import ManualClock

M = "detector"


class Killed(BaseException):
    """The process ends here."""


class MemoryScaler:
    """`Scaler`. `before_scale` is called first, and may raise; `readies` says how many of the wanted are ready."""

    def __init__(self, **models: int) -> None:
        self.held = {model: Replicas(count, count, None) for model, count in models.items()}
        self.calls: list[tuple[int, str]] = []
        self.before_scale: Callable[[int], None] = lambda replicas: None
        self.readies: Callable[[int], int] = lambda wanted: wanted

    async def scale(self, model: str, replicas: int, fence: Fence) -> Replicas:
        self.before_scale(replicas)
        seen = self.held[model].fence
        if seen is not None and seen > fence:
            raise StaleFence(f"round {seen} is later than {fence}")
        self.calls.append((replicas, str(fence)))
        self.held[model] = Replicas(replicas, replicas, fence)
        return self._now(model)

    async def replicas(self) -> Mapping[str, Replicas]:
        return {model: self._now(model) for model in self.held}

    def _now(self, model: str) -> Replicas:
        held = self.held[model]
        return Replicas(held.wanted, min(held.wanted, self.readies(held.wanted)), held.fence)


class Scaled:
    """One site's scaling over a journal on disk. `restart` is what a killed controller's successor is."""

    def __init__(self, folder: Path, **models: int) -> None:
        self.scaler = MemoryScaler(**models)
        self.clock = ManualClock()
        self.reports: list[EffectReport] = []
        self.policy = ScalingPolicy(ready_within_s=60.0, keep_for_s=10.0)
        self._folder = folder
        self.restart()

    def restart(self, journal: EffectJournal | None = None) -> None:
        self.journal = journal or JsonFileEffectJournal(self._folder, "site-a")
        self.scaling = ReplicaScaling(
            "site-a", self.scaler, self.journal, self.policy, self.clock, self.reports.append, self._sleep
        )

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def told(self) -> list[tuple[str, str]]:
        return [(str(report.fence), report.state) for report in self.reports]
