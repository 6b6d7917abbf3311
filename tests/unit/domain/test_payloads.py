"""What devices send is what gateways and model servers take."""

from dataclasses import replace
from random import Random

import pytest

from edgemind.domain.device_mixes import EVERYDAY, HEALTHCARE, Activity, Call
from edgemind.domain.payloads import FRAME_BYTES, demand_headers, payload_of
from edgemind.entrypoints.gateway.apis import INFER, OPENAI_APIS, read_model
from edgemind.entrypoints.model_server.oip_bodies import infer_request


def activity(call: Call) -> Activity:
    return replace(EVERYDAY[0], call=call, model="some-model")


@pytest.mark.parametrize("call", list(Call))
def test_a_gateway_takes_the_body_and_finds_the_model(call: Call) -> None:
    payload = payload_of(activity(call), Random(1))
    length = dict(payload.headers).get("inference-header-content-length")
    json_length = int(length) if length else None
    api = OPENAI_APIS.get(payload.path)
    if api is None:
        assert payload.path == "/v2/models/some-model/infer"
        assert read_model(INFER, payload.body, "some-model", json_length) == "some-model"
        infer_request(payload.body, length.encode() if length else None)
    else:
        assert read_model(api, payload.body, None, json_length) == "some-model"


def test_a_frame_has_the_size_of_one() -> None:
    payload = payload_of(activity(Call.FRAME), Random(1))
    assert len(payload.body) - int(dict(payload.headers)["inference-header-content-length"]) == FRAME_BYTES


@pytest.mark.parametrize("call", list(Call))
def test_equal_randomness_gives_equal_bytes(call: Call) -> None:
    assert payload_of(activity(call), Random(7)) == payload_of(activity(call), Random(7))


def test_only_streams_ask_for_one() -> None:
    assert b'"stream": true' in payload_of(activity(Call.CHAT_STREAM), Random(1)).body
    assert b"stream" not in payload_of(activity(Call.CHAT), Random(1)).body


def test_headers_tell_the_demand() -> None:
    vital_signs = HEALTHCARE[0]
    assert dict(demand_headers(vital_signs, None)) == {
        "x-edgemind-deadline-ms": "500",
        "x-edgemind-device-class": "iot",
        "x-edgemind-priority": "high",
        "x-edgemind-residency": "de",
    }
    assert ("x-edgemind-session", "s-1") in demand_headers(EVERYDAY[1], "s-1")
    assert "x-edgemind-residency" not in dict(demand_headers(EVERYDAY[1], None))
