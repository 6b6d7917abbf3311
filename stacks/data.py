"""Data of one region: the swarm table of its metro and the bucket with the models."""

from collections.abc import Sequence

from aws_cdk import aws_kms as kms
from constructs import Construct

from edgemind.domain import deployment
from stacks import names
from stacks.base import PlannedStack
from stacks.constructs.model_bucket import ModelBucket
from stacks.constructs.state_table import StateTable
from stacks.plans import Environment


class DataStack(PlannedStack):
    """`replicas` are regions that copies of each model go to; their data stacks must be there first."""

    def __init__(
        self, scope: Construct, plan: Environment, region: str, key: kms.IKey, replicas: Sequence[str] = ()
    ) -> None:
        super().__init__(
            scope,
            deployment.regional_stack(plan.name, region, deployment.DATA),
            plan,
            region,
            deployment.DATA,
            f"swarm table and models in {region}",
            protected=True,
        )
        self.swarm = StateTable(self, "Swarm", plan, names.swarm_table(plan), key)
        self.models = ModelBucket(self, "Models", plan, region, key, replicas)
        self.publish(
            {
                deployment.SWARM_TABLE: self.swarm.table.table_name,
                deployment.MODEL_BUCKET: self.models.bucket.bucket_name,
            }
        )
