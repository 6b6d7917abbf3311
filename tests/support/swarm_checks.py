"""One check per condition of each write of a swarm store: it fails on a store that lacks just that condition."""

from collections.abc import Callable

from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.records import KEEP, Action, Ballot, Candidate, CurrentRound, Fence, Outcome
from edgemind.domain.swarm.roster import ChangeRoster, Roster, RosterMember
from edgemind.domain.swarm.writes import Claim, Decide, Genesis, OpenRound, PutBallot
from edgemind.ports.swarm_store import SwarmStore

ROSTER = ("site-a", "site-b", "site-c")
CHANGE = Candidate(Action.FAIL_OVER, "site-b", of="site-a")
SCALE = Candidate(Action.SCALE_OUT, "site-a", 3, model="model")
CANDIDATES = (CHANGE, SCALE, KEEP)


def opening(fence: Fence = Fence(1, 1), nonce: str = "opened") -> OpenRound:  # noqa: B008 - frozen
    return OpenRound(fence, CANDIDATES, ROSTER, 2, nonce)


def ballot(site: str = "site-a", fence: Fence = Fence(1, 1)) -> Ballot:  # noqa: B008 - frozen
    return Ballot(fence, site, tuple(candidate.id for candidate in CANDIDATES))


def decide(
    fence: Fence = Fence(1, 1),  # noqa: B008 - frozen
    nonce: str = "decided",
    candidate: Candidate = CHANGE,
) -> Decide:
    return Decide(fence, Outcome(candidate), ("site-a", "site-b"), nonce)


def claim(
    fence: Fence = Fence(1, 1),  # noqa: B008 - frozen
    site: str = "site-b",
    incarnation: int = 7,
) -> Claim:
    return Claim(fence, site, incarnation)


def roster(version: int = 1, nonce: str = "changed", sites: tuple[str, ...] = ROSTER) -> Roster:
    return Roster(version, tuple(RosterMember(site, f"http://{site}:8200") for site in sites), nonce)


def _decided(store: SwarmStore, epoch: int = 1) -> CurrentRound:
    """A store whose round 1 is decided, with a claim; what it holds."""
    store.genesis(Genesis(Fence(epoch, 0)))
    store.open_round(opening(Fence(epoch, 1)))
    store.decide(decide(Fence(epoch, 1)))
    store.claim(claim(Fence(epoch, 1)))
    return store.read_current()


def _refused(store: SwarmStore, answer: Applied | Refused, held: CurrentRound) -> None:
    assert answer == Refused(held)
    assert store.read_current() == held


def genesis_never_resets(store: SwarmStore) -> None:
    held = _decided(store)
    _refused(store, store.genesis(Genesis(Fence(2, 0))), held)


def no_opening_in_another_epoch(store: SwarmStore) -> None:
    held = _decided(store, epoch=2)
    _refused(store, store.open_round(opening(Fence(1, 2))), held)
    _refused(store, store.open_round(opening(Fence(3, 2))), held)


def no_opening_out_of_order(store: SwarmStore) -> None:
    held = _decided(store)
    for number in (0, 1, 3):
        _refused(store, store.open_round(opening(Fence(1, number), nonce="late")), held)


def no_opening_before_the_last_is_decided(store: SwarmStore) -> None:
    store.genesis(Genesis())
    store.open_round(opening())
    _refused(store, store.open_round(opening(Fence(1, 2))), opening().opened())


def no_second_ballot(store: SwarmStore) -> None:
    store.genesis(Genesis())
    store.open_round(opening())
    store.put_ballot(PutBallot(ballot()))
    turned = Ballot(Fence(1, 1), "site-a", tuple(reversed(ballot().ranking)))
    assert store.put_ballot(PutBallot(turned)) == Refused(ballot())
    assert store.read_ballots(Fence(1, 1)) == [ballot()]


def no_decision_in_another_epoch(store: SwarmStore) -> None:
    store.genesis(Genesis(Fence(2, 0)))
    store.open_round(opening(Fence(2, 1)))
    _refused(store, store.decide(decide(Fence(1, 1))), opening(Fence(2, 1)).opened())


def no_decision_of_another_round(store: SwarmStore) -> None:
    _decided(store)
    held = opening(Fence(1, 2), nonce="next")
    store.open_round(held)
    for number in (1, 3):
        _refused(store, store.decide(decide(Fence(1, number), nonce="late")), held.opened())


def no_second_decision(store: SwarmStore) -> None:
    held = _decided(store)
    _refused(store, store.decide(decide(nonce="second", candidate=SCALE)), held)


def no_claim_in_another_epoch(store: SwarmStore) -> None:
    held = _decided(store, epoch=2)
    _refused(store, store.claim(claim(Fence(1, 1), site="site-a")), held)


def no_claim_of_another_round(store: SwarmStore) -> None:
    _decided(store)
    store.open_round(opening(Fence(1, 2)))
    store.decide(decide(Fence(1, 2)))
    held = store.read_current()
    _refused(store, store.claim(claim(Fence(1, 1))), held)


def no_claim_before_the_decision(store: SwarmStore) -> None:
    store.genesis(Genesis())
    store.open_round(opening())
    _refused(store, store.claim(claim()), opening().opened())


def no_second_claim_of_a_site(store: SwarmStore) -> None:
    held = _decided(store)
    _refused(store, store.claim(claim(incarnation=8)), held)


def no_change_of_a_roster_that_was_not_read(store: SwarmStore) -> None:
    for version in (1, 2):
        assert store.change_roster(ChangeRoster(roster(version))) == Applied()
    for version in (1, 2, 4):
        late = ChangeRoster(roster(version, "late", ("site-z",)))
        assert store.change_roster(late) == Refused(roster(2))
        assert store.read_roster() == roster(2)


CHECKS: dict[str, Callable[[SwarmStore], None]] = {
    "Genesis absent": genesis_never_resets,
    "OpenRound epoch": no_opening_in_another_epoch,
    "OpenRound round": no_opening_out_of_order,
    "OpenRound decided": no_opening_before_the_last_is_decided,
    "PutBallot absent": no_second_ballot,
    "Decide epoch": no_decision_in_another_epoch,
    "Decide round": no_decision_of_another_round,
    "Decide open": no_second_decision,
    "Claim epoch": no_claim_in_another_epoch,
    "Claim round": no_claim_of_another_round,
    "Claim decided": no_claim_before_the_decision,
    "Claim unclaimed": no_second_claim_of_a_site,
    "ChangeRoster version": no_change_of_a_roster_that_was_not_read,
}
"""By kind of write and name of the condition."""
