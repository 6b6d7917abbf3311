"""Decisions carried out by a real controller on a real model server: after a kill, and once, whatever came between."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgemind.adapters.effect_journal.json_file import JsonFileEffectJournal
from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Fence, Outcome
from edgemind.domain.swarm.scale_task import ScaleTask, Step
from edgemind.domain.swarm.writes import Decide, Genesis, OpenRound
from tests.support.controller_processes import until
from tests.support.model_servers import ROOT, ask, running
from tests.support.serving import free_ports

MODEL = "simulated-llm"
SCALE_OUT = Candidate(Action.SCALE_OUT, "site-a", 3, model=MODEL)
CONFIG = """\
version: 1
metro: test
state: {{store: json, directory: state}}
fleet: {{secret: 'file:secret', tokens: {{viewer: 'file:viewer'}}}}
auth: off
swarm: {{scaler: local}}
sites:
  - name: site-a
    gateway: http://127.0.0.1:{gateway}
    controller: http://127.0.0.1:{controller}
    models:
      - {{name: simulated-llm, base_url: 'http://127.0.0.1:{model}', slots: 2, service_ms: 20, engine: simulated,
         max_replicas: 4}}
"""


class OneSite:
    def __init__(self, folder: Path) -> None:
        self.gateway_port, self.controller_port, self.model_port = free_ports(3)
        for name, secret in (("secret", "between-sites"), ("viewer", "look")):
            (folder / name).write_text(secret, encoding="utf-8")
        self.config = folder / "edgemind.yaml"
        ports = {"gateway": self.gateway_port, "controller": self.controller_port, "model": self.model_port}
        self.config.write_text(CONFIG.format(**ports), encoding="utf-8")
        self.log = folder / "controller.log"
        self.journal = JsonFileEffectJournal(folder / "state", "site-a")
        self.rounds = JsonFileSwarmStore(folder / "state", "test")
        self.rounds.genesis(Genesis())

    def decide(self, round_: int, candidate: Candidate) -> None:
        """As a metro of three does, while this site's controller is away."""
        roster, fence = ("site-a", "site-b", "site-c"), Fence(1, round_)
        self.rounds.open_round(OpenRound(fence, tuple(dict.fromkeys((candidate, KEEP))), roster, 2, f"open {round_}"))
        self.rounds.decide(Decide(fence, Outcome(candidate), roster[1:], f"decide {round_}"))

    @contextmanager
    def controller(self) -> Iterator[None]:
        command = [sys.executable, "-m", "edgemind", "controller", "--config", str(self.config), "--site", "site-a"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def replicas(self) -> tuple[int, str | None]:
        shown = ask(self.model_port, "GET", "/edgemind/v1/scale").document["models"][MODEL]
        return shown["ready"], shown["fence"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[OneSite]:
    made = OneSite(tmp_path)
    with running(made.config, "--site", "site-a"):
        yield made


def test_what_was_decided_and_not_begun_is_found_in_the_store(site: OneSite) -> None:
    """Killed between the decision and its effect, before anything of it was written down here."""
    site.decide(1, SCALE_OUT)
    with site.controller():
        until(lambda: site.replicas() == (3, "1.1"), "three replicas")
        until(lambda: site.journal.read()[MODEL].step is Step.DONE, "the end on record")
    assert site.journal.read()[MODEL] == ScaleTask(MODEL, 3, Fence(1, 1), before=1, base=1, step=Step.DONE)


def test_what_was_begun_is_finished_although_later_rounds_were_about_others(site: OneSite) -> None:
    site.decide(1, SCALE_OUT)
    site.decide(2, KEEP)
    site.journal.write(ScaleTask(MODEL, 3, Fence(1, 1)))
    with site.controller():
        until(lambda: site.replicas() == (3, "1.1"), "three replicas")
        until(lambda: site.journal.read()[MODEL].step is Step.DONE, "the end on record")


def test_a_successor_does_not_touch_what_a_later_round_did(site: OneSite) -> None:
    site.journal.write(ScaleTask(MODEL, 3, Fence(1, 1), before=1, base=1))
    later = {"model": MODEL, "replicas": 2, "fence": "1.7"}
    assert ask(site.model_port, "POST", "/edgemind/v1/scale", later).status == 200
    with site.controller():
        until(lambda: "round 1.7, which is later than 1.1" in site.log.read_text(encoding="utf-8"), "a refusal")
        until(lambda: site.journal.read()[MODEL].step is Step.DONE, "the end on record")
        assert site.replicas() == (2, "1.7")
