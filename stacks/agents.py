"""What the agents of one region have: a memory in Amazon Bedrock AgentCore."""

from aws_cdk import Duration
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from edgemind.domain import deployment
from stacks import names
from stacks.base import PlannedStack
from stacks.plans import Environment

USE_KEY = (
    "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)  # fmt: skip
METRO = "/metro/{actorId}"
"""Where strategies put what they learn: the actor of every event is the metro, its session the day."""


class AgentsStack(PlannedStack):
    """`memory` keeps the events of the region's metro; with strategies it also keeps what they make of them."""

    def __init__(self, scope: Construct, plan: Environment, region: str, key: kms.IKey) -> None:
        super().__init__(
            scope,
            deployment.regional_stack(plan.name, region, deployment.AGENTS),
            plan,
            region,
            deployment.AGENTS,
            f"memory of agents in {region}",
            protected=True,
        )
        self.memory = agentcore.Memory(
            self,
            "Memory",
            memory_name=names.memory(plan),
            description=f"EdgeMind {plan.name} what the agents of a metro remember",
            expiration_duration=Duration.days(plan.memory.days),
            kms_key=key,
            execution_role=self._role(key).without_policy_updates(),
            memory_strategies=_strategies() if plan.memory.learns else [],
        )
        for part in self.memory.node.find_all():
            # The construct itself has no way to say it.
            if isinstance(part, agentcore.CfnMemory):
                part.apply_removal_policy(self.removal)
        self.publish({deployment.AGENT_MEMORY: self.memory.memory_id})

    def _role(self, key: kms.IKey) -> iam.Role:
        """AgentCore's own, for this memory alone: it may use the key, and only by way of itself."""
        memory = f"arn:aws:bedrock-agentcore:{self.region}:{self.plan.account}:memory/{names.memory(self.plan)}*"
        role = iam.Role(
            self,
            "MemoryRole",
            assumed_by=iam.ServicePrincipal(
                "bedrock-agentcore.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": self.plan.account},
                    "ArnLike": {"aws:SourceArn": memory},
                },
            ),
            description="AgentCore, for the memory of EdgeMind's agents",
        )
        via = {"kms:ViaService": f"bedrock-agentcore.{self.region}.amazonaws.com"}
        iam.ManagedPolicy(
            self,
            "MemoryKeyPolicy",
            description="AgentCore uses the key of the data it keeps",
            statements=[
                iam.PolicyStatement(
                    sid="UseKey", actions=list(USE_KEY), resources=[key.key_arn], conditions={"StringEquals": via}
                ),
                iam.PolicyStatement(
                    sid="LendKey",
                    actions=["kms:CreateGrant"],
                    resources=[key.key_arn],
                    conditions={"StringEquals": via, "Bool": {"kms:GrantIsForAWSResource": "true"}},
                ),
            ],
            roles=[role],
        )
        return role


def _strategies() -> list[agentcore.IMemoryStrategy]:
    """AWS's own, with its models: facts of the metro over all time, and a summary of each day."""
    return [
        agentcore.MemoryStrategy.using_semantic(strategy_name="facts", namespaces=[f"{METRO}/facts"]),
        agentcore.MemoryStrategy.using_summarization(strategy_name="days", namespaces=[f"{METRO}/days/{{sessionId}}"]),
    ]
