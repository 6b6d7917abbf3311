"""Valkey: encrypted at rest and on the way, users by role, several zones."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks import names
from stacks.log_groups import log_group
from stacks.plans import Environment

ENGINE = "valkey"
ENGINE_VERSION = "8.1"
LOGS = {"slow-log": "SlowLog", "engine-log": "EngineLog"}
KEYS = "~edgemind:*"
USERS = {
    # The default user of every client that gives no name: off, so that a forgotten name is refused.
    "default": "off -@all",
    "controller": f"on {KEYS} &edgemind:* +@all -@admin -@dangerous",
    "gateway": f"on {KEYS} +@read +@connection -@admin -@dangerous",
}
"""What each component may do, as Valkey's ACLs say it."""


class Valkey(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        plan: Environment,
        subnets: Sequence[ec2.ISubnet],
        group: ec2.ISecurityGroup,
        keys: tuple[kms.IKey, kms.IKey],
        port: int,
    ) -> None:
        """`keys`: of the data and of the logs."""
        super().__init__(scope, name)
        self.users = {role: self._user(plan, role, access) for role, access in USERS.items()}
        user_group = elasticache.CfnUserGroup(
            self,
            "Users",
            engine=ENGINE,
            user_group_id=f"edgemind-{plan.name}",
            user_ids=[user.ref for user in self.users.values()],
        )
        placed = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description=f"EdgeMind {plan.name}: Valkey",
            subnet_ids=[subnet.subnet_id for subnet in subnets],
        )
        self.group = self._replication_group(plan, user_group.ref, placed.ref, group, keys, port)
        sharded = plan.cache.shards > 1
        address = (
            self.group.attr_configuration_end_point_address if sharded else self.group.attr_primary_end_point_address
        )
        self.endpoint = f"{address}:{port}"

    def _user(self, plan: Environment, role: str, access: str) -> elasticache.CfnUser:
        # The name that IAM authentication compares must be the id; the default user has to keep its own name.
        user_id = names.cache_user(plan, role)
        return elasticache.CfnUser(
            self,
            f"User{role.capitalize()}",
            engine=ENGINE,
            user_id=user_id,
            user_name="default" if role == "default" else user_id,
            access_string=access,
            authentication_mode={"Type": "no-password-required" if role == "default" else "iam"},
        )

    def _replication_group(
        self,
        plan: Environment,
        users: str,
        subnets: str,
        group: ec2.ISecurityGroup,
        keys: tuple[kms.IKey, kms.IKey],
        port: int,
    ) -> elasticache.CfnReplicationGroup:
        data_key, logs_key = keys
        sharded = plan.cache.shards > 1
        return elasticache.CfnReplicationGroup(
            self,
            "Group",
            replication_group_id=names.cache(plan),
            replication_group_description=f"EdgeMind {plan.name}: which site holds which prefix",
            engine=ENGINE,
            engine_version=ENGINE_VERSION,
            cache_node_type=plan.cache.node_type,
            cache_parameter_group_name=f"default.valkey8{'.cluster.on' if sharded else ''}",
            num_node_groups=plan.cache.shards,
            replicas_per_node_group=plan.cache.replicas,
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            at_rest_encryption_enabled=True,
            kms_key_id=data_key.key_arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            user_group_ids=[users],
            cache_subnet_group_name=subnets,
            security_group_ids=[group.security_group_id],
            port=port,
            snapshot_retention_limit=plan.cache.snapshot_days,
            snapshot_window="02:00-03:00",
            preferred_maintenance_window="sun:03:30-sun:04:30",
            auto_minor_version_upgrade=True,
            log_delivery_configurations=[self._log_delivery(plan, kind, name, logs_key) for kind, name in LOGS.items()],
        )

    def _log_delivery(
        self, plan: Environment, kind: str, name: str, key: kms.IKey
    ) -> elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty:
        logs = elasticache.CfnReplicationGroup.CloudWatchLogsDestinationDetailsProperty(
            log_group=log_group(self, name, plan, key).log_group_name
        )
        return elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty(
            destination_type="cloudwatch-logs",
            destination_details=elasticache.CfnReplicationGroup.DestinationDetailsProperty(
                cloud_watch_logs_details=logs
            ),
            log_format="json",
            log_type=kind,
        )
