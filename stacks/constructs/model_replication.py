"""Copies of every model version in other regions. Their buckets and keys go by the names that the plan gives them."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks import names
from stacks.plans import Environment


def replicate(scope: Construct, bucket: s3.Bucket, key: kms.IKey, plan: Environment, regions: Sequence[str]) -> None:
    """Replicate `bucket` to the model bucket of each region, with S3's 15-minute objective and its metrics."""
    role = _role(scope, key, plan, regions)
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    minutes = s3.CfnBucket.ReplicationTimeValueProperty(minutes=15)
    resource.replication_configuration = s3.CfnBucket.ReplicationConfigurationProperty(
        role=role.role_arn,
        rules=[
            s3.CfnBucket.ReplicationRuleProperty(
                id=f"models-to-{region}",
                status="Enabled",
                priority=number,
                filter=s3.CfnBucket.ReplicationRuleFilterProperty(prefix=""),
                # A model deleted by mistake here is still there.
                delete_marker_replication=s3.CfnBucket.DeleteMarkerReplicationProperty(status="Disabled"),
                source_selection_criteria=s3.CfnBucket.SourceSelectionCriteriaProperty(
                    sse_kms_encrypted_objects=s3.CfnBucket.SseKmsEncryptedObjectsProperty(status="Enabled")
                ),
                destination=s3.CfnBucket.ReplicationDestinationProperty(
                    bucket=f"arn:aws:s3:::{names.model_bucket(plan, region)}",
                    encryption_configuration=s3.CfnBucket.EncryptionConfigurationProperty(
                        replica_kms_key_id=names.data_key_alias_arn(plan, region)
                    ),
                    metrics=s3.CfnBucket.MetricsProperty(status="Enabled", event_threshold=minutes),
                    replication_time=s3.CfnBucket.ReplicationTimeProperty(status="Enabled", time=minutes),
                ),
            )
            for number, region in enumerate(regions, 1)
        ],
    )


def _role(scope: Construct, key: kms.IKey, plan: Environment, regions: Sequence[str]) -> iam.Role:
    role = iam.Role(
        scope,
        "ReplicationRole",
        assumed_by=iam.ServicePrincipal(
            "s3.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": plan.account}}
        ),
        description="S3 copies models to the standby region",
    )
    iam.ManagedPolicy(
        scope,
        "ReplicationPolicy",
        description="Models are read here and written to the standby region",
        statements=_statements(f"arn:aws:s3:::{names.model_bucket(plan, plan.primary)}", key.key_arn, plan, regions),
        roles=[role],
    )
    return role


def _statements(bucket: str, key: str, plan: Environment, regions: Sequence[str]) -> list[iam.PolicyStatement]:
    copies = [f"arn:aws:s3:::{names.model_bucket(plan, region)}/*" for region in regions]
    read = ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging")
    grants = {
        ("s3:GetReplicationConfiguration", "s3:ListBucket"): [bucket],
        read: [f"{bucket}/*"],
        ("s3:ReplicateObject", "s3:ReplicateTags"): copies,
        ("kms:Decrypt",): [key],
    }
    statements = [
        iam.PolicyStatement(actions=list(actions), resources=resources) for actions, resources in grants.items()
    ]
    # The standby's key has an id that only its own region knows; its alias is ours.
    encrypt = iam.PolicyStatement(
        actions=["kms:Encrypt"],
        resources=[f"arn:aws:kms:{region}:{plan.account}:key/*" for region in regions],
        conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": names.data_key_alias(plan)}},
    )
    return [*statements, encrypt]
