"""A language model's conversation in AgentCore Memory: kept there, in a session of its own, and done without."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bedrock_agentcore.memory.integrations.strands import session_manager
from strands.models.model import Model

from agents.advisor.models import Question, ask
from agents.sessions import session_maker
from edgemind.bootstrap import memories
from edgemind.settings import Settings, load_settings
from tests.support.engines.aws import LocalAws
from tests.support.memories import new_agentcore_memory
from tests.support.serving import free_port
from tests.unit.settings_example import EXAMPLE, SECRETS, write_example

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

QUESTION = Question("You explain.", "facts of round 1.17", 50)


class Says(Model):
    """A model that says one thing, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def update_config(self, **model_config: Any) -> None:
        """None."""

    def get_config(self) -> dict[str, Any]:
        return {}

    def structured_output(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    async def stream(self, messages: Any, *_: Any, **__: Any) -> Any:
        self.asked.append([block["text"] for message in messages for block in message["content"]])
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": {}}}
        yield {"contentBlockDelta": {"delta": {"text": "It was a crowd."}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Settings]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def load(memory_id: str, endpoint_url: str) -> Settings:
        group = (
            f"memory: {{kind: agentcore, memory_id: {memory_id}, region: eu-central-1, endpoint_url: '{endpoint_url}'}}"
        )
        return load_settings(write_example(tmp_path, f"{EXAMPLE}{group}\n"))

    return load


def answered(settings: Settings, model: Says, at_ms: int = 5) -> str:
    sessions = session_maker(settings, lambda: at_ms)
    return asyncio.run(ask(lambda _: model, QUESTION, 60.0, sessions("1-17-explain"))).text


@pytest.mark.engine
def test_what_is_asked_and_answered_is_kept_and_in_no_later_prompt(
    ministack: LocalAws, configured: Callable[[str, str], Settings]
) -> None:
    memory_id = new_agentcore_memory(ministack)
    settings, model = configured(memory_id, ministack.endpoint_url), Says()
    for at_ms in (5, 6):
        assert answered(settings, model, at_ms) == "It was a crowd."
    assert model.asked == [["facts of round 1.17"]] * 2
    client = ministack.client("bedrock-agentcore")
    events = client.list_events(memoryId=memory_id, actorId="demo-advisor", sessionId="advice-1-17-explain-5")["events"]
    kept = str([event["payload"] for event in events])
    assert "facts of round 1.17" in kept
    assert "It was a crowd." in kept


def test_a_memory_that_is_down_costs_memory_only(
    aws_credentials: None, configured: Callable[[str, str], Settings], caplog: pytest.LogCaptureFixture
) -> None:
    model = Says()
    settings = configured("edgemind_test-Ab3dEf7h1J", f"http://127.0.0.1:{free_port()}")
    assert answered(settings, model) == "It was a crowd."
    assert model.asked == [["facts of round 1.17"]]
    assert "the advisor's conversation is not kept" in caplog.text


@pytest.mark.engine
def test_a_memory_that_goes_amid_the_answer_costs_memory_only(
    ministack: LocalAws, configured: Callable[[str, str], Settings], caplog: pytest.LogCaptureFixture
) -> None:
    memory_id = new_agentcore_memory(ministack)
    settings, model = configured(memory_id, ministack.endpoint_url), Says()
    session = session_maker(settings, lambda: 7)("1-17-explain")
    ministack.client("bedrock-agentcore-control").delete_memory(memoryId=memory_id)
    assert asyncio.run(ask(lambda _: model, QUESTION, 60.0, session)).text == "It was a crowd."
    assert "the advisor's conversation is not kept" in caplog.text


def test_the_memory_is_found_as_the_sites_find_it(
    configured: Callable[[str, str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployed fleet names no memory: its stacks do."""
    settings = configured("edgemind_test-Ab3dEf7h1J", "http://127.0.0.1:9")
    nameless = settings.model_copy(update={"memory": settings.memory.model_copy(update={"memory_id": None})})
    found: list[str] = []
    monkeypatch.setattr(memories, "deployed", lambda _, what: f"the stacks' {what}")
    monkeypatch.setattr(
        session_manager, "AgentCoreMemorySessionManager", lambda kept, **_: found.append(kept.memory_id)
    )
    for one in (settings, nameless):
        session_maker(one, lambda: 7)("1-17-explain")
    assert found == ["edgemind_test-Ab3dEf7h1J", "the stacks' agent_memory"]
