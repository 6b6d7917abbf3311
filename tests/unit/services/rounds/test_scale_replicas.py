"""A decided scale-out is seen through: set, waited for, undone, finished by the next start; once, whatever happens."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from edgemind.adapters.effect_journal.memory import MemoryEffectJournal
from edgemind.domain.swarm.records import Action, Candidate, Fence
from edgemind.domain.swarm.scale_task import ScaleTask, Step
from edgemind.errors import PermanentError, StateCorrupt, StoreUnavailable, TemporaryError
from edgemind.ports.scaler import Replicas
from tests.support.effects import Killed, M, Scaled


@pytest.fixture
def site(tmp_path: Path) -> Scaled:
    return Scaled(tmp_path, detector=1)


def decide(site: Scaled, target: int, round_: int) -> None:
    asyncio.run(site.scaling.carry_out(Fence(1, round_), scale_out(target)))


def scale_out(target: int) -> Candidate:
    return Candidate(Action.SCALE_OUT, "site-a", target, model=M)


def failing(times: int, error: Exception) -> Callable[[int], None]:
    left = [error] * times

    def fail(_: int) -> None:
        if left:
            raise left.pop()

    return fail


def finish_what_is_left(site: Scaled) -> None:
    """What a controller that starts does, until all of it is over."""

    async def run() -> None:
        await site.scaling.resume()
        await asyncio.gather(*site.scaling._running.values())

    asyncio.run(run())


def test_it_is_done_reported_and_not_done_again(site: Scaled) -> None:
    decide(site, 3, 7)
    decide(site, 3, 7)
    assert site.scaler.calls == [(3, "1.7")]
    assert site.told() == [("1.7", "applied")]
    assert site.reports[0].what == "scale_out:site-a:detector:3"


def test_a_scaler_that_fails_for_now_is_asked_again(site: Scaled) -> None:
    site.scaler.before_scale = failing(3, TemporaryError("away"))
    decide(site, 3, 7)
    assert site.scaler.held[M] == Replicas(3, 3, Fence(1, 7))
    assert site.told() == [("1.7", "applied")]
    assert site.reports[0].took_ms == pytest.approx(700.0), "0.1 + 0.2 + 0.4 s"


def test_replicas_that_do_not_become_ready_are_taken_back_by_the_same_fence(site: Scaled) -> None:
    site.scaler.readies = lambda wanted: 1
    decide(site, 3, 7)
    assert site.scaler.held[M].wanted == 1
    assert site.scaler.calls[-1] == (1, "1.7")
    assert site.told() == [("1.7", "undone")]
    assert "not ready in time" in (site.reports[0].why or "")
    decide(site, 3, 7)
    assert site.scaler.held[M].wanted == 1, "the same decision once more does not do it again"


def test_an_undo_is_tried_until_it_works_and_a_later_round_wins_over_it(site: Scaled) -> None:
    def later_round(replicas: int) -> None:
        if replicas == 1:
            site.scaler.before_scale = lambda _: None
            site.scaler.held[M] = Replicas(4, 4, Fence(1, 8))

    site.scaler.readies, site.scaler.before_scale = (lambda wanted: 1), later_round
    decide(site, 3, 7)
    assert site.scaler.held[M].wanted == 4
    assert site.told() == [("1.7", "refused")]


def test_a_scaler_that_stays_away_may_have_done_it_and_is_told_to_undo_it(site: Scaled) -> None:
    def lost(replicas: int) -> None:
        if replicas == 3:
            site.scaler.held[M] = Replicas(3, 3, Fence(1, 7))
            raise TemporaryError("the answer was lost")

    site.scaler.before_scale = lost
    decide(site, 3, 7)
    assert site.scaler.held[M] == Replicas(1, 1, Fence(1, 7))
    assert site.told() == [("1.7", "undone")]


def test_what_the_scaler_refuses_for_good_failed(site: Scaled) -> None:
    site.scaler.before_scale = failing(1, PermanentError("no such Deployment"))
    decide(site, 3, 7)
    assert site.scaler.held[M] == Replicas(1, 1, None)
    assert [(report.state, report.why) for report in site.reports] == [("failed", "no such Deployment")]


def test_a_resource_that_a_later_round_changed_is_left_alone(site: Scaled) -> None:
    site.scaler.held[M] = Replicas(2, 2, Fence(1, 9))
    decide(site, 3, 7)
    assert site.told() == [("1.7", "refused")]
    assert site.scaler.held[M] == Replicas(2, 2, Fence(1, 9))


def test_an_earlier_decision_that_comes_late_is_refused(site: Scaled) -> None:
    decide(site, 3, 9)
    decide(site, 2, 7)
    assert site.told() == [("1.9", "applied"), ("1.7", "refused")]
    assert site.scaler.calls == [(3, "1.9")]


def test_a_later_decision_replaces_one_that_is_not_done(site: Scaled) -> None:
    async def story() -> None:
        waiting = asyncio.Event()

        async def sleep(_: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

        site.scaling._sleep = sleep
        site.scaler.readies = lambda wanted: 4 if wanted == 4 else 1
        first = asyncio.create_task(site.scaling.carry_out(Fence(1, 7), scale_out(3)))
        await waiting.wait()
        await site.scaling.carry_out(Fence(1, 8), scale_out(4))
        await first

    asyncio.run(story())
    assert site.told() == [("1.7", "refused"), ("1.8", "applied")]
    assert site.journal.read()[M] == ScaleTask(M, 4, Fence(1, 8), before=1, base=1, step=Step.DONE)


def test_a_scale_out_never_lowers(site: Scaled) -> None:
    """It was proposed when only two of four were ready."""
    site.scaler.held[M] = Replicas(4, 4, Fence(1, 6))
    decide(site, 3, 7)
    assert site.scaler.held[M] == Replicas(4, 4, Fence(1, 7))


@pytest.mark.parametrize("killed_at", ["before", "after"])
def test_killed_between_decision_and_effect_the_next_start_finishes_it(site: Scaled, killed_at: str) -> None:
    def kill(replicas: int) -> None:
        if killed_at == "after":
            site.scaler.held[M] = Replicas(3, 3, Fence(1, 7))
        raise Killed

    site.scaler.before_scale = kill
    with pytest.raises(Killed):
        decide(site, 3, 7)
    site.scaler.before_scale = lambda _: None
    site.restart()
    finish_what_is_left(site)
    assert site.scaler.held[M] == Replicas(3, 3, Fence(1, 7))
    assert site.told() == [("1.7", "applied")]
    assert site.journal.read()[M] == ScaleTask(M, 3, Fence(1, 7), before=1, base=1, step=Step.DONE)


def test_killed_before_the_scaler_answered_anything_it_is_still_on_record(site: Scaled) -> None:
    async def nothing() -> dict[str, Replicas]:
        raise Killed

    replicas, site.scaler.replicas = site.scaler.replicas, nothing  # type: ignore[method-assign]
    with pytest.raises(Killed):
        decide(site, 3, 7)
    site.scaler.replicas = replicas  # type: ignore[method-assign]
    site.restart()
    finish_what_is_left(site)
    assert site.told() == [("1.7", "applied")]


def test_killed_in_an_undo_the_next_start_undoes_it(site: Scaled) -> None:
    def kill(replicas: int) -> None:
        if replicas == 1:
            raise Killed

    site.scaler.readies, site.scaler.before_scale = (lambda wanted: 1), kill
    with pytest.raises(Killed):
        decide(site, 3, 7)
    site.scaler.before_scale = lambda _: None
    site.restart()
    finish_what_is_left(site)
    assert site.scaler.held[M] == Replicas(1, 1, Fence(1, 7))
    assert site.told() == [("1.7", "undone")]


def test_a_successor_leaves_what_a_later_round_decided_meanwhile(site: Scaled) -> None:
    site.journal.write(ScaleTask(M, 3, Fence(1, 7), before=1, base=1))
    site.scaler.held[M] = Replicas(5, 5, Fence(1, 12))
    finish_what_is_left(site)
    assert site.told() == [("1.7", "refused")]
    assert site.scaler.held[M].wanted == 5


def test_without_a_record_what_the_resource_says_was_done_is_not_done_again(site: Scaled) -> None:
    """A site without a disk: given back since, and the newest round is learned once more at the start."""
    site.scaler.held[M] = Replicas(1, 1, Fence(1, 7))
    site.restart(MemoryEffectJournal())
    decide(site, 3, 7)
    assert site.scaler.calls == []
    assert site.told() == [("1.7", "applied")]


def test_a_full_disk_is_waited_for_before_anything_is_asked(site: Scaled) -> None:
    write, refusals = site.journal.write, [StoreUnavailable("no space")] * 3

    def refused(task: ScaleTask) -> None:
        if refusals:
            assert site.scaler.calls == []
            raise refusals.pop()
        write(task)

    site.journal.write = refused  # type: ignore[method-assign]
    decide(site, 3, 7)
    assert site.told() == [("1.7", "applied")]


def test_a_disk_that_stays_full_lets_nothing_be_done(site: Scaled) -> None:
    def refused(task: ScaleTask) -> None:
        raise StoreUnavailable("no space")

    site.journal.write = refused  # type: ignore[method-assign]
    decide(site, 3, 7)
    assert (site.told(), site.scaler.calls) == ([("1.7", "failed")], [])
    assert site.reports[0].why == "no space"


def test_a_damaged_record_is_said_and_left(site: Scaled, tmp_path: Path) -> None:
    decide(site, 3, 7)
    path = tmp_path / "effects-site-a.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"done"', '"odd"'), encoding="utf-8")
    site.restart()
    with pytest.raises(StateCorrupt, match="Move it aside"):
        decide(site, 4, 8)


def test_giving_back_goes_to_what_there_was_and_no_further(site: Scaled) -> None:
    site.scaler.held[M] = Replicas(2, 2, None)
    decide(site, 3, 7)
    decide(site, 4, 8)
    assert site.scaling.base(M) == 2
    for left in (3, 2):
        asyncio.run(site.scaling.give_back(M, site.scaler.held[M]))
        assert site.scaler.held[M] == Replicas(left, left, Fence(1, 8))
    assert site.journal.read() == {}


def test_a_decision_that_comes_between_reading_and_giving_back_stands(site: Scaled) -> None:
    decide(site, 3, 7)
    seen = site.scaler.held[M]
    site.scaler.held[M] = Replicas(4, 4, Fence(1, 8))
    asyncio.run(site.scaling.give_back(M, seen))
    assert site.scaler.held[M].wanted == 4


def test_what_no_round_scaled_is_not_given_back(site: Scaled) -> None:
    asyncio.run(site.scaling.give_back(M, Replicas(3, 3, None)))
    assert site.scaler.calls == []
