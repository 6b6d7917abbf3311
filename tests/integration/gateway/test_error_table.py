"""Every row of the error table of the gateway's API, over real HTTP."""

import json
from typing import Any

import pytest

from tests.integration.gateway.conftest import MAX_BODY_BYTES
from tests.support.house import CHAT, House
from tests.support.wire import Answer, ask, request_bytes

MESSAGES = [{"role": "user", "content": "hi"}]
TENSOR = {"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0]}


def refused(answer: Answer, status: int, code: str, param: str | None = None) -> str:
    """Check a refusal in OpenAI's shape; its message."""
    assert answer.status == status, answer
    assert answer.error["code"] == code
    assert answer.error["param"] == param
    message: str = answer.error["message"]
    assert message
    return message


def post(house: House, path: str, body: bytes, **headers: str) -> Answer:
    return ask(house.gateway.port, "POST", path, body, {"authorization": f"Bearer {house.key}", **headers})


# Not JSON, no model, wrong types


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        (b"{", None, "not valid JSON"),
        (b"\xff\xfe", None, "not valid JSON"),
        (b"", None, "not valid JSON"),
        (b'{"model": "\x00"}', None, "not valid JSON"),
        (b"[" * 10_000, None, "not valid JSON"),
        (b"[]", None, "JSON object"),
        (b"{}", "model", "'model'"),
        (b'{"model": ""}', "model", "'model'"),
        (b'{"model": 7}', "model", "'model'"),
        (b'{"model": "solo-0"}', "messages", "'messages'"),
        (b'{"model": "solo-0", "messages": []}', "messages", "non-empty"),
        (b'{"model": "solo-0", "messages": [{"role": "user"}, 3]}', "messages[1]", "'role'"),
        (b'{"model": "solo-0", "messages": [{"role": 1}]}', "messages[0]", "'role'"),
        (b'{"model": "solo-0", "messages": [{"role": "user"}], "stream": "yes"}', "stream", "true or false"),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, bytes) else "",
)
def test_a_wrong_body_is_refused_and_the_field_is_named(
    house: House, body: bytes, param: str | None, says: str
) -> None:
    answer = post(house, CHAT, body, **({} if body else {"content-length": "0"}))
    assert says in refused(answer, 400, "invalid_value", param)
    assert answer.error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("path", "document", "param"),
    [
        ("/v1/completions", {"model": "solo-0"}, "prompt"),
        ("/v1/completions", {"model": "solo-0", "prompt": {}}, "prompt"),
        ("/v1/embeddings", {"model": "solo-0"}, "input"),
        ("/v1/embeddings", {"model": "solo-0", "input": 4}, "input"),
        ("/v2/models/solo-0/infer", {}, "inputs"),
        ("/v2/models/solo-0/infer", {"inputs": []}, "inputs"),
        ("/v2/models/solo-0/infer", {"inputs": [TENSOR, {"name": "y"}]}, "inputs[1]"),
    ],
)
def test_each_api_checks_its_own_fields(house: House, path: str, document: dict[str, Any], param: str) -> None:
    refused(post(house, path, json.dumps(document).encode()), 400, "invalid_value", param)


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "9" * 13])
def test_a_wrong_length_of_the_json_part_names_its_header(house: House, length: str) -> None:
    name = "inference-header-content-length"
    body = json.dumps({"inputs": [TENSOR]}).encode()
    assert name in refused(post(house, "/v2/models/solo-0/infer", body, **{name: length}), 400, "invalid_value", name)


# Unknown model


def test_an_unknown_model_lists_those_it_could_have_meant(house: House) -> None:
    message = refused(house.chat("two-speeds-l"), 404, "model_not_found", "model")
    assert message.count("'two-speeds-") == 4


def test_suggestions_never_name_what_the_tenant_may_not_use(house: House) -> None:
    key = house.keys["narrow"]
    message = refused(house.chat("two-speeds-l", key=key), 404, "model_not_found", "model")
    assert "two-speeds-1" not in message
    assert "one-slot" not in message
    assert "solo-" in message


def test_a_model_of_the_open_inference_protocol_is_looked_up_as_well(house: House) -> None:
    body = json.dumps({"inputs": [TENSOR]}).encode()
    refused(post(house, "/v2/models/nonesuch/infer", body), 404, "model_not_found", "model")
    refused(post(house, "/v2/models/..%2f..%2fetc/infer", body), 404, "model_not_found", "model")


# No or wrong key


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer em_00000000_" + "a" * 32,
        "Basic em_00000000_" + "a" * 32,
        "Bearer " + "x" * 9000,
        "\xff",
    ],
)
def test_without_a_good_key_it_is_401(house: House, authorization: str | None) -> None:
    call = house.call(house.model("solo"))
    headers = {"content-type": "application/json"} | ({} if authorization is None else {"authorization": authorization})
    answer = ask(house.gateway.port, "POST", CHAT, call.body, headers)
    refused(answer, 401, "invalid_api_key")
    assert answer.error["type"] == "authentication_error"
    assert answer["www-authenticate"] == "Bearer"
    assert not house.upstreams.seen(call.marker)


def test_a_wrong_site_token_is_401_even_beside_a_good_key(house: House) -> None:
    call = house.call(
        house.model("solo"), headers={"x-edgemind-site-token": "guessed", "x-edgemind-forwarded-by": "site-b"}
    )
    refused(house.ask(call), 401, "invalid_api_key")
    assert not house.upstreams.seen(call.marker)


def test_a_key_without_right_to_the_model_is_403(house: House) -> None:
    key = house.keys["narrow"]
    assert house.chat(house.model("solo"), key=key).status == 200
    call = house.call(house.model("duo"), key=key)
    answer = house.ask(call)
    refused(answer, 403, "model_forbidden", "model")
    assert answer.error["type"] == "permission_error"
    assert not house.upstreams.seen(call.marker)


# Body over the limit


def test_a_body_that_says_it_is_too_large_is_413_at_once_and_goes_nowhere(house: House) -> None:
    call = house.call(house.model("solo"))
    headers = call.headers | {"content-length": str(MAX_BODY_BYTES + 1)}
    with house.wire() as wire:
        wire.send(request_bytes("POST", CHAT, call.body, headers))
        answer = wire.answer()
        refused(answer, 413, "body_too_large")
        assert answer["connection"] == "close"
        assert str(MAX_BODY_BYTES) in answer.error["message"]
    assert not house.upstreams.seen(call.marker)


def test_large_bodies_that_do_not_fit_together_are_503_until_there_is_room(strict: House) -> None:
    call = strict.call("solo-0", pad="x" * 120_000)
    with strict.wire() as first:
        first.send(call.raw[:1000])
        with strict.wire() as second:
            second.send(call.raw[:1000])
            answer = second.answer()
            refused(answer, 503, "too_many_bodies")
            assert answer["retry-after"] == "1"
        assert strict.chat("solo-0").status == 200, "small ones always fit"
        first.send(call.raw[1000:])
        assert first.answer().status == 200
    assert strict.ask(call).status == 200


def test_more_values_than_may_be_parsed_are_413(strict: House) -> None:
    answer = strict.chat("solo-0", pad=[0] * 1001)
    assert "1000 values" in refused(answer, 413, "too_many_values")


def test_the_413_of_a_chunked_body_arrives_though_the_client_goes_on_sending(house: House) -> None:
    call = house.call(house.model("solo"))
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent = 0
    with house.wire() as wire:
        wire.send(request_bytes("POST", CHAT, b"", call.headers | {"transfer-encoding": "chunked"}))
        while sent <= MAX_BODY_BYTES + 10 * len(chunk):
            sent += wire.send_part(chunk)
        refused(wire.answer(), 413, "body_too_large")
    assert not house.upstreams.seen(call.marker)


def test_a_body_of_exactly_the_limit_is_served(house: House) -> None:
    call = house.call(house.model("solo"), pad="")
    padded = call.body.replace(b'"pad": ""', b'"pad": "' + b"x" * (MAX_BODY_BYTES - len(call.body)) + b'"')
    assert len(padded) == MAX_BODY_BYTES
    assert ask(house.gateway.port, "POST", CHAT, padded, call.headers).status == 200


# Headers that make no sense


@pytest.mark.parametrize(
    "deadline", ["soon", "", "0", "-5", "nan", "inf", "1e99", "600001", "0x10", "1" * 5000, "\xff"]
)
def test_an_absurd_deadline_is_400_and_names_its_header(house: House, deadline: str) -> None:
    name = "x-edgemind-deadline-ms"
    call = house.call(house.model("solo"), headers={name: deadline})
    assert name in refused(house.ask(call), 400, "invalid_value", name)
    assert not house.upstreams.seen(call.marker)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-edgemind-priority", "urgent"),
        ("x-edgemind-priority", ""),
        ("x-edgemind-device-class", "fridge"),
        ("x-edgemind-residency", ""),
        ("x-edgemind-residency", ", ,"),
        ("x-edgemind-residency", "d e"),
        ("x-edgemind-residency", "<script>"),
        ("x-edgemind-residency", "z" * 65),
        ("x-edgemind-residency", "de," * 400),
        ("x-edgemind-session", "s" * 300),
        ("x-session-id", "s" * 300),
    ],
)
def test_any_other_absurd_header_is_400_and_named(house: House, name: str, value: str) -> None:
    call = house.call(house.model("solo"), headers={name: value})
    assert name in refused(house.ask(call), 400, "invalid_value", name)
    assert not house.upstreams.seen(call.marker)


# Tenant over its rate


def test_over_its_rate_a_tenant_is_told_how_long_to_wait(house: House) -> None:
    key = house.keys["hurried"]
    model = house.model("solo")
    answers = [house.chat(model, key=key) for _ in range(4)]
    limited = [answer for answer in answers if answer.status == 429]
    assert [answer.status for answer in answers[-2:]] == [429, 429], "the burst is two, and one token takes 100 s"
    answer = limited[0]
    refused(answer, 429, "rate_limit_exceeded")
    assert answer.error["type"] == "rate_limit_error"
    assert 0 < int(answer["retry-after"]) <= 100
    assert (answer["x-ratelimit-limit-requests"], answer["x-ratelimit-remaining-requests"]) == ("2", "0")
    assert answer["x-ratelimit-reset-requests"].endswith("s")
    assert not answer.has("x-should-retry")
    assert house.chat(model).status == 200, "another tenant is not its neighbour's victim"


# No candidate in the residency


@pytest.mark.parametrize("zones", ["fr", "jp", "jp, us"])
def test_a_residency_without_candidate_is_403_and_never_sent_elsewhere(house: House, zones: str) -> None:
    call = house.call(house.model("solo"), headers={"x-edgemind-residency": zones})
    answer = house.ask(call)
    refused(answer, 403, "residency_unsatisfiable", "x-edgemind-residency")
    assert answer["x-should-retry"] == "false"
    assert not house.upstreams.seen(call.marker)


def test_a_residency_whose_site_dies_is_not_served_outside_it_either(house: House) -> None:
    model = house.model("duo")
    call = house.call(model, fake={"*": {"do": "die"}}, headers={"x-edgemind-residency": "de"})
    assert house.ask(call).status == 502
    assert set(house.reached(call.marker)) == {"a"}


def test_a_tenant_bound_to_a_zone_stays_there_and_cannot_ask_for_another(house: House) -> None:
    key = house.keys["german"]
    far = house.call(house.model("far"), key=key)
    refused(house.ask(far), 403, "residency_unsatisfiable", "x-edgemind-residency")
    abroad = house.call(house.model("duo"), key=key, headers={"x-edgemind-residency": "fr"})
    message = refused(house.ask(abroad), 403, "residency_unsatisfiable", "x-edgemind-residency")
    assert "de" in message
    both = house.call(house.model("duo"), key=key, headers={"x-edgemind-residency": "fr, de"})
    assert house.ask(both)["x-edgemind-site"] == "site-a"
    assert not house.upstreams.seen(far.marker) + house.upstreams.seen(abroad.marker)


# An upstream that dies: more of it in test_retries.py and test_streams.py


def test_dead_before_the_first_byte_it_is_retried_once_elsewhere(house: House) -> None:
    call = house.call(house.model("duo"), fake={"a": {"do": "die"}})
    answer = house.ask(call)
    assert (answer.status, answer["x-edgemind-site"], answer["x-edgemind-reason"]) == (200, "site-b", "retry")
    assert house.reached(call.marker) == ["a", "b"]


def test_dead_after_it_a_stream_ends_with_an_error_event(house: House) -> None:
    answer = house.chat(house.model("duo"), fake={"*": {"do": "die", "when": "body", "framing": "sse"}}, stream=True)
    assert answer.status == 200
    assert answer.complete
    begun, rest = answer.body.split(b"\n\n", 1)
    assert begun == b'data: {"part": 1}'
    event = json.loads(rest.strip().removeprefix(b"data: "))
    assert event["error"]["code"] == "upstream_cut"
    assert rest.endswith(b"\n\n")
    assert b"[DONE]" not in rest


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_dead_after_it_any_other_body_is_cut_and_counted(house: House, framing: str) -> None:
    before = house.gateway.metrics()["edgemind_gateway_cut_total"]
    with house.begin(
        house.call(house.model("duo"), fake={"*": {"do": "die", "when": "body", "framing": framing}})
    ) as wire:
        answer = wire.answer()
        assert (answer.status, answer.complete) == (200, False)
        assert wire.closed()
    assert house.gateway.metrics()["edgemind_gateway_cut_total"] == before + 1


# The client hangs up; the client is slow: test_streams.py. Deadline, priority and session: test_decisions.py
