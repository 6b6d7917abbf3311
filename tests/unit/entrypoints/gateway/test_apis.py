import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.entrypoints.gateway.apis import INFER, OPENAI_APIS, json_length, read_model
from edgemind.entrypoints.gateway.refusals import Refusal

CHAT, COMPLETIONS, EMBEDDINGS = OPENAI_APIS.values()
CHAT_BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
TENSOR = {"name": "x", "shape": [1], "datatype": "FP32"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (CHAT, CHAT_BODY),
        (CHAT, CHAT_BODY | {"stream": True, "unknown": {"field": 1}}),
        (CHAT, CHAT_BODY | {"stream": None}),
        (CHAT, CHAT_BODY | {"messages": [{"role": "tool", "content": None}, {"role": "x", "content": [{}]}]}),
        (COMPLETIONS, {"model": "m", "prompt": ""}),
        (COMPLETIONS, {"model": "m", "prompt": [1, 2]}),
        (EMBEDDINGS, {"model": "m", "input": ["a"]}),
    ],
)
def test_a_valid_body_gives_its_model(api: Any, body: dict[str, Any]) -> None:
    assert read_model(api, json.dumps(body).encode(), None, None) == "m"


def test_the_open_inference_protocol_names_the_model_in_the_path() -> None:
    body = json.dumps({"inputs": [TENSOR], "model": "ignored"}).encode()
    assert read_model(INFER, body, "from-path", None) == "from-path"


def test_binary_tensors_behind_the_json_are_left_alone() -> None:
    document = json.dumps({"inputs": [TENSOR]}).encode()
    assert read_model(INFER, document + b"\xff\x00{", "m", len(document)) == "m"
    with pytest.raises(Refusal, match="not valid JSON"):
        read_model(INFER, document + b"\xff\x00{", "m", None)
    with pytest.raises(Refusal):
        read_model(INFER, document, "m", len(document) - 1)


@pytest.mark.parametrize("field", ["messages", "model"])
@pytest.mark.parametrize("value", [None, 1, True, {}, "", []])
def test_wrong_types_name_their_field(field: str, value: object) -> None:
    with pytest.raises(Refusal) as refused:
        read_model(CHAT, json.dumps(CHAT_BODY | {field: value}).encode(), None, None)
    assert (refused.value.status, refused.value.param) == (400, field)
    assert f"'{field}'" in refused.value.message


@given(JSON, st.sampled_from([CHAT, COMPLETIONS, EMBEDDINGS, INFER]))
def test_any_json_is_either_valid_or_refused(document: object, api: Any) -> None:
    with suppress(Refusal):
        assert read_model(api, json.dumps(document).encode(), "m" if api is INFER else None, None)


@given(st.binary(max_size=60), st.none() | st.integers(0, 99))
def test_any_bytes_are_either_valid_or_refused(body: bytes, length: int | None) -> None:
    with pytest.raises(Refusal):
        read_model(CHAT, body, None, length)


@pytest.mark.parametrize(
    ("value", "refused"), [([[]] * 600, True), ([1] * 1001, True), ([1] * 900, False), ("x" * 5000, False)]
)
def test_a_body_of_more_values_than_may_be_parsed_is_413_before_it_is_parsed(value: object, refused: bool) -> None:
    body = json.dumps(CHAT_BODY | {"pad": value}).encode()
    if refused:
        with pytest.raises(Refusal, match="1000 values") as caught:
            read_model(CHAT, body + b"not JSON", None, None, 1000)
        assert (caught.value.status, caught.value.code) == (413, "too_many_values")
    else:
        assert read_model(CHAT, body, None, None, 1000) == "m"


def test_the_length_of_the_json_part() -> None:
    name = b"inference-header-content-length"
    assert json_length({}) is None
    assert json_length({name: b"017"}) == 17
    for wrong in (b"", b"-1", b"1.0", b"\xb2", b"9" * 13):
        with pytest.raises(Refusal) as refused:
            json_length({name: wrong})
        assert refused.value.param == name.decode()
