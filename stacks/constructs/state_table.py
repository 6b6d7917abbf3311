"""A table with the keys that every EdgeMind table has, in one region or, as a global table, in several."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from edgemind.domain.deployment import PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE
from stacks.names import data_key_alias_arn
from stacks.plans import Environment


class StateTable(Construct):
    """On-demand, encrypted with our key, point-in-time recovery, a stream of changes. `replicas` are other regions."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        plan: Environment,
        table_name: str,
        key: kms.IKey,
        replicas: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, name)
        recovery = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            table_name=table_name,
            partition_key=dynamodb.Attribute(name=PARTITION_KEY, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=SORT_KEY, type=dynamodb.AttributeType.STRING),
            time_to_live_attribute=TTL_ATTRIBUTE,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(
                key, {region: data_key_alias_arn(plan, region) for region in replicas}
            ),
            point_in_time_recovery_specification=recovery,
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            contributor_insights_specification=dynamodb.ContributorInsightsSpecification(enabled=True),
            deletion_protection=plan.protected,
            removal_policy=RemovalPolicy.RETAIN if plan.protected else RemovalPolicy.DESTROY,
            replicas=[
                dynamodb.ReplicaTableProps(
                    region=region,
                    point_in_time_recovery_specification=recovery,
                    deletion_protection=plan.protected,
                )
                for region in replicas
            ],
        )
