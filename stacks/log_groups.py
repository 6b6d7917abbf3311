"""How log groups are made: encrypted, and kept for as long as the environment says."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.plans import Environment


def log_group(
    scope: Construct, construct: str, plan: Environment, key: kms.IKey, name: str | None = None, days: int | None = None
) -> logs.LogGroup:
    """`name` None: CloudFormation gives one. `days` None: as other logs of the environment."""
    group = logs.LogGroup(
        scope,
        construct,
        log_group_name=name,
        encryption_key=key,
        removal_policy=RemovalPolicy.RETAIN if plan.protected else RemovalPolicy.DESTROY,
    )
    # By number: the construct's enumeration names each period in words.
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)
    resource.retention_in_days = days or plan.retention.logs
    return group
