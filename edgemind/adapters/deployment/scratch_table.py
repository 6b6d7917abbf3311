"""A table of one's own, made anew, at a DynamoDB that is not AWS's: what a demo keeps its state in."""

from edgemind.adapters.aws_calls import errors, fault_of, new_client
from edgemind.domain.deployment import PARTITION_KEY, SORT_KEY
from edgemind.errors import ConfigurationError, StoreUnavailable

TIMEOUT_S = 5.0


def make_table_anew(name: str, region: str, endpoint_url: str) -> None:
    """Drop the table of this name, if there is one, and make it with the keys that the stacks' table has.

    Blocks. Raises ConfigurationError for an endpoint of AWS, where a table may be somebody's, and StoreUnavailable.
    """
    if "amazonaws.com" in endpoint_url:
        raise ConfigurationError(f"{endpoint_url} is AWS itself: a demo makes its table anew, and leaves yours alone")
    try:
        client = new_client("dynamodb", region, endpoint_url, timeout_s=TIMEOUT_S)
        if name in client.list_tables()["TableNames"]:
            client.delete_table(TableName=name)
            client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        keys = {PARTITION_KEY: "HASH", SORT_KEY: "RANGE"}
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    except errors() as exc:
        says = fault_of(exc).says
        raise StoreUnavailable(f"no table can be made at {endpoint_url}: {says}. Is a DynamoDB running there?") from exc
