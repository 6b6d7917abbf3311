"""What a controller follows: the change in force, whatever becomes of the store, until it expires."""

import asyncio
import logging

import pytest

from edgemind.domain.advice.changes import AdviceBook, ChangeState, WriteBook
from edgemind.errors import StoreUnavailable
from edgemind.services.advice import manage_advice
from edgemind.services.rounds.find_rounds import RoundFinder
from tests.support.advice import CHURN, STANDING, AdvisedController, change, judged_rounds


def in_force(site: AdvisedController) -> float:
    return site.follower.values(site.standing).swarm.hysteresis_ratio


@pytest.fixture
def site_a() -> AdvisedController:
    site = AdvisedController(judged_rounds(6))
    site.propose({"swarm.hysteresis_ratio": 0.12}, for_s=60)
    site.ask("POST", "/adv-1/accept")
    return site


def test_the_controller_that_accepted_follows_at_once_and_another_at_its_next_look(site_a: AdvisedController) -> None:
    assert in_force(site_a) == 0.12
    other = AdvisedController(store=site_a.store, clock=site_a.clock)
    assert in_force(other) == 0.1
    other.follower.refresh()
    assert in_force(other) == 0.12


def test_an_expiry_brings_the_files_values_back_by_itself(site_a: AdvisedController) -> None:
    site_a.clock.advance(59)
    assert in_force(site_a) == 0.12
    site_a.clock.advance(1)
    assert in_force(site_a) == 0.1
    assert site_a.ask("GET", "/adv-1").json()["state"] == "expired"


def test_a_rollback_brings_them_back_at_once(site_a: AdvisedController) -> None:
    site_a.ask("POST", "/adv-1/rollback")
    assert in_force(site_a) == 0.1


def test_a_store_that_is_away_changes_nothing_until_the_expiry(
    site_a: AdvisedController, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edgemind.advice")
    read = site_a.store.read_policy

    def away() -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(site_a.store, "read_policy", away)
    for _ in range(3):
        site_a.follower.refresh()
    assert in_force(site_a) == 0.12
    told = [record.message for record in caplog.records if "cannot be read" in record.message]
    assert told == ["advice cannot be read, the last policy known goes on until it expires: the disk is full"]
    site_a.clock.advance(60)
    assert in_force(site_a) == 0.1
    monkeypatch.setattr(site_a.store, "read_policy", read)
    site_a.follower.refresh()
    assert caplog.records[-1].message == "advice can be read again: version 2"


def test_where_an_operator_has_changed_the_file_the_file_stands(
    site_a: AdvisedController, caplog: pytest.LogCaptureFixture
) -> None:
    site_a.standing = STANDING.changed({"swarm.hysteresis_ratio": 0.2})
    assert [in_force(site_a) for _ in range(3)] == [0.2] * 3
    told = [record.message for record in caplog.records if record.name == "edgemind.advice"]
    (once,) = told
    assert once.startswith("adv-1 is accepted, and left aside here: it was made when swarm.hysteresis_ratio was 0.1")


def test_a_change_that_is_paused_is_followed_again_when_it_goes_on(site_a: AdvisedController) -> None:
    site_a.ask("POST", "/pause")
    assert in_force(site_a) == 0.1
    site_a.ask("POST", "/resume")
    assert in_force(site_a) == 0.12


def test_who_writes_at_the_same_moment_looks_again(site_a: AdvisedController, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading and writing somebody else rejects another change: the step is taken over the newer book."""
    site_a.propose({"swarm.hysteresis_ratio": 0.11})
    write = site_a.store.write_book
    others: list[AdviceBook] = []

    def beaten(wanted: WriteBook) -> None:
        if not others:
            held = site_a.store.read_book()
            theirs = AdviceBook(held.version + 1, held.paused, held.last_number + 1, (change(3), *held.changes))
            others.append(written_by(theirs))
        write(wanted)

    def written_by(book: AdviceBook) -> AdviceBook:
        write(WriteBook(book))
        return book

    monkeypatch.setattr(site_a.store, "write_book", beaten)
    assert site_a.ask("POST", "/adv-2/reject").json()["state"] == "rejected"
    kept = site_a.store.read_book()
    assert [one.id for one in kept.changes] == ["adv-3", "adv-2", "adv-1"]
    assert kept.changes[1].state is ChangeState.REJECTED


def test_what_comes_while_it_is_looked_for_is_not_accepted_without_a_replay(
    site_a: AdvisedController, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of changes can be guessed: who asks for the next one, just before it is proposed, hears that it is not."""
    site_a.ask("POST", "/adv-1/rollback")
    read = site_a.store.read_book
    coming = [change(2)]

    def as_it_comes() -> AdviceBook:
        held = read()
        if coming:
            later = AdviceBook(held.version + 1, held.paused, 2, (coming.pop(), *held.changes))
            site_a.store.write_book(WriteBook(later))
        return held

    monkeypatch.setattr(site_a.store, "read_book", as_it_comes)
    assert site_a.ask("POST", "/adv-2/accept").status == 404
    assert read().changes[0].state is ChangeState.PROPOSED


@pytest.mark.parametrize("written", [True, False])
def test_a_write_without_an_answer_is_looked_up(
    site_a: AdvisedController, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    """What is in force is told and kept in the audit journal; what is not is refused."""
    write = site_a.store.write_book

    def lost(wanted: WriteBook) -> None:
        if written:
            write(wanted)
        raise StoreUnavailable("the answer did not come")

    monkeypatch.setattr(site_a.store, "write_book", lost)
    answer = site_a.ask("POST", "/adv-1/rollback")
    assert answer.status == (200 if written else 503)
    assert in_force(site_a) == (0.1 if written else 0.12)
    assert (("rolled_back", "operator") in site_a.audit.told) == written


@pytest.mark.parametrize("step", ["propose", "accept"])
def test_rounds_that_do_not_come_in_time_change_nothing(
    site_a: AdvisedController, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Nobody would hear the answer any more: whoever asked has given up by then."""
    site_a.ask("POST", "/adv-1/rollback")
    site_a.propose({"swarm.hysteresis_ratio": 0.11})
    before = site_a.store.read_book()
    monkeypatch.setattr(manage_advice, "JUDGED_WITHIN_S", 0.0)

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(RoundFinder, "fleet_page", never)
    answer = site_a.propose(CHURN) if step == "propose" else site_a.ask("POST", "/adv-2/accept")
    assert (answer.status, answer.json()["error"]["code"]) == (503, "not_judged")
    assert "nothing was changed" in answer.json()["error"]["message"]
    assert site_a.store.read_book() == before
