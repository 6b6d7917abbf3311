"""The voter that is an agent: the library's ballots, from tools, whatever the tools do."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.ballot_policy import ballot_policy
from agents.policy_model import Conversation, ToolRequest
from agents.site_voter import REHEARSALS, VoteLimits
from edgemind.domain.swarm.records import KEEP, Action, Candidate
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy, rank
from edgemind.domain.swarm.votes import View, Vote
from edgemind.ports.voter import Voter
from tests.support.mcp_fleet import hang, hang_deaf, hang_in_a_thread
from tests.unit.agents.conftest import CANDIDATES, FENCE, SNAPSHOT, TRUTH, Booth

METRICS, STATE = "metrics_monitor.get_fleet_metrics", "memory_sync.get_swarm_state"
names = st.sampled_from(["a", "b", "c", "d"])
candidates = st.builds(
    Candidate,
    st.sampled_from([Action.SHIFT, Action.SCALE_OUT, Action.FAIL_OVER, Action.DRAIN]),
    names,
    st.integers(0, 100),
    names,
    st.just("chat"),
)
demands = st.floats(0, 100, allow_nan=False) | st.integers(0, 100).map(float)
loads = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.builds(SiteLoad, st.integers(0, 64), demands, st.integers(0, 8), st.booleans(), st.integers(1, 8)),
    min_size=1,
)
sinces = st.none() | st.floats(0, 1e5)
policies = st.builds(VotingPolicy, st.floats(0, 1), st.floats(0, 1e5))


def call_of(vote: Vote, tool: str) -> Any:
    (call,) = [call for call in vote.tool_calls if call.tool == tool]
    return call


def ranked_as_its_view(vote: Vote) -> bool:
    return vote.ranking == rank(CANDIDATES, vote.view.loads, vote.view.policy, vote.view.since_change_ms)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(candidates, max_size=8, unique=True), st.booleans(), loads, sinces, policies)
def test_it_gives_the_ballots_of_the_librarys_voter(
    booth: Booth,
    some: list[Candidate],
    keep: bool,
    truth: dict[str, SiteLoad],
    since_ms: float | None,
    policy: VotingPolicy,
) -> None:
    round_ = (*some, KEEP) if keep or not some else tuple(some)
    # A site that no candidate names is in no snapshot, and counts for no voter.
    booth.fleet.loads, booth.fleet.since_change_ms = {**truth, "z": SiteLoad(1, 1e6)}, since_ms
    # What it is told is old: the ballot follows the tools. Without a model to ask for, it is all there is.
    told_ms = since_ms if since_ms is None else since_ms + 1
    told = dict(truth) if not some else {site: replace(load, demand=load.demand + 5) for site, load in truth.items()}
    vote = booth.run(booth.voter().vote(FENCE, round_, View(told, policy, told_ms)))
    assert vote is not None
    assert vote.ranking == rank(round_, truth, policy, since_ms)
    assert vote.view == View(truth, policy, since_ms)
    assert [call.failed for call in vote.tool_calls] == [None] * (2 if some else 1)


def test_a_ballot_says_what_it_rests_on(booth: Booth) -> None:
    voter: Voter = booth.voter()
    vote = booth.run(voter.vote(FENCE, CANDIDATES, SNAPSHOT))
    assert (vote.fence, vote.site, vote.voter) == (FENCE, "a", "strands")
    assert vote.ranking == rank(CANDIDATES, TRUTH, SNAPSHOT.policy, None)
    metrics, state = call_of(vote, METRICS), call_of(vote, STATE)
    assert metrics.role == state.role == "load_balancer"
    assert metrics.arguments == {"model": "chat", "sites": ["a", "b", "c"], "local": True}
    assert metrics.result["loads"]["a"] == asdict(TRUTH["a"])
    assert state.result == {"since_change_ms": None}
    assert 0 < metrics.took_ms <= vote.took_ms
    assert sorted(tool for tool, _ in booth.fleet.asked) == ["get_fleet_metrics", "get_swarm_state"]


def test_a_rehearsal_goes_on_until_every_tool_has_answered_and_says_nothing(
    booth: Booth, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edgemind.agents")
    failures = [RuntimeError("cold"), RuntimeError("cold")]

    async def cold() -> None:
        if failures:
            raise failures.pop()

    booth.fleet.before["get_swarm_state"] = cold
    booth.run(booth.voter().rehearse())
    assert sorted(tool for tool, _ in booth.fleet.asked) == ["get_fleet_metrics"] * 3 + ["get_swarm_state"] * 3
    failures.extend(RuntimeError("broken") for _ in range(100))
    booth.run(booth.voter().rehearse())
    assert len(booth.fleet.asked) == 6 + 2 * REHEARSALS
    assert [record for record in caplog.records if record.name == "edgemind.agents"] == []


def test_the_cooldown_comes_from_the_swarms_state(booth: Booth) -> None:
    booth.fleet.since_change_ms = 10.0
    vote = booth.vote()
    assert vote is not None
    assert vote.ranking[0] == KEEP.id


@pytest.mark.parametrize("hanging", [hang, hang_in_a_thread, hang_deaf])
def test_a_tool_that_hangs_leaves_the_snapshot(booth: Booth, hanging: Callable[[], Any]) -> None:
    booth.fleet.before["get_fleet_metrics"] = hanging
    limits = booth.connections["metrics_monitor"]._limits
    booth.connections["metrics_monitor"]._limits = replace(limits, call_ms=30)
    try:
        vote = booth.vote()
    finally:
        booth.connections["metrics_monitor"]._limits = limits
    assert vote is not None
    assert vote.view == View(SNAPSHOT.loads, SNAPSHOT.policy, None)
    assert ranked_as_its_view(vote)
    assert call_of(vote, METRICS).failed == f"{METRICS}: no answer within 30 ms; the snapshot stands for it"
    assert call_of(vote, STATE).failed is None


def test_a_tool_that_breaks_leaves_the_snapshot(booth: Booth) -> None:
    async def breaks() -> None:
        raise RuntimeError("no beacon yet")

    booth.fleet.before |= {"get_fleet_metrics": breaks, "get_swarm_state": breaks}
    vote = booth.vote()
    assert vote is not None
    assert vote.view == SNAPSHOT
    assert ranked_as_its_view(vote)
    assert all(call.failed and "the snapshot stands for it" in call.failed for call in vote.tool_calls)
    assert len(vote.tool_calls) == 2


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ({"model": "other", "loads": {}}, "told of 'other', and the round is about 'chat'"),
        ({"model": "chat", "loads": {"a": {"slots": 4, "demand": 1}}}, "left out b, c"),
        ({"model": "chat", "sites": []}, "left out a, b, c"),
        ({"loads": {site: {"slots": -1, "demand": 1} for site in TRUTH}}, "a.slots must be a whole number >= 0"),
        ({"loads": {site: {"slots": 4, "demand": "much"} for site in TRUTH}}, "a.demand must be a number >= 0"),
        ({"loads": ["a"]}, "loads must be an object"),
    ],
)
def test_data_that_cannot_be_leaves_the_snapshot(booth: Booth, told: dict[str, Any], cause: str) -> None:
    vote = booth.run(_with_other_words(booth, "get_fleet_metrics", told))
    assert vote.view.loads == SNAPSHOT.loads
    assert cause in call_of(vote, METRICS).failed
    assert call_of(vote, METRICS).result == told


@pytest.mark.parametrize(
    ("told", "cause"),
    [({}, "did not tell since_change_ms"), ({"since_change_ms": -5}, "since_change_ms must be a number >= 0")],
)
def test_a_field_that_is_gone_ends_no_cooldown(booth: Booth, told: dict[str, Any], cause: str) -> None:
    vote = booth.run(_with_other_words(booth, "get_swarm_state", told))
    assert vote.view.since_change_ms == SNAPSHOT.since_change_ms
    assert cause in call_of(vote, STATE).failed


async def _with_other_words(booth: Booth, tool: str, told: dict[str, Any]) -> Any:
    """A vote over servers whose schema allows anything."""
    from agents.site_voter import StrandsVoter
    from edgemind.adapters.clock import SystemClock
    from tests.support.mcp_fleet import FleetOfTools, connected
    from tests.unit.agents.conftest import PATIENT

    async with connected(FleetOfTools(TRUTH, told={tool: told})) as connections:
        return await StrandsVoter("a", connections, SystemClock(), PATIENT).vote(FENCE, CANDIDATES, SNAPSHOT)


def test_without_servers_it_votes_on_the_snapshot(booth: Booth) -> None:
    voter = booth.voter()
    voter._tools._connections = {}
    vote = booth.run(voter.vote(FENCE, CANDIDATES, SNAPSHOT))
    assert vote.view == SNAPSHOT
    assert call_of(vote, METRICS).failed.startswith(f"{METRICS}: there is no server metrics_monitor here")


def test_a_tool_that_the_role_may_not_call_is_refused(booth: Booth) -> None:
    """The model is one that obeys what it read somewhere."""

    def obedient(conversation: Conversation) -> Sequence[ToolRequest]:
        if not conversation.answers:
            return [ToolRequest("metrics_monitor_restart_all"), ToolRequest("container_ops_scale_model", {"to": 0})]
        return ballot_policy(Conversation(conversation.prompt, conversation.answers))

    vote = booth.vote(obedient)
    assert vote is not None
    assert booth.fleet.asked == []
    restart, scale = vote.tool_calls
    assert restart.tool == "metrics_monitor_restart_all"
    assert restart.failed is not None
    assert restart.failed.startswith(
        "metrics_monitor_restart_all: the role load_balancer may not call it; it may call "
    )
    assert scale.arguments == {"to": 0}
    assert scale.failed is not None
    assert "may not call it" in scale.failed


@pytest.mark.parametrize(
    ("ranking", "why"),
    [
        (["keep"], "does not rank the candidates"),
        (["keep", "keep", "shift:b:a:chat:50"], "does not rank the candidates"),
        (["keep", "scale_out:a:chat:3", "drain:z"], "does not rank the candidates"),
        ([], "ran out of turns"),
    ],
)
def test_a_ballot_that_would_not_count_is_an_abstention(
    booth: Booth, caplog: pytest.LogCaptureFixture, ranking: list[str], why: str
) -> None:
    assert booth.vote(lambda _conversation: [ToolRequest("Ballot", {"ranking": ranking})]) is None
    assert why in caplog.text


def test_an_agent_that_fails_abstains_and_says_why_once(booth: Booth, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "edgemind.agents")

    def broken(_conversation: Conversation) -> Sequence[ToolRequest]:
        raise ValueError("no idea")

    voter = booth.voter(broken)
    votes = [booth.run(voter.vote(FENCE, CANDIDATES, SNAPSHOT)) for _ in range(3)]
    assert votes == [None] * 3
    said = [record.message for record in caplog.records if record.name == "edgemind.agents"]
    assert said == ["the voter of a: it abstains: the agent failed: no idea"]


@pytest.mark.parametrize("hanging", [hang, hang_deaf])
def test_an_agent_without_a_ballot_in_time_is_discarded(
    booth: Booth, caplog: pytest.LogCaptureFixture, hanging: Callable[[], Any]
) -> None:
    booth.fleet.before["get_swarm_state"] = hanging
    voter = booth.voter(limits=VoteLimits(vote_ms=300, abandoned=1))
    assert booth.run(voter.vote(FENCE, CANDIDATES, SNAPSHOT)) is None
    assert f"had no ballot within 300 ms; no answer of {STATE}" in caplog.text
    # The next round gets an agent of its own, unless one that was discarded still holds the place.
    booth.fleet.before.clear()
    booth.run(_until(lambda: not voter._patience._left))
    voter._limits = VoteLimits(vote_ms=10_000)
    assert booth.run(voter.vote(FENCE.__class__(1, 18), CANDIDATES, SNAPSHOT)) is not None


def test_discarded_agents_do_not_add_up(booth: Booth, caplog: pytest.LogCaptureFixture) -> None:
    voter = booth.voter(limits=VoteLimits(vote_ms=10_000, abandoned=1))

    async def scene() -> None:
        stuck = asyncio.create_task(asyncio.sleep(60))
        voter._patience._left.add(stuck)
        assert await voter.vote(FENCE, CANDIDATES, SNAPSHOT) is None
        stuck.cancel()

    booth.run(scene())
    assert "1 discarded agents still run" in caplog.text


def test_whoever_asks_can_give_up(booth: Booth) -> None:
    booth.fleet.before["get_swarm_state"] = hang

    async def scene() -> bool:
        voter = booth.voter()
        asking = asyncio.create_task(voter.vote(FENCE, CANDIDATES, SNAPSHOT))
        await _until(lambda: ("get_swarm_state", {"local": True, "limit": 1}) in booth.fleet.asked)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await _until(lambda: not voter._patience._left)
        return asking.cancelled()

    assert booth.run(scene())


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        for _ in range(1_000_000):
            if holds():
                return
            await asyncio.sleep(0)
