import asyncio
from dataclasses import replace

from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.summaries import RoundPage, newest_first, summary_of
from edgemind.entrypoints.demo.round_watch import PATIENCE, RoundWatch
from edgemind.services.demo_course import Votes
from tests.support.round_records import effect, round_record


class Source:
    """The fleet API's answer, to be changed between looks."""

    def __init__(self, *records: RoundRecord) -> None:
        self.records: list[RoundRecord] | None = list(records)

    async def rounds(self, limit: int) -> RoundPage | None:
        if self.records is None:
            return None
        return RoundPage(newest_first((summary_of(record) for record in self.records), limit, None))

    async def votes(self, fence: str) -> Votes:
        return {"site-a": {"voter": "library", "ranking": [fence]}}


def look(watch: RoundWatch) -> None:
    asyncio.run(watch.read())


def test_a_round_is_said_once_when_its_coordinator_tells_it_and_so_is_each_effect() -> None:
    said: list[str] = []
    source = Source(round_record(1))
    watch = RoundWatch(source, said.append)
    look(watch)
    assert (said, watch.rounds) == ([], []), "it was there before this run"

    source.records = [round_record(1), round_record(2, "site-b")]
    look(watch)
    assert said == [], "how long it took is not known yet"
    source.records.append(round_record(2))
    look(watch)
    look(watch)
    assert said == ["round 1.2: shift 100 % of site-a's llm to site-c, decided in 31 ms by 3 of 3, coordinator site-a"]
    source.records[-1] = replace(round_record(2), effects=(effect(round_record(2)),))
    look(watch)
    look(watch)
    assert said[1:] == ["round 1.2: site-c: replicas of llm = 2: applied"]
    assert [one.fence for one in watch.rounds] == ["1.2"]


def test_a_round_whose_coordinator_died_is_said_all_the_same() -> None:
    said: list[str] = []
    source = Source()
    watch = RoundWatch(source, said.append)
    look(watch)
    source.records = [round_record(5, "site-b")]
    for _ in range(PATIENCE - 1):
        look(watch)
    assert said == []
    look(watch)
    assert said == ["round 1.5: shift 100 % of site-a's llm to site-c, coordinator site-a"]


def test_while_nobody_answers_what_was_known_stays() -> None:
    said: list[str] = []
    source = Source()
    source.records = None
    watch = RoundWatch(source, said.append)
    look(watch)
    source.records = []
    look(watch)
    source.records = [round_record(9), round_record(10)]
    look(watch)
    source.records = None
    look(watch)
    assert [one.n for one in watch.rounds] == [9, 10]
    assert len(said) == 2


def test_the_votes_of_this_runs_rounds_are_read_for_its_report() -> None:
    source = Source(round_record(1))
    watch = RoundWatch(source, lambda _: None)
    look(watch)
    source.records = [round_record(1), round_record(2)]
    look(watch)
    asyncio.run(watch.read_votes())
    assert watch.votes == {"1.2": {"site-a": {"voter": "library", "ranking": ["1.2"]}}}
