"""The simulated swarm with a recorder beside every process, and voters that tell what they saw."""

from dataclasses import replace
from random import Random

from edgemind.domain.swarm.protocol import AskVoter
from edgemind.domain.swarm.voter import VotingPolicy, rank
from edgemind.domain.swarm.votes import View, Vote
from edgemind.simulation.swarm_parameters import Delays, fault_set
from edgemind.simulation.swarm_process import Process
from edgemind.simulation.swarm_world import SwarmWorld
from tests.support.round_records import RecordedMember


class RecordedWorld(SwarmWorld):
    def __init__(self, sites: int, seed: int, faults: str) -> None:
        self.recorded: list[RecordedMember] = []
        self._seen = Random(f"{seed} views")
        super().__init__(sites, seed, Delays(), fault_set(faults))

    def _new_process(self, site: str) -> Process:
        process = super()._new_process(site)
        recorded = RecordedMember(site, process.member)
        process.member = recorded  # type: ignore[assignment]
        self.recorded.append(recorded)
        return process

    def _rank(self, process: Process, asked: AskVoter) -> tuple[str, ...]:
        recorded = process.member
        assert isinstance(recorded, RecordedMember)
        loads = {
            site: replace(load, demand=load.demand * self._seen.uniform(0.95, 1.05))
            for site, load in self._loads._loads.items()
        }
        view = View(loads, VotingPolicy())
        ranking = rank(asked.candidates, loads, view.policy, None)
        recorded.recorder.voted(Vote(asked.fence, process.site, ranking, view, "library", 0.1))
        return ranking
