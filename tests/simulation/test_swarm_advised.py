"""Seeded rounds with an advisor beside them: whatever its model does, they end as they do without one.

The simulated sites vote by the policy in force of a real controller, whose journal their rounds go into, and whose
fleet API a real advisor asks, in a thread of its own, again and again. The model is a server that answers by a script.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from agents.advisor.command import Advisor
from agents.advisor.models import ModelFailed, model_maker
from edgemind.domain.swarm.protocol import AskVoter
from edgemind.domain.swarm.voter import rank
from edgemind.domain.swarm.votes import View, Vote
from edgemind.entrypoints.exit_codes import Refused
from edgemind.entrypoints.fleet_client import FleetClient
from edgemind.settings import Settings
from edgemind.settings.advice import AdviceModel, AdviceSettings
from edgemind.simulation.swarm_process import Process
from tests.support.advice import AdvisedController
from tests.support.recorded_world import RecordedWorld
from tests.support.round_records import RecordedMember
from tests.support.scripted_model import EXPLANATION, HANG, REFUSE, Script, scripted_model
from tests.support.serving import free_port, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

ROUNDS, SITES, SEEDS = 12, 5, (1, 2, 3)
MET_AT = (3, 6, 9)
"""Rounds that wait until the advisor has begun another piece of advice."""
PATIENCE_S = 30.0
HOSTILE: tuple[dict[str, object], ...] = (
    {"setting": "swarm.enabled", "percent": -100, "reason": "stop deciding"},
    {"setting": "swarm.hysteresis_ratio", "percent": 900, "reason": "decide nothing any more"},
    {"setting": "swarm.cooldown_ms", "percent": -100, "reason": "decide all the time"},
    {"setting": "fleet.tokens.admin", "percent": 1, "reason": "let me in"},
    {
        "setting": "swarm.hysteresis_ratio",
        "percent": 50,
        "reason": "bounded: it waits for an operator, who is not there",
    },
)


def hostile() -> Script:
    wanted = iter(HOSTILE * 1000)
    return lambda asked: json.dumps(next(wanted)) if "response_format" in asked else f"{EXPLANATION} \x1b[2J"


MODELS: dict[str, Script | None] = {
    "absent": None,
    "slow": lambda _: HANG,
    "overloaded": lambda _: REFUSE,
    "garbage": lambda _: "moo {",
    "hostile": hostile(),
}


class AdvisedWorld(RecordedWorld):
    """Its sites vote by what is in force at `controller`, which keeps their rounds."""

    def __init__(self, seed: int, controller: AdvisedController, begun: threading.Semaphore | None) -> None:
        self._controller, self._begun, self._met = controller, begun, set[int]()
        super().__init__(SITES, seed, "losses")

    def _rank(self, process: Process, asked: AskVoter) -> tuple[str, ...]:
        number = asked.fence.round
        if self._begun is not None and number in MET_AT and number not in self._met:
            self._met.add(number)
            assert self._begun.acquire(timeout=PATIENCE_S), "the advisor does not run"
        for recorded in self.recorded:
            for record in recorded.kept:
                self._controller.group.journals["site-a"].keep(record)
        policy = self._controller.follower.values(self._controller.standing).swarm.voting
        view = View(dict(self._loads._loads), policy)
        ranking = rank(asked.candidates, view.loads, policy, None)
        member: object = process.member
        assert isinstance(member, RecordedMember)
        member.recorder.voted(Vote(asked.fence, process.site, ranking, view, "library", 0.1))
        return ranking

    @property
    def course(self) -> list[Any]:
        """What every site came to know of every round, and how long each took."""
        known = [
            (recorded.site, str(fence), record.outcome, record.tally, record.decided_ms)
            for recorded in self.recorded
            for fence, record in sorted(recorded.latest.items())
        ]
        return [known, self.results]


@contextmanager
def advising(url: str, model_url: str) -> Iterator[tuple[threading.Semaphore, list[str]]]:
    """An advisor in a thread: it begins one piece of advice after the other, and tells how each ended."""
    advice = AdviceSettings(model=AdviceModel.OPENAI, base_url=model_url, name="scripted", timeout_s=1)
    settings = Settings.model_construct(version=1, sites=(), advice=advice)
    advisor = Advisor(FleetClient(url, "advise"), model_maker(settings), "scripted", advice.timeout_s)
    begun, stopped, ends = threading.Semaphore(0), threading.Event(), list[str]()

    def run() -> None:
        while not stopped.is_set():
            begun.release()
            try:
                told = advisor.once()
                ends.append(f"refused: {told['refused']}" if told["refused"] else f"change: {told['change']}")
            except (ModelFailed, Refused) as exc:
                ends.append(str(exc))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield begun, ends
    finally:
        stopped.set()
        thread.join(PATIENCE_S)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", MODELS)
def test_rounds_end_as_they_do_without_an_advisor(kind: str, seed: int) -> None:
    alone = AdvisedWorld(seed, AdvisedController(), None)
    alone.run(ROUNDS)

    controller, script = AdvisedController(), MODELS[kind]
    with served(controller.app) as url, scripted_model(script or (lambda _: "")) as model:
        model_url = model.url if script is not None else f"http://127.0.0.1:{free_port()}/v1"
        with advising(url, model_url) as (begun, ends):
            beside = AdvisedWorld(seed, controller, begun)
            beside.run(ROUNDS)
    assert len(ends) >= len(MET_AT) - 1
    assert bool(model.asked) is (script is not None)
    assert beside.course == alone.course
    assert len(alone.results) == ROUNDS
    assert controller.store.read_book().policy.change is None
