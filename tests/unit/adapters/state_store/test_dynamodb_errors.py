"""What AWS refuses, in words and in the errors that a state store may raise. The client is a stand-in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as sdk

from edgemind.adapters.state_store import dynamodb_table
from edgemind.adapters.state_store.dynamodb import DynamoDbStateStore
from edgemind.adapters.state_store.dynamodb_table import DynamoDbTable, TableAddress
from edgemind.bootstrap import open_state_store
from edgemind.domain.keys import ApiKey
from edgemind.errors import ConfigurationError, PermanentError, StateCorrupt, StoreUnavailable, TemporaryError
from edgemind.settings import load_settings
from tests.unit.settings_example import EXAMPLE

KEY = ApiKey("00000001", "demo", "ab" * 32, created_ms=1)
URL = "http://127.0.0.1:9"


def answer(code: str, status: int = 400, message: str = "said AWS", **more: Any) -> sdk.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **more,
    }  # fmt: skip
    return sdk.ClientError(response, "GetItem")


class FakeClient:
    """Raises what it is given, in order; then nothing is there."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.meta = type("Meta", (), {"region_name": "eu-central-1"})

    def get_item(self, **_: object) -> dict[str, Any]:
        return self._answer({})

    def transact_write_items(self, **_: object) -> dict[str, Any]:
        return self._answer({})

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return response


Open = Callable[..., DynamoDbStateStore]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Open:
    def store(client: FakeClient, patience_s: float = 0.0) -> DynamoDbStateStore:
        monkeypatch.setattr(dynamodb_table, "new_client", lambda *_, **__: client)
        monkeypatch.setattr("time.sleep", lambda _: None)
        return DynamoDbStateStore(DynamoDbTable(TableAddress(lambda: "swarm"), patience_s=patience_s), "test")

    return store


UNAVAILABLE = [
    (answer("ThrottlingException"), r"cannot read table swarm \(eu-central-1\): Throttl.*said AWS. Try again in"),
    (answer("ProvisionedThroughputExceededException"), "Try again in a moment"),
    (answer("InternalServerError", 500), "InternalServerError: said AWS. Try again; if it stays so"),
    (answer("503", 503, ""), "503. Try again; if it stays so"),
    (sdk.ReadTimeoutError(endpoint_url=URL), "Read timeout on endpoint.*Try again; if it stays so"),
    (sdk.ConnectionClosedError(endpoint_url=URL), "Connection was closed.*Try again; if it stays so"),
    (sdk.EndpointConnectionError(endpoint_url=URL), "Could not connect.*Check the network, aws.region"),
    (sdk.ConnectTimeoutError(endpoint_url=URL), "Connect timeout.*Check the network, aws.region"),
    (sdk.SSLError(endpoint_url=URL, error=OSError("certificate")), "SSL.*Check the network, aws.region"),
    (answer("AccessDeniedException"), "AccessDeniedException: said AWS. Allow this action to the role"),
    (answer("Other", 403), "Other: said AWS. Allow this action to the role"),
    (answer("ExpiredTokenException"), "ExpiredTokenException: said AWS. Give this process credentials"),
    (answer("UnrecognizedClientException"), "Give this process credentials"),
    (sdk.NoCredentialsError(), "Unable to locate credentials. Give this process credentials"),
    (sdk.PartialCredentialsError(provider="env", cred_var="secret"), "Give this process credentials"),
    (sdk.ProfileNotFound(profile="staging"), "staging.*Give this process credentials"),
    (sdk.UnauthorizedSSOTokenError(), "SSO.*Give this process credentials"),
]  # fmt: skip
CORRUPT = [
    (
        answer("ResourceNotFoundException"),
        "there is no table swarm.*Deploy it .cdk deploy., or correct",
    ),
    (
        answer("ValidationException"),
        "cannot read table swarm.*Validation.*Check that state.table has",
    ),
    (sdk.NoRegionError(), "must specify a region.*aws.region"),
    (sdk.ParamValidationError(report="no such parameter"), "Check that state.table"),
]


@pytest.mark.parametrize(("error", "says"), UNAVAILABLE, ids=lambda value: type(value).__name__)
def test_what_may_pass_is_unavailable_with_what_to_do(opened: Open, error: Exception, says: str) -> None:
    with pytest.raises(StoreUnavailable, match=says) as refused:
        opened(FakeClient(error)).keys_version()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("error", "says"), CORRUPT, ids=lambda value: type(value).__name__)
def test_what_a_person_must_mend_says_how(opened: Open, error: Exception, says: str) -> None:
    with pytest.raises(StateCorrupt, match=says) as refused:
        opened(FakeClient(error)).keys_version()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "error",
    [answer("ThrottlingException"), answer("InternalServerError", 500), sdk.ReadTimeoutError(endpoint_url=URL),
     answer("TransactionCanceledException", CancellationReasons=[{"Code": "None"}, {"Code": "TransactionConflict"}])],
)  # fmt: skip
def test_what_passes_is_sent_again_while_patience_lasts(opened: Open, error: Exception) -> None:
    client = FakeClient(error, error)
    opened(client, patience_s=60.0).add_key(KEY, live_limit=2)
    assert client.calls == 3


@pytest.mark.parametrize(
    "error", [answer("AccessDeniedException"), sdk.NoCredentialsError(), answer("ValidationException")]
)
def test_what_does_not_pass_is_not_sent_again(opened: Open, error: Exception) -> None:
    client = FakeClient(error)
    with pytest.raises((StoreUnavailable, StateCorrupt)):
        opened(client, patience_s=60.0).keys_version()
    assert client.calls == 1


def test_a_cancelled_transaction_names_the_reasons_that_are_not_conditions(opened: Open) -> None:
    reasons = [{"Code": "None"}, {"Code": "ValidationError"}, {"Code": "TransactionConflict"}]
    with pytest.raises(StateCorrupt, match="TransactionConflict, ValidationError"):
        opened(FakeClient(answer("TransactionCanceledException", CancellationReasons=reasons))).add_key(KEY, 2)


def test_a_lost_answer_to_a_write_that_was_made_is_success(opened: Open) -> None:
    item = {
        "pk": {"S": "KEYS#test"}, "sk": {"S": "KEY#00000001"}, "schema_version": {"S": "1.0"},
        "key_id": {"S": "00000001"}, "tenant": {"S": "demo"}, "sha256": {"S": "ab" * 32}, "created_ms": {"N": "1"},
        "revoked_ms": {"NULL": True},
    }  # fmt: skip
    mine = {"Code": "ConditionalCheckFailed", "Item": item}
    refused = answer("TransactionCanceledException", CancellationReasons=[mine, {"Code": "None"}, {"Code": "None"}])

    opened(FakeClient(sdk.ReadTimeoutError(endpoint_url=URL), refused), patience_s=60.0).add_key(KEY, live_limit=2)


@pytest.mark.parametrize(
    ("raised", "expected"), [(TemporaryError("later", 7.0), StoreUnavailable), (PermanentError("never"), StateCorrupt)]
)
def test_a_table_that_cannot_be_looked_up_is_a_store_in_trouble(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, expected: type[Exception]
) -> None:
    def look_up() -> str:
        raise raised

    monkeypatch.setattr(dynamodb_table, "new_client", lambda *_, **__: FakeClient())
    with pytest.raises(expected, match=str(raised)):
        DynamoDbStateStore(DynamoDbTable(TableAddress(look_up)), "test").keys_version()


def test_without_boto3_there_is_one_line_that_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "edgemind.yaml"
    config.write_text(EXAMPLE.replace("store: json", "store: dynamodb, table: swarm"))
    settings = load_settings(config, resolve_secrets=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"needs boto3, .*pip install 'edgemind-mec\[aws\]'") as refused:
        open_state_store(settings)
    assert "\n" not in str(refused.value)
