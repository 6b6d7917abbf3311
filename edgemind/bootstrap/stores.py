"""Where state, rounds, journals and model files are kept."""

from functools import partial
from typing import TYPE_CHECKING, assert_never

from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.deployment import PLACES
from edgemind.ports.model_store import ModelStore
from edgemind.ports.state_store import StateStore
from edgemind.ports.swarm_store import SwarmStore
from edgemind.settings import ModelStoreKind, Settings, Store

if TYPE_CHECKING:
    from edgemind.adapters.state_store.dynamodb_table import DynamoDbTable
    from edgemind.ports.effect_journal import EffectJournal
    from edgemind.ports.round_journal import RoundJournal


def open_state_store(settings: Settings) -> StateStore:
    """The store that `state.store` names. Nothing is touched until its first call."""
    match settings.state.store:
        case Store.JSON:
            return JsonFileStateStore(settings.state.directory)
        case Store.MEMORY:
            return MemoryStateStore()
        case Store.DYNAMODB:
            return _dynamodb_store(settings)
        case other:
            assert_never(other)


def open_swarm_store(settings: Settings) -> SwarmStore:
    """Where rounds and the roster are kept: beside the state. Nothing is touched until its first call."""
    match settings.state.store:
        case Store.JSON:
            return JsonFileSwarmStore(settings.state.directory, settings.metro)
        case Store.MEMORY:
            return MemorySwarmStore(settings.metro)
        case Store.DYNAMODB:
            from edgemind.adapters.aws_calls import require_boto3
            from edgemind.adapters.swarm_store.dynamodb import DynamoDbSwarmStore

            require_boto3("state.store: dynamodb")
            table = partial(state_table, settings)
            return DynamoDbSwarmStore(table, settings.metro, settings.aws.region, settings.state.endpoint_url)
        case other:
            assert_never(other)


def make_scratch_table(name: str, region: str, endpoint_url: str) -> None:
    """A table made anew at a DynamoDB that is not AWS's. Blocks."""
    # Imported here: only a demo asks for it.
    from edgemind.adapters.aws_calls import require_boto3
    from edgemind.adapters.deployment.scratch_table import make_table_anew

    require_boto3("--state-store dynamodb")
    make_table_anew(name, region, endpoint_url)


def _dynamodb_store(settings: Settings) -> StateStore:
    from edgemind.adapters.state_store.dynamodb import DynamoDbStateStore

    return DynamoDbStateStore(dynamodb_table(settings), settings.metro)


def dynamodb_table(settings: Settings) -> "DynamoDbTable":
    """That of the state. Nothing is touched until its first call."""
    # Imported here: other stores need none of it, and it is a third of what a gateway weighs.
    from edgemind.adapters.aws_calls import require_boto3
    from edgemind.adapters.state_store.dynamodb_table import DynamoDbTable, TableAddress

    require_boto3("state.store: dynamodb")
    return DynamoDbTable(TableAddress(partial(state_table, settings), settings.aws.region, settings.state.endpoint_url))


def state_table(settings: Settings) -> str:
    """The configured name, or the one that the environment's stacks tell. Blocks in the second case."""
    return settings.state.table or deployed(settings, "state_table")


def deployed(settings: Settings, what: str) -> str:
    """What the stacks of `aws.environment` tell; one of `PLACES`. Blocks."""
    from edgemind.adapters.deployment.cloudformation import CloudFormationStacks

    aws = settings.aws
    # Held by the settings: without a name for the place itself there are both.
    assert aws.environment is not None
    assert aws.region is not None
    return CloudFormationStacks(aws.region).find(PLACES[what], aws.environment)


def open_model_store(settings: Settings) -> ModelStore:
    """Where `model_store` says that model files are published. Blocks when the bucket has to be looked up."""
    # Imported here: only the commands for model files need it.
    from edgemind.adapters.model_store.local_directory import DirectoryObjects
    from edgemind.adapters.model_store.published import PublishedModels

    published = settings.model_store
    match published.store:
        case ModelStoreKind.DIRECTORY:
            return PublishedModels(DirectoryObjects(published.directory))
        case ModelStoreKind.S3:
            from edgemind.adapters.aws_calls import require_boto3
            from edgemind.adapters.model_store.s3 import S3Objects

            require_boto3("model_store.store: s3")
            bucket = published.bucket or deployed(settings, "model_bucket")
            return PublishedModels(S3Objects(bucket, settings.aws.region, published.endpoint_url))
        case other:
            assert_never(other)


def open_round_journal(settings: Settings, site: str) -> "RoundJournal":
    """Where the controller of `site` keeps its records of rounds: beside the state, if that is a directory."""
    # Imported here: only controllers need it.
    from edgemind.adapters.round_journal.json_lines import JsonLinesRoundJournal
    from edgemind.adapters.round_journal.memory import MemoryRoundJournal

    if settings.state.store is Store.JSON:
        return JsonLinesRoundJournal(settings.state.directory, site)
    return MemoryRoundJournal()


def open_effect_journal(settings: Settings, site: str) -> "EffectJournal":
    """Where the controller of `site` keeps what it still has to do: beside the state, if that is a directory."""
    # Imported here: only controllers need it.
    from edgemind.adapters.effect_journal.json_file import JsonFileEffectJournal
    from edgemind.adapters.effect_journal.memory import MemoryEffectJournal

    if settings.state.store is Store.JSON:
        return JsonFileEffectJournal(settings.state.directory, site)
    return MemoryEffectJournal()
