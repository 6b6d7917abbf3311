"""Between sites: two gateways, and a third site whose gateway is a fake that shows what it is sent."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import SITE_TOKEN, FleetFolder, GatewayProcess, fleet_document, free_ports
from tests.support.house import House
from tests.support.wire import Answer

INTERNALS = {
    "x-edgemind-forwarded-by": "site-b",
    "x-edgemind-load": "0;0;0",
    "x-edgemind-site": "site-z",
    "x-edgemind-reason": "forged",
    "x-edgemind-predicted-ms": "0",
    "x-edgemind-anything": "else",
    "x-request-id": "forged",
    "x-simulated-service-ms": "1",
}
SECRETS = {"cookie": "session=1", "proxy-authorization": "Basic x", "x-api-key": "k", "x-session-id": "s"}


@dataclass(frozen=True, slots=True)
class Pair:
    """`here` serves devices at site A; `there` is site B's gateway."""

    here: House
    there: House


@pytest.fixture(scope="module")
def pair(upstreams: FakeUpstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    ports = free_ports(4)

    def models(place: str, *groups: str) -> list[dict[str, object]]:
        return [
            {
                "name": f"{group}-{number}",
                "base_url": upstreams.url(place),
                "slots": 4,
                "service_ms": 20,
                "key": f"file:{place}.key",
            }
            for group in groups
            for number in range(20)
        ]

    def site(name: str, number: int, zone: str) -> dict[str, object]:
        gateway, admin = (f"http://127.0.0.1:{port}" for port in ports[2 * number : 2 * number + 2])
        return {"name": name, "zones": [zone], "gateway": gateway, "admin": admin}

    document = fleet_document(
        [
            site("site-a", 0, "de") | {"models": models("a", "only-a", "both", "spied-and-a")},
            site("site-b", 1, "fr") | {"models": models("b", "only-b", "both")},
            {"name": "site-c", "gateway": upstreams.url("c"), "models": models("d", "spied", "spied-and-a")},
        ],
        limits={"drain_s": 0},
    )
    path = tmp_path_factory.mktemp("pair")
    for place in ("a", "b", "d"):
        (path / f"{place}.key").write_text(f"key-of-upstream-{place}-0123456789")
    folder = FleetFolder(path, document)
    keys = {"demo": folder.new_key("demo")}
    with GatewayProcess(folder, "site-a") as here, GatewayProcess(folder, "site-b") as there:
        yield Pair(House(here, folder, upstreams, keys), House(there, folder, upstreams, keys))


def as_neighbour(house: House, model: str, token: str = SITE_TOKEN, **options: object) -> Answer:
    """A request as another site's gateway sends it: no key of a device."""
    call = house.call(model, headers={"x-edgemind-site-token": token, "x-edgemind-forwarded-by": "site-a"}, **options)  # type: ignore[arg-type]
    del call.headers["authorization"]
    return house.ask(call)


def test_a_request_runs_at_the_neighbour_that_has_the_model(pair: Pair) -> None:
    call = pair.here.call(pair.here.model("only-b"))
    answer = pair.here.ask(call)
    assert (answer.status, answer["x-edgemind-site"], answer["x-edgemind-reason"]) == (200, "site-b", "table")
    assert answer["x-request-id"].startswith("dec-site-a-0-")
    assert [len(answer.all(name)) for name in ("x-request-id", "x-edgemind-site", "x-edgemind-reason", "date")] == [
        1
    ] * 4
    assert not answer.has("x-edgemind-load"), "load is news for sites, not for devices"
    (seen,) = pair.here.upstreams.seen(call.marker)
    assert (seen.upstream, seen.body) == ("b", call.body)
    told = pair.there.explain(Answer(200, [("x-request-id", str(seen.header("x-request-id")))], b""))
    assert (told["tenant"], told["chosen"], told["status"]) == ("(from site-a)", "site-b", 200)


def test_streams_pass_through_two_gateways_chunk_by_chunk(pair: Pair) -> None:
    call = pair.here.call(pair.here.model("only-b"), fake={"b": {"do": "sse", "gated": True}}, stream=True)
    with pair.here.begin(call) as wire:
        for number in range(3):
            pair.here.upstreams.release(call.marker)
            if number == 0:
                assert wire.head()[0] == 200
            chunk = wire.chunk()
            assert chunk is not None
            assert f"word{number}".encode() in chunk
    assert pair.here.upstreams.wait_outcome(call.marker) in {"answered", "left"}


def test_a_hang_up_is_passed_on_to_the_last_server(pair: Pair) -> None:
    call = pair.here.call(pair.here.model("only-b"), fake={"b": {"do": "hang"}})
    wire = pair.here.begin(call)
    pair.here.upstreams.wait_seen(call.marker)
    wire.close()
    assert pair.here.upstreams.wait_outcome(call.marker) == "left"


def test_a_forwarded_request_is_served_here_or_refused_and_never_passed_on(pair: Pair) -> None:
    answer = as_neighbour(pair.there, pair.there.model("only-a"))
    assert (answer.status, answer.error["code"]) == (503, "no_healthy_candidate")
    told = pair.there.explain(answer)
    assert told["candidates"] == []
    assert told["exclusions"] == [{"site": "site-a", "why": "already forwarded once"}]


@pytest.mark.parametrize("fake", [{"do": "die"}, {"status": 503}])
def test_a_forwarded_request_that_fails_there_is_retried_by_its_ingress_only(
    pair: Pair, fake: dict[str, object]
) -> None:
    model = pair.here.model("both")
    call = pair.here.call(
        model, fake={"b": fake}, headers={"x-edgemind-forwarded-by": "site-a", "x-edgemind-site-token": SITE_TOKEN}
    )
    answer = pair.there.ask(call)
    assert answer.status in {502, 503}
    assert pair.there.reached(call.marker) == ["b"]


def test_a_neighbour_that_refuses_is_no_broken_neighbour(pair: Pair) -> None:
    model = pair.here.model("spied-and-a")
    for _ in range(5):
        call = pair.here.call(
            model, fake={"a": {"do": "die"}, "c": {"status": 503, "headers": {"x-edgemind-load": "4;4;20"}}}
        )
        assert pair.here.ask(call).status in {502, 503}
    assert pair.here.gateway.load(model, "site-c")["circuit"] == "closed"


@pytest.mark.parametrize("token", ["", "guessed", SITE_TOKEN[:-1], SITE_TOKEN + "0", "\xff"])
def test_a_wrong_site_token_is_401(pair: Pair, token: str) -> None:
    answer = as_neighbour(pair.there, pair.there.model("only-b"), token)
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


def test_what_a_client_claims_about_sites_counts_for_nothing(pair: Pair) -> None:
    """Were `forwarded-by` believed without the site token, a device's request would skip its tenant's limits."""
    call = pair.here.call(pair.here.model("only-b"), headers=INTERNALS | SECRETS)
    answer = pair.here.ask(call)
    assert (answer.status, answer["x-edgemind-site"]) == (200, "site-b")
    assert pair.here.explain(answer)["tenant"] == "demo"


def test_nothing_of_ours_and_no_secret_reaches_a_model_server(pair: Pair) -> None:
    wanted = {
        "content-type": "application/json; charset=utf-8",
        "accept": "text/event-stream",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=b",
    }
    ours = {"x-edgemind-deadline-ms": "9000", "x-edgemind-priority": "high", "x-edgemind-session": "s1"}
    for model in (pair.here.model("only-a"), pair.here.model("only-b")):
        call = pair.here.call(model, headers=INTERNALS | SECRETS | ours | wanted | {"x-edgemind-device-class": "xr"})
        answer = pair.here.ask(call)
        assert answer.status == 200
        (seen,) = pair.here.upstreams.seen(call.marker)
        names = [name for name, _ in seen.headers]
        assert not [name for name in names if name.startswith("x-edgemind") or name in SECRETS], names
        assert {name: seen.header(name) for name in wanted} == wanted
        assert seen.header("authorization") == f"Bearer key-of-upstream-{seen.upstream}-0123456789"
        assert names.count("authorization") == names.count("content-length") == names.count("host") == 1
        assert seen.header("host") == pair.here.upstreams.url(seen.upstream).removeprefix("http://")
        assert (
            seen.header(
                "x-request-id",
            )
            != "forged"
        )
        assert pair.here.key not in str(seen.headers)


def test_a_neighbour_gets_the_token_what_is_left_of_the_deadline_and_the_constraints(pair: Pair) -> None:
    sent = {"x-edgemind-deadline-ms": "9000", "x-edgemind-priority": "low", "x-edgemind-device-class": "iot"}
    call = pair.here.call(pair.here.model("spied"), headers=sent | INTERNALS | SECRETS)
    assert pair.here.ask(call).status == 200
    (seen,) = pair.here.upstreams.seen(call.marker)
    assert (seen.header("x-edgemind-site-token"), seen.header("x-edgemind-forwarded-by")) == (SITE_TOKEN, "site-a")
    assert (seen.header("x-edgemind-priority"), seen.header("x-edgemind-device-class")) == ("low", "iot")
    assert 0 < float(str(seen.header("x-edgemind-deadline-ms"))) <= 9000
    names = [name for name, _ in seen.headers]
    assert names.count("x-edgemind-forwarded-by") == names.count("x-edgemind-deadline-ms") == 1
    assert not {"authorization", "x-edgemind-load", "x-edgemind-site", *SECRETS} & set(names)


def test_residency_goes_with_a_forwarded_request(pair: Pair) -> None:
    call = pair.here.call(pair.here.model("both"), headers={"x-edgemind-residency": "fr"})
    answer = pair.here.ask(call)
    assert (answer.status, answer["x-edgemind-site"]) == (200, "site-b")
    refused = as_neighbour(pair.there, pair.there.model("only-b"))
    assert refused.status == 200


def test_an_answer_between_sites_carries_the_load(pair: Pair) -> None:
    answer = as_neighbour(pair.there, pair.there.model("only-b"))
    in_flight, slots, service_ms = answer["x-edgemind-load"].split(";")
    assert (int(in_flight), int(slots)) == (0, 4) or int(in_flight) == 1
    assert 0 < float(service_ms) <= 20.0
    shed = as_neighbour(pair.there, pair.there.model("only-a"))
    assert shed["x-edgemind-load"] == "0;0;0.000"


def test_the_load_of_a_neighbours_answer_is_learned(pair: Pair) -> None:
    model = pair.here.model("spied")
    call = pair.here.call(model, fake={"c": {"headers": {"x-edgemind-load": "3;6;50.5"}}})
    assert pair.here.ask(call).status == 200
    row = pair.here.gateway.load(model, "site-c")
    # The answer was written while this request still counted at the neighbour; it has been taken back since.
    assert row["in_flight"] in {2, 3}
    assert (row["slots"], row["service_ms"]) == (6, 50.5)


@pytest.mark.parametrize(
    "load", ["", "x;y;z", "1", "1;2", "nan;2;3", "1;2;inf", "-1;2;3", "1;-2;3", "1;99999999;0", "1;2;-3"]
)
def test_a_load_header_that_makes_no_sense_is_ignored(pair: Pair, load: str) -> None:
    model = pair.here.model("spied")
    call = pair.here.call(model, fake={"c": {"headers": {"x-edgemind-load": load}}})
    assert pair.here.ask(call).status == 200
    row = pair.here.gateway.load(model, "site-c")
    assert (row["in_flight"], row["slots"], row["service_ms"]) == (0, 4, 20.0)


def test_another_sites_gateway_that_is_gone_is_noticed_with_the_first_request(pair: Pair) -> None:
    first, second = pair.here.model("spied-and-a"), pair.here.model("spied")
    pair.here.upstreams.stop("c")
    try:
        busy = [pair.here.call(first, fake={"a": {"gated": True}}) for _ in range(6)]
        wires = [pair.here.begin(call) for call in busy]
        for call, wire in zip(busy, wires, strict=True):
            pair.here.upstreams.wait_seen(call.marker)
            pair.here.upstreams.release(call.marker)
            assert wire.answer().status == 200, "what would have spilled to the dead site is served here"
            wire.close()
        assert pair.here.chat(second).status in {502, 503}
        assert pair.here.gateway.load(second, "site-c")["circuit"] in {"open", "half_open"}
    finally:
        pair.here.upstreams.start("c")
