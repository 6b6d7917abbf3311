"""A topic for each level of alert, encrypted, which CloudWatch may publish to and people subscribe to."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from edgemind.domain.kpi import Level
from stacks import names
from stacks.base import PlannedStack
from stacks.plans import Environment

LEVELS = (Level.CRITICAL, Level.WARNING, Level.INFO)
TOLD = (Level.CRITICAL, Level.WARNING)
"""What somebody is sent; whoever wants to know of the rest subscribes."""


class AlertTopics(Construct):
    """`topics` by level."""

    def __init__(self, scope: PlannedStack, name: str, plan: Environment, region: str) -> None:
        super().__init__(scope, name)
        key = kms.Key(
            self,
            "Key",
            alias=names.alert_key_alias(plan),
            description=f"EdgeMind {plan.name}: alert topics",
            enable_key_rotation=True,
            rotation_period=Duration.days(365),
            pending_window=Duration.days(30 if plan.protected else 7),
            removal_policy=scope.removal,
        )
        publisher = iam.ServicePrincipal(
            "cloudwatch.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": plan.account}}
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsMayEncrypt",
                principals=[publisher],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
            )
        )
        self.topics = {level: self._topic(level, plan, region, key, publisher) for level in LEVELS}

    def _topic(
        self, level: Level, plan: Environment, region: str, key: kms.IKey, publisher: iam.IPrincipal
    ) -> sns.Topic:
        topic = sns.Topic(
            self,
            level.value.capitalize(),
            topic_name=names.alert_topic(plan, level),
            display_name=f"EdgeMind {plan.name} {region} {level.value}",
            master_key=key,
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsMayPublish", principals=[publisher], actions=["sns:Publish"], resources=[topic.topic_arn]
            )
        )
        if level in TOLD:
            topic.add_subscription(subscriptions.EmailSubscription(plan.alert_email))
        return topic
