"""Over real HTTP to a server that speaks Converse: the same for Strands' BedrockModel and for our proxy."""

from collections.abc import Iterator

import pytest

from tests.support.bedrock_callers import (
    ADD_SCHEMA,
    Caller,
    ProxyCaller,
    StrandsCaller,
    Trouble,
    roles,
    scripted,
)
from tests.support.bedrock_proxy import bedrock_group, running, write_config
from tests.support.engines.converse import ConverseServer
from tests.support.engines.converse_script import (
    DENIED,
    INVALID,
    THROTTLED,
    TOKENS,
    UNAVAILABLE,
    Accident,
    Says,
    text,
    tool_use,
)
from tests.support.model_servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

NAMES = {f"test.proxied-{number}-v1:0": f"model-{number}" for number in range(20)}
# An inference profile is called by its ARN, which has colons and a slash.
PROFILE = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123def456"


@pytest.fixture(scope="module")
def proxy_url(converse: ConverseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    group = bedrock_group(converse.url, {**NAMES, PROFILE: "profile"})
    with running(write_config(tmp_path_factory.mktemp("proxy"), group), free_port()) as proxy:
        yield proxy.url


@pytest.fixture(scope="module")
def callers(converse: ConverseServer, proxy_url: str) -> dict[str, Caller]:
    return {"strands": StrandsCaller(converse), "proxy": ProxyCaller(proxy_url, {**NAMES, PROFILE: "profile"})}


@pytest.fixture(params=["strands", "proxy"])
def caller(request: pytest.FixtureRequest, callers: dict[str, Caller]) -> Caller:
    return callers[request.param]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What would have been slept before another try; it is not."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def test_text_streams_piece_by_piece_and_tokens_are_counted(caller: Caller, converse: ConverseServer) -> None:
    model = scripted(caller, converse, Says([text("It", " is", " five.")], "end_turn"))
    heard = caller.ask(model)
    assert (heard.pieces, heard.trouble) == (["It", " is", " five."], None)
    assert heard.finish in ("end_turn", "stop")
    assert heard.tokens == (TOKENS["inputTokens"], TOKENS["outputTokens"])
    (call,) = converse.calls(model)
    assert (call.operation, call.signed) == ("converse-stream", True)
    assert call.body["system"] == [{"text": "Be brief."}]
    assert call.body["messages"] == [{"role": "user", "content": [{"text": "What is 2 + 3?"}]}]


def test_an_arn_with_colons_and_slashes_is_signed_as_it_is_sent(caller: Caller, converse: ConverseServer) -> None:
    before = len(converse.calls(PROFILE))
    assert caller.ask(PROFILE).trouble is None
    assert [call.signed for call in converse.calls(PROFILE)[before:]] == [True]


def test_a_tool_is_called_with_arguments_in_pieces(caller: Caller, converse: ConverseServer) -> None:
    blocks = [text("Let me add."), tool_use("tooluse_1", "add", '{"a": 2', ', "b"', ": 3}")]
    model = scripted(caller, converse, Says(blocks, "tool_use"))
    heard = caller.ask(model, with_tools=True)
    assert heard.calls == [("tooluse_1", "add", {"a": 2, "b": 3})]
    assert heard.finish in ("tool_use", "tool_calls")
    spec = converse.calls(model)[0].body["toolConfig"]["tools"][0]["toolSpec"]
    assert (spec["name"], spec["inputSchema"]["json"]["properties"]) == ("add", ADD_SCHEMA["properties"])


def test_a_tools_result_goes_back_to_the_model(caller: Caller, converse: ConverseServer) -> None:
    model = scripted(caller, converse, Says([text("Five.")]))
    assert caller.ask(model, with_tools=True, tool_result=True).pieces == ["Five."]
    body = converse.calls(model)[0].body
    assert roles(body) == ["user", "assistant", "user"]
    assert body["messages"][1]["content"][0]["toolUse"]["input"] == {"a": 2, "b": 3}
    result = body["messages"][2]["content"][0]["toolResult"]
    assert (result["toolUseId"], result["content"]) == ("call-1", [{"text": "5"}])


def test_throttled_then_answered(caller: Caller, converse: ConverseServer, waits: list[float]) -> None:
    model = scripted(caller, converse, THROTTLED, Says([text("At last.")]))
    heard = caller.ask(model)
    assert (heard.pieces, heard.trouble, len(converse.calls(model)), len(waits)) == (["At last."], None, 2, 1)


def test_throttled_for_good(caller: Caller, converse: ConverseServer, waits: list[float]) -> None:
    model = scripted(caller, converse, THROTTLED)
    heard = caller.ask(model)
    assert heard.trouble is Trouble.THROTTLED
    assert "please wait" in heard.said
    assert len(converse.calls(model)) == 3
    if isinstance(caller, ProxyCaller):
        # As long as the proxy's retry-after says.
        assert waits == [2.0, 2.0]


def test_busy_is_tried_again(caller: Caller, converse: ConverseServer, waits: list[float]) -> None:
    model = scripted(caller, converse, UNAVAILABLE, UNAVAILABLE, Says())
    assert caller.ask(model).trouble is None
    assert len(converse.calls(model)) == 3


def test_a_wrong_request_is_told_and_not_tried_again(caller: Caller, converse: ConverseServer) -> None:
    model = scripted(caller, converse, INVALID)
    heard = caller.ask(model)
    assert heard.trouble is Trouble.INVALID
    assert "max_tokens is too large" in heard.said
    assert len(converse.calls(model)) == 1


def test_without_permission(caller: Caller, converse: ConverseServer, waits: list[float]) -> None:
    model = scripted(caller, converse, DENIED)
    heard = caller.ask(model)
    assert heard.trouble is Trouble.DENIED
    if isinstance(caller, ProxyCaller):
        assert "allow bedrock:InvokeModel" in heard.said
        assert "123456789012" not in heard.said


@pytest.mark.parametrize("accident", [Accident.CUT, Accident.DAMAGED])
def test_an_answer_that_breaks_off_never_passes_for_a_whole_one(
    caller: Caller, converse: ConverseServer, accident: Accident
) -> None:
    model = scripted(caller, converse, Says([text("It", " is")], accident=accident))
    heard = caller.ask(model)
    assert heard.pieces == ["It", " is"]
    assert heard.trouble is Trouble.BROKEN
    assert heard.finish == ""


def test_an_exception_within_the_stream(caller: Caller, converse: ConverseServer) -> None:
    raises = ("modelStreamErrorException", "the model stumbled")
    model = scripted(caller, converse, Says([text("It", " is")], raises=raises))
    heard = caller.ask(model)
    assert heard.pieces == ["It", " is"]
    assert heard.trouble is Trouble.BROKEN
    assert "the model stumbled" in heard.said
