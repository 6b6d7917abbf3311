"""Where the advice of a metro is kept: beside its state."""

from typing import TYPE_CHECKING, assert_never

from edgemind.bootstrap.stores import dynamodb_table
from edgemind.settings import Settings, Store

if TYPE_CHECKING:
    from edgemind.ports.advice_store import AdviceStore


def open_advice_store(settings: Settings) -> "AdviceStore":
    """Nothing is touched until its first call."""
    # Imported here: only controllers need it.
    from edgemind.adapters.advice_store.json_file import JsonFileAdviceStore
    from edgemind.adapters.advice_store.memory import MemoryAdviceStore

    match settings.state.store:
        case Store.JSON:
            return JsonFileAdviceStore(settings.state.directory, settings.metro)
        case Store.MEMORY:
            return MemoryAdviceStore()
        case Store.DYNAMODB:
            from edgemind.adapters.advice_store.dynamodb import DynamoDbAdviceStore

            return DynamoDbAdviceStore(dynamodb_table(settings), settings.metro)
        case other:
            assert_never(other)
