"""The official client, unmodified: what it sends is understood, and what it gets it understands."""

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from tests.support.house import House


@pytest.fixture
def client(house: House) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"http://127.0.0.1:{house.gateway.port}/v1", api_key=house.key, max_retries=0
    ) as client:
        yield client


def body(marker: str, **fake: object) -> dict[str, object]:
    return {"marker": marker, "fake": {"*": fake}}


MESSAGES: Any = [{"role": "user", "content": "hi"}]


def test_chat(client: openai.OpenAI, house: House) -> None:
    completion = client.chat.completions.create(model=house.model("duo"), messages=MESSAGES)
    assert completion.choices[0].message.content == "hello from a"


def test_chat_streams(client: openai.OpenAI, house: House) -> None:
    with client.chat.completions.create(
        model=house.model("duo"), messages=MESSAGES, stream=True, extra_body=body("sdk-stream", do="sse", chunks=4)
    ) as stream:
        words = [chunk.choices[0].delta.content for chunk in stream]
    assert words == ["word0 ", "word1 ", "word2 ", "word3 "]


def test_leaving_a_stream_cancels_it(client: openai.OpenAI, house: House) -> None:
    told = body("sdk-left", do="sse", chunks=9, gated=True)
    house.upstreams.release("sdk-left")
    with client.chat.completions.create(
        model=house.model("duo"), messages=MESSAGES, stream=True, extra_body=told
    ) as stream:
        next(iter(stream))
    assert house.upstreams.wait_outcome("sdk-left") == "left"


def test_a_stream_that_dies_raises(client: openai.OpenAI, house: House) -> None:
    told = body("sdk-dies", do="die", when="body", framing="sse")
    stream = client.chat.completions.create(model=house.model("duo"), messages=MESSAGES, stream=True, extra_body=told)
    with pytest.raises(openai.APIError, match="died in mid-answer"):
        list(stream)


def test_embeddings_and_completions(client: openai.OpenAI, house: House) -> None:
    got = client.embeddings.create(model=house.model("duo"), input=["one"], encoding_format="float")
    assert got.data[0].embedding == [0.5, 0.25]
    assert client.completions.create(model=house.model("duo"), prompt="hi").model.startswith("duo-")


def test_models(client: openai.OpenAI, house: House) -> None:
    assert "duo-0" in {model.id for model in client.models.list()}
    assert client.models.retrieve("duo-0").id == "duo-0"


def test_the_request_id_is_the_decision_and_explains_it(client: openai.OpenAI, house: House) -> None:
    completion = client.chat.completions.create(model=house.model("duo"), messages=MESSAGES)
    told = house.gateway.decision(str(completion._request_id)).json()
    assert (told["id"], told["chosen"], told["runner_up"]) == (completion._request_id, "site-a", "site-b")


def test_errors_become_the_right_exceptions(client: openai.OpenAI, house: House) -> None:
    def ask(model: str, key: str | None = None, **options: Any) -> None:
        used = client if key is None else client.with_options(api_key=key)
        used.chat.completions.create(model=model, messages=MESSAGES, **options)

    with pytest.raises(openai.AuthenticationError) as refused:
        ask("duo-0", "em_00000000_nonsense")
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError):
        ask("duo-0", house.keys["narrow"])
    with pytest.raises(openai.NotFoundError) as unknown:
        ask("duo")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as bad:
        ask("duo-0", extra_headers={"x-edgemind-deadline-ms": "soon"})
    assert bad.value.param == "x-edgemind-deadline-ms"
    with pytest.raises(openai.InternalServerError) as shed:
        ask(house.model("solo"), extra_headers={"x-edgemind-deadline-ms": "0.5"})
    assert shed.value.code == "deadline_unreachable"
    assert shed.value.request_id is not None
    with pytest.raises(openai.InternalServerError):
        ask(house.model("solo"), extra_body=body("sdk-502", do="die"))
    with pytest.raises(openai.RateLimitError):
        _many_times(lambda: ask("duo-0", house.keys["hurried"]))


# Its retries


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times that the client would have slept before a retry; it does not."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def counted(house: House) -> dict[str, float]:
    metrics = house.gateway.metrics()
    return {name: metrics[f"edgemind_gateway_{name}_total"] for name in ("requests", "shed", "refused")}


def test_a_shed_that_no_retry_can_help_is_sent_once(client: openai.OpenAI, house: House, waits: list[float]) -> None:
    before = counted(house)
    with pytest.raises(openai.InternalServerError):
        client.with_options(max_retries=2).chat.completions.create(
            model=house.model("solo"), messages=MESSAGES, extra_headers={"x-edgemind-deadline-ms": "0.5"}
        )
    assert counted(house)["shed"] == before["shed"] + 1
    assert waits == []


def test_in_a_storm_the_clients_wait_as_told_and_nothing_reaches_a_model_server(
    client: openai.OpenAI, house: House, waits: list[float]
) -> None:
    """One slot, held: every request is shed, each client asks three times in all, as far apart as it was told."""
    model = house.model("one-slot")
    running = house.call(model, fake={"a": {"gated": True}}, headers={"x-edgemind-deadline-ms": "600000"})
    with house.begin(running) as wire:
        house.upstreams.wait_seen(running.marker)
        before = counted(house)
        for number in range(10):
            with pytest.raises(openai.InternalServerError):
                client.with_options(max_retries=2).chat.completions.create(
                    model=model,
                    messages=MESSAGES,
                    extra_body=body(f"storm-{number}"),
                    extra_headers={"x-edgemind-deadline-ms": "1500"},
                )
        assert counted(house)["shed"] == before["shed"] + 30
        assert waits == [1.0] * 20
        assert not any(house.upstreams.seen(f"storm-{number}") for number in range(10))
        house.upstreams.release(running.marker)
        assert wire.answer().status == 200
    assert house.gateway.load(model)["own"] == 0


def test_over_the_rate_the_client_waits_as_long_as_it_is_told(
    client: openai.OpenAI, house: House, waits: list[float]
) -> None:
    hurried = client.with_options(max_retries=1, api_key=house.keys["hurried"])
    with pytest.raises(openai.RateLimitError) as limited:
        _many_times(lambda: hurried.chat.completions.create(model="duo-0", messages=MESSAGES))
    told_s = float(limited.value.response.headers["retry-after"])
    assert told_s > 1
    assert len(waits) == 1


def _many_times(work: Callable[[], object]) -> None:
    """More often than the burst of a tenant whose rate is next to nothing."""
    for _ in range(4):
        work()
