"""The deterministic model inside a real Strands agent."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel
from strands import Agent, tool
from strands.agent.conversation_manager import NullConversationManager
from strands.models.model import Model

from agents.policy_model import Conversation, Policy, PolicyModel, ToolRequest, read_conversation
from edgemind.errors import PermanentError


class Total(BaseModel):
    total: int


@tool
def double(number: int) -> dict[str, Any]:
    """Twice a number."""
    return {"status": "success", "content": [{"text": str(2 * number)}], "structuredContent": {"doubled": 2 * number}}


@tool
def broken(number: int) -> dict[str, Any]:
    """It fails."""
    raise ValueError(f"no {number} here")


def ask(policy: Policy, prompt: str = "7", tools: Sequence[Any] = (double, broken)) -> Any:
    agent = Agent(
        model=PolicyModel(policy),
        tools=list(tools),
        callback_handler=None,
        retry_strategy=None,
        conversation_manager=NullConversationManager(),
        context_manager=False,
        structured_output_model=Total,
    )
    return asyncio.run(agent.invoke_async(prompt, limits={"turns": 4}))


def test_it_calls_tools_and_answers_from_what_they_say() -> None:
    seen: list[Conversation] = []

    def policy(conversation: Conversation) -> list[ToolRequest]:
        seen.append(conversation)
        if not conversation.answers:
            return [ToolRequest("double", {"number": int(conversation.prompt)}), ToolRequest("double", {"number": 1})]
        doubled = [answer.data["doubled"] for answer in conversation.answers if answer.data]
        return [ToolRequest("Total", {"total": sum(doubled)})]

    result = ask(policy)
    assert result.structured_output == Total(total=16)
    assert [len(conversation.answers) for conversation in seen] == [0, 2]


def test_the_cause_of_a_failed_call_reaches_the_policy() -> None:
    causes: list[str | None] = []

    def policy(conversation: Conversation) -> list[ToolRequest]:
        if not conversation.answers:
            return [ToolRequest("broken", {"number": 3}), ToolRequest("absent"), ToolRequest("double", {"number": 1})]
        causes.extend(answer.failed for answer in conversation.answers)
        return [ToolRequest("Total", {"total": 0})]

    ask(policy)
    assert causes[0] is not None
    assert "no 3 here" in causes[0]
    assert causes[1] is not None
    assert "absent" in causes[1]
    assert causes[2] is None


def test_a_policy_that_says_nothing_is_an_error_and_no_endless_loop() -> None:
    with pytest.raises(Exception, match="neither called a tool nor answered"):
        ask(lambda _conversation: [])


def test_a_policy_that_never_answers_is_stopped() -> None:
    result = ask(lambda _conversation: [ToolRequest("double", {"number": 1})])
    assert result.structured_output is None


def test_the_same_conversation_gives_the_same_events() -> None:
    model = PolicyModel(lambda _conversation: [ToolRequest("double", {"number": 1})])

    async def events() -> list[Any]:
        return [event async for event in model.stream([{"role": "user", "content": [{"text": "7"}]}])]

    assert asyncio.run(events()) == asyncio.run(events())


def test_text_without_structured_content_is_no_data() -> None:
    messages: Any = [
        {"role": "assistant", "content": [{"toolUse": {"name": "double", "toolUseId": "1", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "status": "success", "content": []}}]},
    ]
    (answer,) = read_conversation(messages).answers
    assert answer.tool == "double"
    assert answer.data is None
    assert answer.failed == "its result is text only, no structured content"


def test_what_a_policy_cannot_do_says_what_to_do() -> None:
    model: Model = PolicyModel(lambda _conversation: [])
    with pytest.raises(PermanentError, match="temperature"):
        model.update_config(temperature=1)

    async def older_way() -> None:
        async for _ in model.structured_output(Total, []):
            pass

    with pytest.raises(PermanentError, match="structured_output_model"):
        asyncio.run(older_way())
