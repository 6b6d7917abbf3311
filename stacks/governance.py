"""Governance of the account: the trail of who did what, and the budget that tells when spending runs away."""

from aws_cdk import Duration
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from edgemind.domain.deployment import environment_stack
from edgemind.domain.kpi import BY_NAME
from edgemind.domain.monitoring.rules import bounds
from stacks import names
from stacks.base import PlannedStack
from stacks.log_groups import log_group
from stacks.plans import Environment


class GovernanceStack(PlannedStack):
    def __init__(self, scope: Construct, plan: Environment) -> None:
        super().__init__(
            scope,
            environment_stack(plan.name, "governance"),
            plan,
            plan.primary,
            "governance",
            "audit trail and budget of the account",
            protected=True,
        )
        self._trail(self._audit_key())
        self._budget()

    def _audit_key(self) -> kms.Key:
        key = kms.Key(
            self,
            "AuditKey",
            alias=f"alias/edgemind/{self.plan.name}/audit",
            description=f"EdgeMind {self.plan.name}: audit trail",
            enable_key_rotation=True,
            rotation_period=Duration.days(365),
            pending_window=Duration.days(30 if self.plan.protected else 7),
            removal_policy=self.removal,
        )
        key.grant_encrypt_decrypt(iam.ServicePrincipal(f"logs.{self.plan.primary}.amazonaws.com"))
        return key

    def _trail(self, key: kms.Key) -> None:
        bucket = s3.Bucket(
            self,
            "AuditBucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=s3.Bucket.from_bucket_name(
                self, "Logs", names.log_bucket(self.plan, self.plan.primary)
            ),
            server_access_logs_prefix="audit/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(self.plan.retention.audit),
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                )
            ],
            removal_policy=self.removal,
            auto_delete_objects=not self.plan.protected,
        )
        cloudtrail.Trail(
            self,
            "Trail",
            trail_name=f"edgemind-{self.plan.name}",
            bucket=bucket,
            encryption_key=key,
            enable_file_validation=True,
            include_global_service_events=True,
            is_multi_region_trail=True,
            send_to_cloud_watch_logs=True,
            cloud_watch_log_group=log_group(self, "TrailLogs", self.plan, key, days=self.plan.retention.audit),
        )

    def _budget(self) -> None:
        budget = self.plan.budget
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"edgemind-{self.plan.name}",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=budget.monthly_usd, unit="USD"),
                # By tag: an account may hold more than EdgeMind.
                cost_filters={"TagKeyValue": [f"user:edgemind:environment${self.plan.name}"]},
            ),
            notifications_with_subscribers=[
                self._alarm(kind, ratio) for ratio in self._spend_limits() for kind in ("ACTUAL", "FORECASTED")
            ],
        )

    def _spend_limits(self) -> list[float]:
        """Shares of the budget, from the KPI catalogue."""
        return sorted(bound for _, bound in bounds(BY_NAME["spend_ratio"], self.plan.tier))

    def _alarm(self, kind: str, ratio: float) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
        return budgets.CfnBudget.NotificationWithSubscribersProperty(
            notification=budgets.CfnBudget.NotificationProperty(
                comparison_operator="GREATER_THAN",
                notification_type=kind,
                threshold=round(ratio * 100),
                threshold_type="PERCENTAGE",
            ),
            subscribers=[
                budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=self.plan.budget.email)
            ],
        )
