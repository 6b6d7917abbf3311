"""What every `Peers` adapter holds: the same answers, and the same errors for the same trouble."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from edgemind.adapters.http_calls import HttpCalls
from edgemind.adapters.inference.connection import ClientLimits
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.adapters.peers.http import HttpPeers
from edgemind.adapters.peers.in_process import InProcessPeers
from edgemind.domain.beacons import Beacon, ModelLoad
from edgemind.domain.swarm.envelopes import MessageNumbers, Reason, Sender
from edgemind.domain.swarm.messages import Acknowledge, Announce, Hint, Message, Wake
from edgemind.domain.swarm.records import KEEP, Action, Ballot, Candidate, CurrentRound, Fence, Outcome, RoundState
from edgemind.domain.swarm.signing import FleetKeys
from edgemind.domain.swarm.votes import ToolCall
from edgemind.entrypoints.controller.access import AccessRules
from edgemind.entrypoints.controller.agent_routes import AgentRoutes
from edgemind.entrypoints.controller.application import controller_app
from edgemind.errors import PermanentError, UpstreamFailed, UpstreamUnreachable
from edgemind.ports.peers import Peers
from edgemind.services.site_controller import SiteController
from tests.support.controllers import Metro, decision_document, metro, report, site
from tests.support.round_records import round_record
from tests.support.serving import free_port, served

TOKEN = "between-sites"
DECISION = "dec-site-b-0-0123456789abcdef"
Answer = TypeVar("Answer")
Ask = Callable[[Callable[[Peers], Awaitable[Answer]]], Answer]


def over_http(urls: dict[str, str], token: str = TOKEN, incarnation: int = 1) -> Ask[Any]:
    """Runs one conversation on a loop and connections of its own."""

    def ask(conversation: Callable[[Peers], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            calls = HttpCalls(UpstreamPools(ClientLimits()))
            sender = Sender("test", "site-a", MessageNumbers(incarnation))
            peers = HttpPeers(calls, urls, token, sender, FleetKeys([token]))
            try:
                return await conversation(peers)
            finally:
                await peers.close()

        return asyncio.run(run())

    return ask


@contextlib.contextmanager
def connected(kind: str, controller: SiteController) -> Iterator[Ask[Any]]:
    """Peers of site-a: site-b answers, site-c is down."""
    if kind == "in_process":
        peers = InProcessPeers({"site-b": controller})
        yield lambda conversation: asyncio.run(conversation(peers))  # type: ignore[arg-type]
        return
    rules = AccessRules({}, TOKEN)
    with served(controller_app(lambda: controller, lambda: rules, None, [AgentRoutes(lambda: controller)])) as url:
        yield over_http({"site-b": url, "site-c": f"http://127.0.0.1:{free_port()}"})


@pytest.fixture
def group() -> Metro:
    return Metro(metro(site("site-a"), site("site-b"), site("site-c")))


@pytest.fixture(params=["in_process", "http"])
def ask(request: pytest.FixtureRequest, group: Metro) -> Iterator[Ask[Any]]:
    with connected(request.param, group.controllers["site-b"]) as connection:
        yield connection


def test_beacons_are_exchanged(ask: Ask[Any], group: Metro) -> None:
    mine = Beacon("site-a", 5, 1, True, {"m": ModelLoad(1, 2, 3.5, False, 0.25)}, {"site-b": 1.5})
    answer = ask(lambda peers: peers.exchange("site-b", mine))

    assert answer.site == "site-b"
    assert group.controllers["site-b"].neighbourhood.neighbours["site-a"].beacon == mine


def test_many_questions_share_what_is_open(ask: Ask[Any]) -> None:
    async def talk(peers: Peers) -> list[int]:
        return [(await peers.exchange("site-b", Beacon("site-a", 5, k))).seq for k in range(5)]

    assert ask(talk) == [1, 2, 3, 4, 5]


def test_a_peer_tells_its_status(ask: Ask[Any], group: Metro) -> None:
    group.controllers["site-b"].gateways.answer(report("site-b", stats={"requests": 3}))
    assert ask(lambda peers: peers.site_status("site-b")) == group.controllers["site-b"].own_status()


def test_a_peer_tells_its_decisions_page_by_page(ask: Ask[Any], group: Metro) -> None:
    made = [decision_document(f"dec-site-b-0-{k:016x}", k) for k in range(5)]
    group.controllers["site-b"].gateways.answer(report("site-b", decisions=made))

    newest = ask(lambda peers: peers.recent_decisions("site-b", 2, None))
    older = ask(lambda peers: peers.recent_decisions("site-b", 2, (newest[-1].at_ms, newest[-1].id)))
    assert [one.at_ms for one in (*newest, *older)] == [4, 3, 2, 1]


def test_a_peer_explains_what_it_keeps(ask: Ask[Any], group: Metro) -> None:
    group.admins["site-b"].explanations[0, DECISION] = {"id": DECISION, "more": [1, None]}
    assert ask(lambda peers: peers.explain("site-b", DECISION)) == {"id": DECISION, "more": [1, None]}
    assert ask(lambda peers: peers.explain("site-b", DECISION.replace("f", "0"))) is None


def test_a_peer_tells_its_rounds_page_by_page_and_each_as_it_saw_it(ask: Ask[Any], group: Metro) -> None:
    for number in range(1, 5):
        group.journals["site-b"].keep(round_record(number, "site-b"))
    newest = ask(lambda peers: peers.recent_rounds("site-b", 2, None))
    older = ask(lambda peers: peers.recent_rounds("site-b", 2, Fence(1, 3)))
    assert [(one.fence, one.site) for one in (*newest, *older)] == [(f"1.{k}", "site-b") for k in (4, 3, 2, 1)]
    assert ask(lambda peers: peers.round("site-b", Fence(1, 3))) == round_record(3, "site-b")
    assert ask(lambda peers: peers.round("site-b", Fence(1, 9))) is None


def test_a_peer_tells_its_agents_calls_page_by_page_and_of_one_round(ask: Ask[Any], group: Metro) -> None:
    for number in range(1, 4):
        group.clock.advance(1.0)
        call = ToolCall("load_balancer", "memory_sync.get_swarm_state", {"local": True}, {"of": number}, 0.5)
        group.controllers["site-b"].agent_calls.note(call, f"1.{number}")
    newest = ask(lambda peers: peers.agent_calls("site-b", 2, None, None))
    assert newest == group.controllers["site-b"].agent_calls.page(2, None)
    older = ask(lambda peers: peers.agent_calls("site-b", 2, (newest[-1].at_ms, newest[-1].id), None))
    assert [one.fence for one in (*newest, *older)] == ["1.3", "1.2", "1.1"]
    assert [one.fence for one in ask(lambda peers: peers.agent_calls("site-b", 9, None, "1.2"))] == ["1.2"]


def test_an_older_peer_knows_no_agents_calls(group: Metro) -> None:
    rules = AccessRules({}, TOKEN)
    with (
        served(controller_app(lambda: group.controllers["site-b"], lambda: rules)) as url,
        pytest.raises(PermanentError, match="404"),
    ):
        over_http({"site-b": url})(lambda peers: peers.agent_calls("site-b", 9, None, None))


def test_a_peer_that_cannot_ask_its_worker_fails_for_now(ask: Ask[Any], group: Metro) -> None:
    group.admins["site-b"].explanations[0, DECISION] = None
    with pytest.raises(UpstreamFailed):
        ask(lambda peers: peers.explain("site-b", DECISION))


def test_a_peer_drains_and_comes_back(ask: Ask[Any], group: Metro) -> None:
    ask(lambda peers: peers.drain("site-b", True))
    assert group.controllers["site-b"].own.drain_requested
    ask(lambda peers: peers.drain("site-b", False))
    assert not group.controllers["site-b"].own.drain_requested


FENCE = Fence(1, 7)
SHIFT = Candidate(Action.SHIFT, "site-b", 50, "site-a", "detector")
SITES = ("site-a", "site-b")
MESSAGES: tuple[Message, ...] = (
    Wake("site-a", FENCE, (SHIFT, KEEP), SITES),
    Hint("site-a", CurrentRound(FENCE, RoundState.OPEN, (SHIFT, KEEP), SITES, 2, "site-a/1/1")),
    Acknowledge("site-a", Ballot(FENCE, "site-a", (SHIFT.id, KEEP.id))),
    Announce("site-a", FENCE, Outcome(SHIFT)),
)


def test_messages_of_a_round_arrive_as_they_were_sent_in_their_order(ask: Ask[Any], group: Metro) -> None:
    arrived: list[Message] = []
    group.controllers["site-b"].on_message = arrived.append

    async def talk(peers: Peers) -> None:
        for message in MESSAGES:
            await peers.tell("site-b", message)

    ask(talk)
    assert tuple(arrived) == MESSAGES


def test_a_site_that_runs_no_rounds_takes_messages_and_does_nothing(ask: Ask[Any]) -> None:
    ask(lambda peers: peers.tell("site-b", MESSAGES[0]))


def test_a_way_is_kept_open_to_whoever_is_there(ask: Ask[Any]) -> None:
    ask(lambda peers: peers.keep_open("site-b"))
    with pytest.raises(UpstreamUnreachable):
        ask(lambda peers: peers.keep_open("site-c"))


@pytest.mark.parametrize("down", ["site-c", "site-z"])
def test_a_message_to_nobody_is_told_to_the_sender(ask: Ask[Any], down: str) -> None:
    with pytest.raises(UpstreamUnreachable):
        ask(lambda peers: peers.tell(down, MESSAGES[0]))


@pytest.mark.parametrize("down", ["site-c", "site-z"])
def test_nobody_listening_is_told_from_every_other_failure(ask: Ask[Any], down: str) -> None:
    with pytest.raises(UpstreamUnreachable):
        ask(lambda peers: peers.exchange(down, Beacon("site-a", 5, 1)))


def test_a_peer_that_does_not_know_us_refuses_for_good(ask: Ask[Any]) -> None:
    with pytest.raises(PermanentError):
        ask(lambda peers: peers.exchange("site-b", Beacon("site-x", 5, 1)))


# What can only happen on a wire


def test_another_secret_is_refused_with_a_hint(group: Metro) -> None:
    rules = AccessRules({}, TOKEN)
    with served(controller_app(lambda: group.controllers["site-b"], lambda: rules)) as url:
        ask = over_http({"site-b": url}, token="wrong")
        with pytest.raises(PermanentError, match="same fleet secret"):
            ask(lambda peers: peers.exchange("site-b", Beacon("site-a", 5, 1)))


@pytest.mark.parametrize(
    ("token", "message", "reason"),
    [
        ("wrong", MESSAGES[0], Reason.FORGED),
        (TOKEN, Wake("site-c", FENCE, (KEEP,), SITES), Reason.FOREIGN),
        (TOKEN, Acknowledge("site-a", Ballot(FENCE, "site-c", (KEEP.id,))), Reason.FOREIGN),
    ],
)
def test_a_message_that_is_refused_is_counted_and_not_taken(
    group: Metro, token: str, message: Message, reason: Reason
) -> None:
    controller = group.controllers["site-b"]
    arrived: list[Message] = []
    controller.on_message = arrived.append
    rules = AccessRules({}, TOKEN)
    with (
        served(controller_app(lambda: controller, lambda: rules)) as url,
        pytest.raises(PermanentError, match=reason.value),
    ):
        over_http({"site-b": url}, token)(lambda peers: peers.tell("site-b", message))

    assert controller.links.inbox.refused == {("site-a", reason): 1}
    assert arrived == []


def test_numbers_that_were_seen_are_refused_and_a_later_start_is_not(group: Metro) -> None:
    controller = group.controllers["site-b"]
    arrived: list[Message] = []
    controller.on_message = arrived.append
    with served(controller_app(lambda: controller, lambda: AccessRules({}, TOKEN))) as url:
        for incarnation, taken in ((5, 1), (5, 1), (4, 1), (6, 2)):
            with contextlib.suppress(PermanentError):
                over_http({"site-b": url}, TOKEN, incarnation)(lambda peers: peers.tell("site-b", MESSAGES[0]))
            assert len(arrived) == taken

    assert controller.links.inbox.refused == {("site-a", Reason.REPLAYED): 2}


def test_a_body_beyond_all_bounds_is_not_read_to_its_end(group: Metro) -> None:
    controller = group.controllers["site-b"]
    rules = AccessRules({}, TOKEN)
    huge = Wake("site-a", FENCE, (*(Candidate(Action.DRAIN, "x" * 255, k) for k in range(1200)), KEEP), SITES)
    with served(controller_app(lambda: controller, lambda: rules)) as url, pytest.raises(PermanentError, match="413"):
        over_http({"site-b": url})(lambda peers: peers.tell("site-b", huge))

    assert controller.links.inbox.refused == {("unknown", Reason.TOO_LARGE): 1}


def answering(status: int, body: bytes) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": body})

    return app


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"hello", PermanentError),
        (200, b"[]", PermanentError),
        (200, b"{}", PermanentError),
        (404, b"not here", PermanentError),
        (500, b"oops", UpstreamFailed),
        (503, b"busy", UpstreamFailed),
        (429, b"slowly", UpstreamFailed),
    ],
)
def test_something_else_at_a_controllers_address(status: int, body: bytes, error: type[Exception]) -> None:
    with served(answering(status, body)) as url:
        ask = over_http({"site-b": url})
        with pytest.raises(error):
            ask(lambda peers: peers.exchange("site-b", Beacon("site-a", 5, 1)))
        with pytest.raises(error):
            ask(lambda peers: peers.site_status("site-b"))


def test_a_peer_that_never_answers_is_given_up() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    with served(silent) as url:
        ask = over_http({"site-b": url})
        with pytest.raises(UpstreamFailed, match="did not answer within"):
            ask(lambda peers: peers.exchange("site-b", Beacon("site-a", 5, 1)))


def test_an_answer_without_end_is_given_up() -> None:
    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})

    with served(endless) as url:
        ask = over_http({"site-b": url})
        with pytest.raises(UpstreamFailed):
            ask(lambda peers: peers.site_status("site-b"))
