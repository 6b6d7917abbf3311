"""What is remembered of a round: each thing once in the whole metro, in words."""

from dataclasses import replace

from edgemind.domain.agent_memory import MemoryKind
from edgemind.domain.swarm.round_memories import memories_of_round
from tests.support.round_records import SITES, effect, round_record


def test_a_round_is_remembered_once_in_the_metro() -> None:
    records = [round_record(3, site, coordinator="site-b") for site in SITES]
    told = [memory for record in records for memory in memories_of_round(record, by=record.site)]
    assert sorted((one.kind, one.site) for one in told) == [("activation", "site-a"), ("outcome", "site-b")]
    assert len({one.id for one in told}) == len(told)


def test_it_is_told_in_words() -> None:
    activation, outcome = memories_of_round(round_record(3), by="site-a")
    assert activation.text == "site-a was about to miss its targets for llm (occupancy ratio 3.5): round 1.3."
    assert outcome.text == (
        "Round 1.3: shift 100 % of site-a's llm to site-c, decided in 31 ms by 3 of 3, for a breach at site-a."
    )
    assert outcome.fence == "1.3"


def test_a_round_without_an_outcome_is_remembered_by_the_site_in_trouble() -> None:
    record = round_record(3, outcome=None, decided_ms=None, coordinator="site-b", ended="the store is out of reach")
    told = memories_of_round(record, by="site-a")
    assert [one.kind for one in told] == [MemoryKind.ACTIVATION, MemoryKind.OUTCOME]
    assert told[1].text == "Round 1.3: no outcome: the store is out of reach."
    others = round_record(3, "site-c", outcome=None, decided_ms=None, ended="its outcome was not heard here")
    assert memories_of_round(others, by="site-c") == []


def test_each_site_remembers_what_it_did_about_it_and_a_later_undoing_is_another_memory() -> None:
    record = round_record(3, "site-c")
    applied, undone = effect(record, "applied"), effect(record, "undone", "its replicas were not ready in time")
    elsewhere = replace(applied, site="site-b")
    told = memories_of_round(replace(record, effects=(applied, undone, elsewhere)), by="site-c")
    assert [one.text for one in told] == [
        "Round 1.3: replicas of llm = 2 at site-c, applied.",
        "Round 1.3: replicas of llm = 2 at site-c, undone (its replicas were not ready in time).",
    ]
    assert len({one.id for one in told}) == 2
