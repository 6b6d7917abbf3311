"""Security of one region: the keys, the bucket that access logs go to, and the fleet's secrets."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from edgemind.domain.deployment import regional_stack
from stacks import names
from stacks.base import PlannedStack
from stacks.plans import Environment

FLEET_SECRETS = ("secret", "viewer", "operator", "admin", "bedrock")
"""The site-to-site secret and the tokens of the fleet API's three roles (edgemind.yaml's group `fleet`), and what
gateways bring to the Bedrock proxy."""


class SecurityStack(PlannedStack):
    """`data_key` is for tables, buckets and cache, `logs_key` for log groups, `cluster_key` for Kubernetes secrets."""

    def __init__(self, scope: Construct, plan: Environment, region: str) -> None:
        super().__init__(
            scope,
            regional_stack(plan.name, region, "security"),
            plan,
            region,
            "security",
            f"keys, log bucket and fleet secrets in {region}",
            protected=True,
        )
        self.data_key = self._key("DataKey", "tables, buckets and cache", names.data_key_alias(plan))
        self.logs_key = self._key("LogsKey", "log groups", f"alias/edgemind/{plan.name}/logs")
        self.logs_key.grant_encrypt_decrypt(iam.ServicePrincipal(f"logs.{region}.amazonaws.com"))
        self.cluster_key = self._key("ClusterKey", "Kubernetes secrets", f"alias/edgemind/{plan.name}/cluster")
        self.log_bucket = self._log_bucket(region)
        self.fleet_secrets = {name: self._fleet_secret(name) for name in FLEET_SECRETS}

    def _key(self, name: str, use: str, alias: str) -> kms.Key:
        return kms.Key(
            self,
            name,
            alias=alias,
            description=f"EdgeMind {self.plan.name}: {use}",
            enable_key_rotation=True,
            rotation_period=Duration.days(365),
            pending_window=Duration.days(30 if self.plan.protected else 7),
            removal_policy=self.removal,
        )

    def _log_bucket(self, region: str) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "LogBucket",
            bucket_name=names.log_bucket(self.plan, region),
            # S3 delivers access logs to SSE-S3 buckets only.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
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
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AccessLogsOfThisAccount",
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("*")],
                conditions={"StringEquals": {"aws:SourceAccount": self.plan.account}},
            )
        )
        return bucket

    def _fleet_secret(self, name: str) -> secretsmanager.Secret:
        return secretsmanager.Secret(
            self,
            f"Fleet{name.capitalize()}",
            secret_name=names.fleet_secret(self.plan, name),
            description=f"EdgeMind {self.plan.name}: fleet {name}",
            encryption_key=self.data_key,
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=48, exclude_punctuation=True),
            removal_policy=self.removal,
        )
