"""Memories to remember, and AgentCore memories made at an engine."""

from typing import Any
from uuid import uuid4

from edgemind.domain.agent_memory import Memory, MemoryKind
from tests.support.engines.aws import LocalAws

DAY_MS = 86_400_000
AT_MS = 1_767_225_600_000


def memory(number: int, text: str = "nothing to speak of", **changes: Any) -> Memory:
    """One a day."""
    fields: dict[str, Any] = {
        "id": f"test/1.{number}/site-a/outcome", "kind": MemoryKind.OUTCOME, "at_ms": AT_MS + number * DAY_MS,
        "site": "site-a", "text": text, "fence": f"1.{number}", "by": "site-a",
    }  # fmt: skip
    return Memory(**{**fields, **changes})


def new_agentcore_memory(engine: LocalAws) -> str:
    """Its id."""
    control = engine.client("bedrock-agentcore-control")
    made = control.create_memory(name=f"test_{uuid4().hex[:12]}", eventExpiryDuration=30, clientToken=uuid4().hex)
    memory_id: str = made["memory"]["id"]
    return memory_id
