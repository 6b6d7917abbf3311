"""How log groups are made: encrypted, and kept for as long as the environment says."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.environments import Environment


def log_group(scope: Construct, name: str, plan: Environment, key: kms.IKey, days: int | None = None) -> logs.LogGroup:
    """`days` None: as other logs of the environment."""
    group = logs.LogGroup(
        scope,
        name,
        encryption_key=key,
        removal_policy=RemovalPolicy.RETAIN if plan.protected else RemovalPolicy.DESTROY,
    )
    # By number: the construct's enumeration names each period in words.
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)
    resource.retention_in_days = days or plan.retention.logs
    return group
