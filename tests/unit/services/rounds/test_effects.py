"""What a decision does at each site, and how it ends by itself; on clocks that only the test moves."""

import asyncio
from pathlib import Path

import pytest

from edgemind.domain.routing.overlay import Shift
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Fence, Outcome
from edgemind.errors import TemporaryError
from edgemind.ports.scaler import Replicas
from edgemind.services.rounds.effects import SwarmEffects
from tests.support.controllers import Metro, metro, report, site
from tests.support.effects import Killed, M, Scaled

SHIFT = Outcome(Candidate(Action.SHIFT, "site-b", 100, "site-a", M))
SLOTS, SERVICE_MS = 4, 10.0
FULL = 400.0
"""Requests a second that one replica can do."""


class Sites:
    """Three controllers with their effects; only site-a is scaled."""

    def __init__(self, folder: Path) -> None:
        self.metro = Metro(metro(site("site-a"), site("site-b"), site("site-c")))
        self.scaled = {name: Scaled(folder / name, detector=1) for name in self.metro.controllers}
        self.effects: dict[str, SwarmEffects] = {}
        for name in self.scaled:
            self.restart(name)

    def restart(self, name: str) -> None:
        scaled = self.scaled[name]
        scaled.clock = self.metro.clock
        scaled.restart()
        self.effects[name] = SwarmEffects(
            lambda: self.metro.controllers[name], scaled.scaling, self.metro.clock, scaled.reports.append
        )

    def run(self, seconds: float, **demand: float) -> None:
        """Time passes while devices ask for `demand` at each site; nothing queues."""
        for step in range(round(seconds * 10)):
            for name, controller in self.metro.controllers.items():
                asked = demand.get(name.replace("-", "_"), 1.0)
                load = {"slots": SLOTS, "service_ms": SERVICE_MS, "arrivals_per_s": asked}
                in_flight = round(asked * SERVICE_MS / 1000.0)
                controller.gateways.answer(report(name, models={M: {**load, "in_flight": in_flight}}))
            self.metro.rounds(1)
            if step % 5 == 0:
                asyncio.run(self._turn())

    async def _turn(self) -> None:
        for effects in self.effects.values():
            await effects.turn()

    def learn(self, outcome: Outcome, round_: int) -> None:
        for effects in self.effects.values():
            effects.learned(Fence(1, round_), outcome)

    def execute(self, outcome: Outcome, round_: int) -> None:
        asyncio.run(self.effects[outcome.candidate.site].execute(Fence(1, round_), outcome))

    def shifts(self, name: str = "site-a") -> tuple[Shift, ...]:
        return self.metro.controllers[name].own.shifts

    def weights(self, ingress: str = "site-a") -> dict[str, float]:
        table = self.metro.controllers[ingress].tables.latest
        assert table is not None
        return dict(table.weights[M])

    def told(self, name: str = "site-a") -> list[tuple[str, str, str]]:
        return [(str(one.fence), one.what, one.state) for one in self.scaled[name].reports]


@pytest.fixture
def sites(tmp_path: Path) -> Sites:
    return Sites(tmp_path)


def scale_out(target: int) -> Outcome:
    return Outcome(Candidate(Action.SCALE_OUT, "site-a", target, model=M))


def test_a_flash_crowd_is_shifted_then_served_by_more_replicas_then_all_is_as_before(sites: Sites) -> None:
    crowd = {"site_a": 1.5 * FULL}
    sites.run(10, **crowd)
    assert sites.weights()["site-a"] == pytest.approx(0.85 * FULL, rel=0.01)

    sites.learn(SHIFT, 1)
    sites.execute(SHIFT, 1)
    sites.run(1, **crowd)
    assert sites.weights()["site-a"] == pytest.approx(0.68 * FULL, rel=0.01)
    assert sites.weights()["site-b"] == pytest.approx(0.82 * FULL, rel=0.02)

    sites.run(20, **crowd)
    assert len(sites.shifts()) == 1, "the site is no longer busy, for its load is elsewhere: that ends nothing"

    sites.learn(scale_out(3), 2)
    sites.execute(scale_out(3), 2)
    sites.run(5, **crowd)
    assert sites.shifts() == ()
    assert sites.weights() == pytest.approx({"site-a": 1.5 * FULL}, rel=0.01)

    sites.run(60, **crowd)
    # Six slots' work: three replicas are needed, and stay.
    assert sites.scaled["site-a"].scaler.held[M].wanted == 3

    sites.run(60)
    assert sites.scaled["site-a"].scaler.held[M] == Replicas(1, 1, Fence(1, 2))
    assert sites.told() == [
        ("1.1", "shift:site-b:site-a:detector:100", "applied"),
        ("1.2", "scale_out:site-a:detector:3", "applied"),
        ("1.1", "over: shift:site-b:site-a:detector:100", "applied"),
        ("1.2", "given back: scale_out:site-a:detector:2", "applied"),
        ("1.2", "given back: scale_out:site-a:detector:1", "applied"),
    ]


def test_a_shift_ends_with_the_demand_and_not_for_a_moment_of_it(sites: Sites) -> None:
    sites.run(10, site_a=2 * FULL)
    sites.learn(SHIFT, 1)
    sites.run(2)
    sites.run(5, site_a=2 * FULL)
    assert len(sites.shifts()) == 1
    sites.run(10)
    assert sites.shifts() == ()


def test_measures_that_are_fine_again_end_a_shift_only_if_the_demand_fits(sites: Sites) -> None:
    sites.run(10, site_a=2 * FULL)
    sites.learn(SHIFT, 1)
    sites.effects["site-a"].breach_over(M)
    assert len(sites.shifts()) == 1
    sites.run(3, site_a=FULL / 2)
    sites.effects["site-a"].breach_over("other")
    assert len(sites.shifts()) == 1
    sites.effects["site-a"].breach_over(M)
    assert sites.shifts() == ()


def test_only_the_relieved_site_carries_the_shift_and_the_others_hear_it_from_its_beacon(sites: Sites) -> None:
    sites.run(10, site_a=2 * FULL)
    sites.learn(SHIFT, 1)
    assert sites.shifts("site-b") == ()
    sites.run(1, site_a=2 * FULL)
    loads = sites.metro.controllers["site-c"].neighbourhood.loads(sites.metro.clock.monotonic_s())
    assert {load.site: len(load.shifts) for load in loads} == {"site-a": 1, "site-b": 0}


def test_a_newer_decision_replaces_a_shift_and_an_older_one_does_not(sites: Sites) -> None:
    newer = Outcome(Candidate(Action.SHIFT, "site-c", 50, "site-a", M))
    sites.learn(newer, 4)
    sites.learn(SHIFT, 3)
    assert sites.shifts() == (Shift(M, "site-c", 50, Fence(1, 4)),)
    sites.learn(Outcome(KEEP), 5)
    assert len(sites.shifts()) == 1


def test_a_reload_goes_on_with_shifts_and_replicas(sites: Sites) -> None:
    sites.learn(SHIFT, 1)
    sites.execute(scale_out(2), 2)
    sites.run(1, site_a=2 * FULL)
    before = sites.metro.controllers["site-a"]
    successor = sites.metro.start("site-a")
    successor.succeed(before)
    assert successor.own.shifts == before.own.shifts
    assert successor.own.ready_replicas(M) == 2


def test_replicas_that_serve_other_sites_load_are_not_given_back(sites: Sites) -> None:
    sites.execute(scale_out(3), 1)
    for _ in range(60):
        busy = {"slots": 12, "service_ms": SERVICE_MS, "arrivals_per_s": 0.0, "in_flight": 6}
        for _ in range(5):
            sites.metro.controllers["site-a"].gateways.answer(report("site-a", models={M: busy}))
            sites.metro.clock.advance(0.1)
        asyncio.run(sites.effects["site-a"].turn())
    assert sites.scaled["site-a"].scaler.held[M].wanted == 3


def test_a_silent_scaler_has_not_lost_its_replicas(sites: Sites, caplog: pytest.LogCaptureFixture) -> None:
    sites.execute(scale_out(3), 1)
    sites.run(1)

    async def away() -> dict[str, Replicas]:
        raise TemporaryError("away")

    sites.scaled["site-a"].scaler.replicas = away  # type: ignore[method-assign]
    sites.run(2)
    assert sites.metro.controllers["site-a"].own.ready_replicas(M) == 3
    assert len([record for record in caplog.records if "unknown" in record.message]) == 1


def test_a_restarted_controller_finishes_and_goes_on(sites: Sites) -> None:
    scaled = sites.scaled["site-a"]

    def kill(_: int) -> None:
        raise Killed

    scaled.scaler.before_scale = kill
    with pytest.raises(Killed):
        sites.execute(scale_out(3), 1)
    scaled.scaler.before_scale = lambda _: None
    sites.restart("site-a")

    async def start() -> None:
        await sites.effects["site-a"].turn()
        await asyncio.gather(*scaled.scaling._running.values())

    asyncio.run(start())
    assert scaled.scaler.held[M] == Replicas(3, 3, Fence(1, 1))
    assert sites.told() == [("1.1", "scale_out:site-a:detector:3", "applied")]


def test_a_drain_takes_the_site_out_of_service(sites: Sites) -> None:
    drain = Outcome(Candidate(Action.DRAIN, "site-b"))
    sites.learn(drain, 1)
    assert [name for name, one in sites.metro.controllers.items() if one.own.drain_requested] == []
    sites.execute(drain, 1)
    assert [name for name, one in sites.metro.controllers.items() if one.own.drain_requested] == ["site-b"]
    assert sites.told("site-b") == [("1.1", "drain:site-b", "applied")]


def test_a_failed_over_site_gets_nothing_for_a_while_even_if_it_answers(sites: Sites) -> None:
    sites.run(5, site_a=2 * FULL, site_b=FULL / 2)
    assert sites.weights()["site-b"] > 1.0
    failed = Outcome(Candidate(Action.FAIL_OVER, "site-c", of="site-b"))
    sites.learn(failed, 1)
    sites.execute(failed, 1)
    sites.run(1, site_a=2 * FULL, site_b=FULL / 2)
    assert "site-b" not in sites.weights()
    closed = sites.metro.controllers["site-a"].gateways.answer(report("site-a"))["beacons"]
    assert isinstance(closed, list)
    assert {beacon["site"]: beacon["suspected"] for beacon in closed} == {"site-b": True, "site-c": False}
    # What devices still ask of it goes to the taker.
    assert {shift.to for shift in sites.shifts("site-b")} == {"site-c"}
    assert sites.told("site-c") == [("1.1", "fail_over:site-c:site-b", "applied")]
    sites.run(12, site_a=2 * FULL)
    assert sites.weights()["site-b"] > 1.0


def test_keep_does_nothing(sites: Sites) -> None:
    sites.learn(Outcome(KEEP, timed_out=True), 1)
    asyncio.run(sites.effects["site-a"].execute(Fence(1, 1), Outcome(KEEP)))
    assert sites.told() == []


def test_a_journal_that_cannot_be_read_is_said_once_and_nothing_is_asked(sites: Sites, tmp_path: Path) -> None:
    (tmp_path / "site-a").mkdir(exist_ok=True)
    (tmp_path / "site-a" / "effects-site-a.json").write_text("{", encoding="utf-8")
    sites.restart("site-a")
    sites.execute(scale_out(3), 1)
    sites.run(1)
    assert [(one.state, "Move it aside" in (one.why or "")) for one in sites.scaled["site-a"].reports] == [
        ("failed", True)
    ]
    assert sites.scaled["site-a"].scaler.calls == []
