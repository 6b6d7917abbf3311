"""The bucket that models are published to: versioned, private, TLS only, and copied to the standby's bucket."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks import names
from stacks.constructs.model_replication import replicate
from stacks.plans import Environment


class ModelBucket(Construct):
    def __init__(
        self, scope: Construct, name: str, plan: Environment, region: str, key: kms.IKey, replicas: Sequence[str]
    ) -> None:
        super().__init__(scope, name)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=names.model_bucket(plan, region),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            # By name: the log bucket's policy, in another stack, admits every bucket of the account.
            server_access_logs_bucket=s3.Bucket.from_bucket_name(self, "Logs", names.log_bucket(plan, region)),
            server_access_logs_prefix="models/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    transitions=[
                        # At once: a model that nobody loads for a month costs less by itself.
                        s3.Transition(
                            storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=Duration.days(0)
                        )
                    ],
                    noncurrent_version_expiration=Duration.days(plan.retention.models),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                )
            ],
            removal_policy=RemovalPolicy.RETAIN if plan.protected else RemovalPolicy.DESTROY,
            auto_delete_objects=not plan.protected,
        )
        if replicas:
            replicate(self, self.bucket, key, plan, replicas)
