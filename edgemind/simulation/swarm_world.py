"""One swarm, one seed: members, network, table and faults put together, for a number of breaches one after another."""

from dataclasses import dataclass, replace
from random import Random

from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.adapters.swarm_store.rules import CONDITIONS, Conditions
from edgemind.domain.swarm.member import SwarmMember
from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.pace import Pace
from edgemind.domain.swarm.proposals import propose
from edgemind.domain.swarm.protocol import (
    AskVoter,
    Breached,
    Event,
    Execute,
    Learned,
    Membership,
    Received,
    Send,
    Started,
)
from edgemind.domain.swarm.records import Fence
from edgemind.simulation.clock import VirtualClock
from edgemind.simulation.swarm_loads import SwarmLoads
from edgemind.simulation.swarm_network import SwarmNetwork
from edgemind.simulation.swarm_parameters import ROUNDS_PER_SEED, Delays, Faults
from edgemind.simulation.swarm_plan import RoundPlan, plan_round
from edgemind.simulation.swarm_process import Life, Process, Surroundings
from edgemind.simulation.swarm_table import SimulatedTable

MEASUREMENTS = 16
"""Store calls that a controller has measured before its first round."""
CLAIMANT_STRUCK_MS = 1000.0
"""Who learns later is spared: its successor would not be up by the next breach, and a quorum might be missing."""
RESTORED_ROUNDS = 3
"""A restored table has lost up to so many rounds."""
BEACON_RATIO, BEACON_PEERS = 0.95, 3
"""Towards the end of the time between two breaches each site has told some others the newest outcome that it knows."""


@dataclass(slots=True)
class RoundResult:
    """`decided_ms`: from the confirmed breach until a coordinator knew the outcome; None if none ever did."""

    decided_ms: float | None = None
    timed_out: bool = False
    sequential_calls: int = 0


class SwarmWorld:
    def __init__(
        self, sites: int, seed: int, delays: Delays, faults: Faults, conditions: Conditions = CONDITIONS
    ) -> None:
        self._delays = delays
        self._faults = faults
        self._conditions = conditions
        self._seed = seed
        self.clock = VirtualClock()
        self._rng = Random(f"{seed} faults")
        store = MemorySwarmStore("simulated", conditions)
        self.table = SimulatedTable(self.clock, delays, faults.store, Random(f"{seed} store"), store)
        self._network = SwarmNetwork(self.clock, delays, faults.peers, Random(f"{seed} network"), self._deliver)
        self._loads = SwarmLoads(Random(f"{seed} loads"))
        self._sites = tuple(f"site-{number:02}" for number in range(sites))
        self._roster = self._sites
        self._incarnations = dict.fromkeys(self._sites, 0)
        self._around = Surroundings(
            self.clock, self._send, self.table.call, self._rank, self._learned, self._execute, self._stopped
        )
        self._processes = {site: self._new_process(site) for site in self._sites}
        self._plan = RoundPlan(self._sites[0])
        self._breached_ms = 0.0
        self.results: list[RoundResult] = []

    def run(self, rounds: int = ROUNDS_PER_SEED) -> None:
        for number in range(rounds):
            self.clock.at(number * self._delays.gap_ms, self._prepare)
            self.clock.at((number + BEACON_RATIO) * self._delays.gap_ms, self._send_beacons)
        self.clock.run((), lambda _: None)

    # One round after another

    def _prepare(self) -> None:
        """What is broken is broken just before the breach; what was broken before is repaired."""
        clock, rng = self.clock, self._rng
        self._network.deaf.clear()
        self._network.mute.clear()
        plan = self._plan = plan_round(self._roster, self._faults.rounds, rng)
        if plan.restored:
            self.table.restore(MemorySwarmStore("simulated", self._conditions), rng.randint(0, RESTORED_ROUNDS))
        self._network.deaf |= {plan.deaf} if plan.deaf else set()
        self._network.mute |= {plan.mute} if plan.mute else set()
        if plan.down is not None:
            self._take_down(plan.down)
        suspected = frozenset({plan.down} if plan.down and plan.suspected else ())
        self._tell_all(Membership(self._roster, suspected))
        if plan.roster_change_ms is not None:
            clock.at(clock.now_ms + plan.roster_change_ms, self._change_roster)
        for process in self._processes.values():
            process.depth = 0
            process.strike = None
        self.results.append(RoundResult())
        self._breached_ms = clock.now_ms
        opener = self._processes[plan.opener]
        opener.strike = replace(plan.opener_strike) if plan.opener_strike is not None else None
        loads = self._loads.new_round(self._sites, plan.opener)
        opener.happen(Breached(propose(loads, plan.opener, "model")), 0)

    def _take_down(self, site: str) -> None:
        """It is back before the next breach: started anew, or as it was, with old state."""
        process = self._processes[site]
        back_ms = self.clock.now_ms + self._delays.gap_ms * self._rng.uniform(0.3, 0.9)
        if self._rng.random() < 0.5:
            process.stop(Life.PAUSED)
            self.clock.at(back_ms, process.resume)
        else:
            process.stop(Life.DEAD)
            self.clock.at(back_ms, self._start_anew, site)

    def _change_roster(self) -> None:
        """One site leaves while the round is under way, or all are members again."""
        leaver = self._rng.choice(self._sites)
        full = len(self._roster) == len(self._sites)
        self._roster = tuple(site for site in self._sites if site != leaver) if full else self._sites
        self._tell_all(Membership(self._roster))

    def _tell_all(self, event: Event) -> None:
        for process in self._processes.values():
            process.happen(event, 0)

    def _send_beacons(self) -> None:
        for site, process in self._processes.items():
            newest = process.member.newest
            if process.life is Life.RUNNING and newest is not None:
                for peer in self._rng.sample(self._sites, min(BEACON_PEERS, len(self._sites))):
                    self._network.send(site, peer, newest, 0)

    # Processes that end and begin

    def _new_process(self, site: str) -> Process:
        self._incarnations[site] += 1
        pace = Pace()
        for _ in range(MEASUREMENTS):
            pace.observe_store(self.table.draw_ms())
        offset_ms = self._rng.uniform(-1, 1) * self._faults.rounds.clock_offset_ms
        member = SwarmMember(site, self._incarnations[site], pace, Fence(1, 0))
        process = Process(site, member, self._around, offset_ms)
        process.happen(Membership(self._roster), 0)
        return process

    def _start_anew(self, site: str) -> None:
        self._processes[site] = self._new_process(site)
        self._processes[site].happen(Started(), 0)

    def _stopped(self, process: Process) -> None:
        """A strike has hit: a supervisor starts a successor; a process that was only paused goes on beside it."""
        clock, rng, gap_ms = self.clock, self._rng, self._delays.gap_ms
        clock.at(clock.now_ms + gap_ms * rng.uniform(0.002, 0.2), self._start_anew, process.site)
        if process.life is Life.PAUSED:
            resumed_ms = clock.now_ms + gap_ms * rng.uniform(0.3, 1.3)
            clock.at(resumed_ms, process.resume)
            clock.at(resumed_ms + 0.2 * gap_ms, process.stop, Life.DEAD)

    # What processes do

    def _deliver(self, to: str, message: Message, depth: int) -> None:
        self._processes[to].happen(Received(message), depth)

    def _send(self, process: Process, effect: Send, depth: int) -> None:
        self._network.send(process.site, effect.to, effect.message, depth)

    def _rank(self, process: Process, asked: AskVoter) -> tuple[str, ...]:
        return self._loads.rank(asked.candidates)

    def _learned(self, process: Process, effect: Learned, depth: int) -> None:
        process.member.validate()
        audit, result = self.table.audit, self.results[-1]
        audit.learned(effect.fence, effect.outcome)
        soon = self.clock.now_ms < self._breached_ms + CLAIMANT_STRUCK_MS
        if effect.outcome.candidate.site == process.site and self._plan.claimant_strike is not None and soon:
            process.strike = replace(self._plan.claimant_strike)
            # Once: its successors learn the outcome, too.
            self._plan = replace(self._plan, claimant_strike=None)
        if result.decided_ms is None and audit.opened_after(effect.fence, self._breached_ms):
            result.decided_ms = self.clock.now_ms - self._breached_ms
            result.timed_out = effect.outcome.timed_out
            result.sequential_calls = depth

    def _execute(self, process: Process, effect: Execute) -> None:
        self.table.audit.execute(process.site, effect.fence, effect.outcome)
