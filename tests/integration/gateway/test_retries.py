"""What is tried again and what is not, and how an upstream that fails is left alone and taken back."""

import json

import pytest

from tests.integration.gateway.conftest import REPLAY_BYTES
from tests.support.gateway_process import eventually
from tests.support.house import House
from tests.support.wire import ask


@pytest.mark.parametrize(
    "fake",
    [
        {"do": "die"},
        {"do": "die", "when": "head"},
        {"do": "die", "when": "head", "framing": "sse"},
        {"status": 500 + 2},
        {"status": 503, "headers": {"retry-after": "9"}},
        {"status": 504},
        {"status": 429},
        {"do": "raw", "text": "nonsense\r\n\r\n"},
        {"do": "raw", "text": "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"},
        {"do": "raw", "text": "HTTP/1.1 200 OK\r\nx: ", "size": 70_000},
        {"do": "raw", "text": "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc"},
        {"do": "raw", "text": "HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\nok"},
    ],
    ids=[
        "closed",
        "head",
        "sse-head",
        "502",
        "503",
        "504",
        "429",
        "not-http",
        "101",
        "huge-head",
        "two-lengths",
        "999",
    ],
)
def test_a_failure_before_the_first_byte_is_hidden_by_one_retry(house: House, fake: dict[str, object]) -> None:
    call = house.call(house.model("duo"), fake={"a": fake})
    answer = house.ask(call)
    assert (answer.status, answer["x-edgemind-site"], answer["x-edgemind-reason"]) == (200, "site-b", "retry")
    assert house.reached(call.marker) == ["a", "b"]
    assert [attempt["site"] for attempt in house.explain(answer)["attempts"]] == ["site-a", "site-b"]


def test_there_is_one_retry_and_no_second(house: House) -> None:
    call = house.call(house.model("trio"), fake={"a": {"do": "die"}, "b": {"do": "die"}})
    answer = house.ask(call)
    assert (answer.status, answer.error["code"]) == (502, "upstream_failed")
    assert answer["retry-after"] == "1"
    assert answer["x-edgemind-site"] == "site-b"
    assert house.reached(call.marker) == ["a", "b"]


def test_a_retry_may_go_to_the_cloud(house: House) -> None:
    call = house.call(house.model("slow-with-cloud"), fake={"a": {"do": "die"}})
    answer = house.ask(call)
    assert (answer.status, answer["x-edgemind-site"]) == (200, "cloud")


def test_the_last_refusal_is_relayed_as_it_is(house: House) -> None:
    call = house.call(house.model("duo"), fake={"*": {"status": 503, "headers": {"retry-after": "7", "x-own": "yes"}}})
    answer = house.ask(call)
    assert (answer.status, answer["retry-after"], answer["x-own"]) == (503, "7", "yes")
    assert answer.json()["upstream"] == "b"


@pytest.mark.parametrize("status", [400, 404, 422, 500, 501, 599])
def test_a_model_servers_own_word_is_relayed_and_not_tried_again(house: House, status: int) -> None:
    call = house.call(house.model("duo"), fake={"*": {"status": status}})
    answer = house.ask(call)
    assert (answer.status, answer.json()["upstream"]) == (status, "a")
    assert house.reached(call.marker) == ["a"]


def test_a_refused_connection_is_retried_elsewhere_and_ejects_at_once(house: House) -> None:
    """Every model at the address is left alone, too: there is nothing to be found out one by one."""
    first, second = house.model("fragile"), house.model("fragile")
    house.upstreams.stop("d")
    try:
        answer = house.chat(first)
        assert (answer.status, answer["x-edgemind-site"], answer["x-edgemind-reason"]) == (200, "site-b", "retry")
        assert house.gateway.load(second, "site-a")["circuit"] == "open"
        assert house.chat(second)["x-edgemind-reason"] == "table"
    finally:
        house.upstreams.start("d")
    for model in (first, second):
        wait_half_open(house, model)
        assert house.chat(model, headers={"x-edgemind-residency": "de"}).status == 200
        assert house.gateway.load(model, "site-a")["circuit"] == "closed"


def test_a_body_larger_than_the_replay_buffer_is_not_retried(house: House) -> None:
    call = house.call(house.model("duo"), fake={"a": {"do": "die"}}, pad="x" * REPLAY_BYTES)
    answer = house.ask(call)
    assert (answer.status, answer.error["code"]) == (502, "upstream_failed")
    assert house.reached(call.marker) == ["a"]
    smaller = house.call(house.model("duo"), fake={"a": {"do": "die"}}, pad="x" * (REPLAY_BYTES // 2))
    assert house.ask(smaller).status == 200


def test_bodies_held_for_a_retry_are_bounded_together(house: House) -> None:
    """Four of them fill the process's replay buffer; the fifth is served, but not retried."""
    holding = [
        house.call(house.model("solo"), fake={"a": {"gated": True}}, pad="x" * (REPLAY_BYTES - 500)) for _ in range(4)
    ]
    wires = [house.begin(call) for call in holding]
    for call in holding:
        house.upstreams.wait_seen(call.marker)
    fifth = house.call(house.model("duo"), fake={"a": {"do": "die"}}, pad="x" * (REPLAY_BYTES - 500))
    assert house.ask(fifth).status == 502
    for call, wire in zip(holding, wires, strict=True):
        house.upstreams.release(call.marker)
        assert wire.answer().status == 200
        wire.close()
    sixth = house.call(house.model("duo"), fake={"a": {"do": "die"}}, pad="x" * (REPLAY_BYTES - 500))
    assert house.ask(sixth).status == 200, "what was held is given back"


def test_what_is_left_of_the_deadline_must_suffice_for_a_retry(house: House) -> None:
    """Site B would take 25 ms at least; of 26 ms the first attempt has used up more than one by the time it fails."""
    call = house.call(house.model("duo"), fake={"a": {"do": "die"}}, headers={"x-edgemind-deadline-ms": "25"})
    answer = house.ask(call)
    assert (answer.status, answer.error["code"]) == (502, "upstream_failed")
    assert house.reached(call.marker) == ["a"]


def test_an_upstream_that_is_silent_too_long_has_failed(strict: House) -> None:
    call = strict.call(strict.model("solo"), fake={"a": {"do": "hang"}})
    answer = strict.ask(call)
    assert (answer.status, answer.error["code"]) == (502, "upstream_failed")
    assert strict.upstreams.wait_outcome(call.marker) == "left"


def test_a_stale_kept_connection_is_not_a_failure(house: House) -> None:
    """The server closes its idle connections just before each request: none may notice."""
    model = house.model("solo")
    for _ in range(20):
        house.upstreams.close_connections("a")
        assert house.chat(model).status == 200
    assert house.gateway.load(model)["circuit"] == "closed"


def test_a_request_that_kills_its_connection_does_not_go_through_all_that_are_kept(house: House) -> None:
    model = house.model("solo")
    together = [
        house.call(model, fake={"a": {"gated": True}}, headers={"x-edgemind-priority": "high"}) for _ in range(8)
    ]
    wires = [house.begin(call) for call in together]
    for call in together:
        house.upstreams.wait_seen(call.marker)
    for call, wire in zip(together, wires, strict=True):
        house.upstreams.release(call.marker)
        assert wire.answer().status == 200
        wire.close()
    poison = house.call(model, fake={"a": {"do": "die"}})
    assert house.ask(poison).status == 502
    assert house.upstreams.count(poison.marker) <= 2


# Ejection


def test_three_failures_in_a_row_eject_and_one_success_after_a_trial_takes_back(house: House) -> None:
    model = house.model("duo")
    for _ in range(3):
        assert house.gateway.load(model, "site-a")["circuit"] == "closed"
        assert house.chat(model, fake={"a": {"status": 500}}).status == 500
    assert house.gateway.load(model, "site-a")["circuit"] == "open"
    assert house.gateway.metrics()[f"edgemind_gateway_ejected{{{model},site-a}}"] == 1
    answer = house.chat(model)
    assert answer["x-edgemind-site"] == "site-b"
    assert {"site": "site-a", "why": "ejected after failures"} in house.explain(answer)["exclusions"]
    wait_half_open(house, model)
    trial = house.call(model, fake={"a": {"gated": True}})
    with house.begin(trial) as wire:
        house.upstreams.wait_seen(trial.marker)
        assert house.gateway.load(model, "site-a")["circuit"] == "trial"
        assert house.chat(model)["x-edgemind-site"] == "site-b", "one trial at a time"
        house.upstreams.release(trial.marker)
        assert wire.answer()["x-edgemind-site"] == "site-a"
    assert house.gateway.load(model, "site-a")["circuit"] == "closed"


def test_a_failed_trial_ejects_again_and_a_left_one_may_be_tried_again(house: House) -> None:
    model = house.model("duo")
    for _ in range(3):
        house.chat(model, fake={"a": {"status": 500}})
    wait_half_open(house, model)
    left = house.call(model, fake={"a": {"do": "hang"}})
    wire = house.begin(left)
    house.upstreams.wait_seen(left.marker)
    wire.close()
    wait_half_open(house, model)
    assert house.chat(model, fake={"a": {"status": 500}}).status == 500
    assert house.gateway.load(model, "site-a")["circuit"] == "open"


def test_with_everybody_ejected_the_request_is_shed_with_a_time_to_come_back(house: House) -> None:
    model = house.model("solo")
    for _ in range(3):
        house.chat(model, fake={"a": {"do": "die"}})
    call = house.call(model)
    answer = house.ask(call)
    assert (answer.status, answer.error["code"]) == (503, "no_healthy_candidate")
    assert int(answer["retry-after"]) >= 1
    assert not house.upstreams.seen(call.marker)


# What an answer says about the model server


def test_quick_errors_do_not_make_a_server_look_fast(house: House) -> None:
    model = house.model("duo")
    for _ in range(30):
        assert house.chat(model, fake={"*": {"status": 422}}).status == 422
    assert house.gateway.load(model, "site-a")["service_ms"] == 20.0
    assert house.gateway.load(model, "site-a")["circuit"] == "closed"


def test_nothing_is_left_in_flight_whatever_happens(house: House) -> None:
    model = house.model("duo")
    for fake in (
        {"do": "die"},
        {"do": "die", "when": "body"},
        {"status": 503},
        {"do": "raw", "text": "x"},
        {"status": 204},
    ):
        with house.begin(house.call(model, fake={"*": fake})) as wire:
            wire.answer()
    for site in ("site-a", "site-b"):
        row = house.gateway.load(model, site)
        assert (row["own"], row["in_flight"]) == (0, 0)


def test_the_body_goes_upstream_as_it_came(house: House) -> None:
    model = house.model("solo")
    odd = json.dumps(
        {"model": model, "marker": "odd-spacing", "messages": [{"role": "user", "content": "\u00e9"}]}, indent=3
    )
    raw = odd.encode().replace(b"\\u00e9", "é".encode())
    call = house.call(model)
    assert ask(house.gateway.port, "POST", call.path, raw, call.headers).status == 200
    assert house.upstreams.seen("odd-spacing")[0].body == raw


def wait_half_open(house: House, model: str) -> None:
    eventually("half-open", lambda: house.gateway.load(model, "site-a")["circuit"] == "half_open")
