"""A whole way to Bedrock: an OpenAI client, a gateway, the proxy as its cloud tier, a server that speaks Converse."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from tests.support.bedrock_proxy import bedrock_group, running
from tests.support.engines.converse import ConverseServer
from tests.support.engines.converse_script import LATENCY_MS, THROTTLED, Accident, Says, text
from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import FleetFolder, GatewayProcess, fleet_document
from tests.support.model_servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PROXY_KEY = "key-of-the-cloud-tier-0123456789"
NAMES = {f"test.cloud-{name}-v1:0": name for name in ("plain", "cut", "left", "both", "whole")}
MESSAGES: Any = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True, slots=True)
class Way:
    gateway: GatewayProcess
    client: openai.OpenAI
    converse: ConverseServer
    upstreams: FakeUpstreams

    def chunks(self, model: str) -> Any:
        return self.client.chat.completions.create(model=model, messages=MESSAGES, stream=True)


@pytest.fixture(scope="module")
def way(converse: ConverseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    path, port = tmp_path_factory.mktemp("cloud"), free_port()
    (path / "proxy.key").write_text(PROXY_KEY)
    group = bedrock_group(converse.url, NAMES, key="file:proxy.key")
    cloud_url = f"http://127.0.0.1:{port}/v1"
    with FakeUpstreams("a") as upstreams:
        edge = [{"name": "both", "base_url": f"{upstreams.url('a')}/v1", "slots": 4, "service_ms": 20}]
        cloud = {
            "name": "bedrock", "rtt_ms": 30,
            "models": [
                {"name": name, "base_url": cloud_url, "slots": 16, "service_ms": 300, "key": "file:proxy.key"}
                for name in NAMES.values()
            ],
        }  # fmt: skip
        folder = FleetFolder(path, fleet_document([{"name": "site-a", "models": edge}], cloud=cloud, bedrock=group))
        key = folder.new_key("demo")
        with (
            running(folder.config, port),
            GatewayProcess(folder, "site-a", "--port", "0") as gateway,
            openai.OpenAI(base_url=f"http://127.0.0.1:{gateway.port}/v1", api_key=key, max_retries=0) as client,
        ):
            yield Way(gateway, client, converse, upstreams)


def test_a_client_streams_from_bedrock_through_gateway_and_proxy(way: Way) -> None:
    way.converse.script("test.cloud-plain-v1:0", Says([text("It", " is", " five.")]))
    raw = way.client.chat.completions.with_raw_response.create(model="plain", messages=MESSAGES, stream=True)
    assert (raw.headers["x-edgemind-site"], raw.status_code) == ("bedrock", 200)
    chunks = list(raw.parse())
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["It", " is", " five.", None]
    assert {chunk.model for chunk in chunks} == {"plain"}
    assert way.converse.calls("test.cloud-plain-v1:0")[0].signed


def test_the_gateway_learns_what_bedrock_itself_took(way: Way) -> None:
    """Added latency is without the model's own time, which the proxy tells in a header."""
    count = "edgemind_gateway_added_latency_seconds_count"
    before = next(value for name, value in way.gateway.metrics().items() if name.startswith(count))
    raw = way.client.chat.completions.with_raw_response.create(model="whole", messages=MESSAGES)
    assert raw.parse().choices[0].message.content == "Hello from Bedrock."
    assert float(raw.headers["x-edgemind-service-ms"]) == LATENCY_MS
    after = next(value for name, value in way.gateway.metrics().items() if name.startswith(count))
    assert after == before + 1


def test_the_cloud_answers_when_the_site_does_not(way: Way) -> None:
    """The gateway's one retry goes from a dead model server to Bedrock."""
    way.converse.script("test.cloud-both-v1:0", Says())
    raw = way.client.chat.completions.with_raw_response.create(
        model="both", messages=MESSAGES, extra_body={"marker": "dead", "fake": {"a": {"do": "die"}}}
    )
    assert (raw.headers["x-edgemind-site"], raw.headers["x-edgemind-reason"]) == ("bedrock", "retry")


def test_a_throttled_cloud_is_told_with_when_to_come_back(way: Way) -> None:
    way.converse.script("test.cloud-plain-v1:0", THROTTLED)
    with pytest.raises(openai.RateLimitError) as limited:
        list(way.chunks("plain"))
    assert limited.value.response.headers["retry-after"] == "2"


def test_a_cut_answer_raises(way: Way) -> None:
    way.converse.script("test.cloud-cut-v1:0", Says([text("It", " is")], accident=Accident.CUT))
    with pytest.raises(openai.APIError, match=r"Bedrock's answer was cut"):
        list(way.chunks("cut"))


def test_leaving_a_stream_ends_the_call_of_bedrock(way: Way) -> None:
    way.converse.script("test.cloud-left-v1:0", Says([text("It", " is")], gated_after=2))
    with way.chunks("left") as stream:
        assert next(iter(stream)).choices[0].delta.content == "It"
    assert way.converse.caller_left("test.cloud-left-v1:0")
