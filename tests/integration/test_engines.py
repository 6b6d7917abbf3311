"""The engines of the tests do what the tests rely on: conditions, transactions, what a refusal carries."""

import pytest

from tests.support.engines.aws import LocalAws

pytestmark = pytest.mark.engine
ENGINES = ("dynamodb_local", "ministack")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> LocalAws:
    engine: LocalAws = request.getfixturevalue(request.param)
    return engine


def test_a_refused_write_hands_out_the_item_that_was_in_its_way(engine: LocalAws) -> None:
    table, client = engine.new_table(), engine.dynamodb
    client.put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"S": "b"}, "n": {"N": "7"}})

    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as refused:
        client.put_item(
            TableName=table,
            Item={"pk": {"S": "a"}, "sk": {"S": "b"}},
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert refused.value.response["Item"]["n"] == {"N": "7"}  # type: ignore[typeddict-item]


def test_a_refused_transaction_hands_out_the_items_in_its_way_and_changes_nothing(engine: LocalAws) -> None:
    table, client = engine.new_table(), engine.dynamodb
    client.put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"S": "held"}, "n": {"N": "7"}})

    with pytest.raises(client.exceptions.TransactionCanceledException) as refused:
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": {"pk": {"S": "a"}, "sk": {"S": "new"}}}},
                {
                    "Put": {
                        "TableName": table,
                        "Item": {"pk": {"S": "a"}, "sk": {"S": "held"}},
                        "ConditionExpression": "attribute_not_exists(pk)",
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                },
            ]
        )
    first, second = refused.value.response["CancellationReasons"]
    assert first["Code"] == "None"
    assert second["Code"] == "ConditionalCheckFailed"
    assert second["Item"]["n"] == {"N": "7"}  # type: ignore[typeddict-item]
    assert client.scan(TableName=table)["Count"] == 1
