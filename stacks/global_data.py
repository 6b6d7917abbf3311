"""Tables that every region of an environment has a copy of: the mirror of each metro's state, and the journal."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from edgemind.domain import deployment
from stacks import names
from stacks.base import PlannedStack
from stacks.constructs.state_table import StateTable
from stacks.plans import Environment


class GlobalDataStack(PlannedStack):
    """In the primary region. A replica is encrypted with the key of its own region, which must be there first."""

    def __init__(self, scope: Construct, plan: Environment, key: kms.IKey) -> None:
        super().__init__(
            scope,
            deployment.environment_stack(plan.name, deployment.GLOBAL_DATA),
            plan,
            plan.primary,
            deployment.GLOBAL_DATA,
            "global tables",
            protected=True,
        )
        replicas = [region.name for region in plan.regions if region.name != plan.primary]
        mirror = StateTable(self, "Mirror", plan, names.mirror_table(plan), key, replicas)
        journal = StateTable(self, "Journal", plan, names.journal_table(plan), key, replicas)
        self.publish(
            {
                deployment.MIRROR_TABLE: mirror.table.table_name,
                deployment.JOURNAL_TABLE: journal.table.table_name,
            }
        )
