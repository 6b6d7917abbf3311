"""A language model's conversation in AgentCore Memory, where its strategies learn from it.

Each question is a session of its own: nothing that was said before gets into the next prompt. Without AgentCore, or
when it cannot be had, the question is asked all the same and the conversation is not kept.
"""

import logging
from collections.abc import Callable
from typing import Any

from strands.session.session_manager import SessionManager

from edgemind import bootstrap
from edgemind.settings import MemoryStore, Settings

MakeSession = Callable[[str], SessionManager | None]
"""By the name of the question, such as `1-17-explain`."""

TIMEOUT_S = 3.0

log = logging.getLogger("edgemind.agents")


def session_maker(settings: Settings, at_ms: Callable[[], int]) -> MakeSession:
    """One that makes no sessions unless `memory.kind` is agentcore. `at_ms` (wall time) tells two sessions apart."""
    if settings.memory.kind is not MemoryStore.AGENTCORE:
        return lambda _: None

    def make(name: str) -> SessionManager | None:
        try:
            return _session(settings, f"advice-{name}-{at_ms()}")
        except Exception as exc:  # noqa: BLE001 - the edge of another program: a memory that is down costs memory only
            log.warning("the advisor's conversation is not kept: %s", str(exc)[:300] or type(exc).__name__)
            return None

    return make


def _session(settings: Settings, session_id: str) -> SessionManager:
    # Imported here: it takes a second, and most fleets have no AgentCore.
    from bedrock_agentcore.memory.integrations.strands.config import AgentCoreMemoryConfig
    from bedrock_agentcore.memory.integrations.strands.session_manager import AgentCoreMemorySessionManager
    from botocore.config import Config

    memory = settings.memory
    region = memory.region or settings.aws.region
    kept = AgentCoreMemoryConfig(
        memory_id=bootstrap.agent_memory_id(settings),
        session_id=session_id,
        # An actor of its own: what sites remember of rounds is the metro's.
        actor_id=f"{settings.metro}-advisor",
        # Its calls block: in a thread, the question's time limit holds all the same.
        async_mode=True,
    )
    limits = Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 2})
    manager: SessionManager = AgentCoreMemorySessionManager(
        kept, region_name=region, boto_session=_boto_session(region, memory.endpoint_url), boto_client_config=limits
    )
    return manager


def _boto_session(region: str | None, endpoint_url: str | None) -> Any:
    import boto3

    class At(boto3.Session):
        """Whoever makes clients of it, they are of the configured endpoint."""

        def client(self, *arguments: Any, **more: Any) -> Any:
            return super().client(*arguments, **{"endpoint_url": endpoint_url, **more})

    return At(region_name=region)
