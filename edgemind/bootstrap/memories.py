"""Where the agents of a site remember what happened."""

from functools import partial
from typing import TYPE_CHECKING, assert_never

from edgemind.bootstrap.stores import deployed
from edgemind.settings import MemoryStore, Settings, Store

if TYPE_CHECKING:
    from edgemind.ports.agent_memory import AgentMemory


def open_agent_memory(settings: Settings, site: str) -> "AgentMemory":
    """What `memory.kind` names. Nothing is touched until its first call."""
    # Imported here: only controllers need it.
    from edgemind.adapters.agent_memory.local import FileMemory, ProcessMemory
    from edgemind.adapters.agent_memory.none import NoMemory

    match settings.memory.kind:
        case MemoryStore.OFF:
            return NoMemory()
        case MemoryStore.LOCAL if settings.state.store is Store.JSON:
            return FileMemory(settings.state.directory, site)
        case MemoryStore.LOCAL:
            return ProcessMemory()
        case MemoryStore.AGENTCORE:
            return _agentcore(settings)
        case other:
            assert_never(other)


def agent_memory_id(settings: Settings) -> str:
    """The configured one, or the one that the environment's stacks tell. Blocks in the second case."""
    return settings.memory.memory_id or deployed(settings, "agent_memory")


def _agentcore(settings: Settings) -> "AgentMemory":
    from edgemind.adapters.agent_memory.agentcore import AgentCoreMemory, MemoryPlace
    from edgemind.adapters.aws_calls import require_boto3

    require_boto3("memory.kind: agentcore")
    memory = settings.memory
    region = memory.region or settings.aws.region
    place = MemoryPlace(
        partial(agent_memory_id, settings),
        region,
        memory.endpoint_url,
        memory.namespace,
    )
    return AgentCoreMemory(place, settings.metro)
