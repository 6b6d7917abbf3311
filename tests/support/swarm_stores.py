"""Swarm stores on an engine's tables."""

from edgemind.adapters.swarm_store.dynamodb import DynamoDbSwarmStore
from tests.support.engines.aws import LocalAws


def dynamodb_swarm_store(engine: LocalAws, table: str, metro: str = "test") -> DynamoDbSwarmStore:
    """With a client of its own, as each process has. Engines on a busy machine are slower than a round can wait for."""
    return DynamoDbSwarmStore(lambda: table, metro, engine.region, engine.endpoint_url, timeout_s=30.0)
