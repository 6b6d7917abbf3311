"""State stores on an engine's tables."""

from edgemind.adapters.state_store.dynamodb import DynamoDbStateStore
from edgemind.adapters.state_store.dynamodb_table import DynamoDbTable, TableAddress
from tests.support.engines.aws import LocalAws


def dynamodb_store(engine: LocalAws, table: str, metro: str = "test", patience_s: float = 30.0) -> DynamoDbStateStore:
    """With a client of its own, as each process has."""
    address = TableAddress(lambda: table, engine.region, engine.endpoint_url)
    return DynamoDbStateStore(DynamoDbTable(address, timeout_s=5.0, patience_s=patience_s), metro)
