"""What stands against a region's quotas, beside what an environment's own stacks hold there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from edgemind.domain.deployment_needs import Quota

STACK_TAG = "aws:cloudformation:stack-name"
"""CloudFormation puts it on what it makes; nobody else can."""
_FAMILY = re.compile("[a-z]+")
_STANDARD = frozenset({*"acdhimrtz", "im", "is"})
_GPU = frozenset({"g", "vt"})
_RUNNING = {"Name": "instance-state-name", "Values": ["pending", "running"]}
_USAGE_WINDOW = timedelta(hours=2)


class Usage:
    """Of one region; each API is asked once, when it is first needed. Raises what boto3's clients raise."""

    def __init__(self, client: Callable[[str, str], Any], region: str, environment: str) -> None:
        self._client = client
        self._region = region
        self._own_stacks = f"{environment}-"

    def of(self, quota: Quota, metric: Mapping[str, Any] | None) -> int:
        """`metric` is the usage metric that Service Quotas names for it; Fargate is counted by nothing else."""
        match quota:
            case Quota.VPCS:
                return sum(not self._is_own(vpc) for vpc in self._vpcs)
            case Quota.ELASTIC_IPS:
                addresses = self._client("ec2", self._region).describe_addresses()["Addresses"]
                return sum(not self._is_own(address) for address in addresses)
            case Quota.FARGATE_VCPUS:
                return self._measured(metric) if metric else 0
            case _:
                return sum(vcpus for of, vcpus in self._instances if of is quota)

    def _is_own(self, resource: Mapping[str, Any]) -> bool:
        tags = {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
        return str(tags.get(STACK_TAG, "")).startswith(self._own_stacks)

    def _pages(self, operation: str, key: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        for page in self._client("ec2", self._region).get_paginator(operation).paginate(**arguments):
            yield from page[key]

    @cached_property
    def _vpcs(self) -> list[Mapping[str, Any]]:
        return list(self._pages("describe_vpcs", "Vpcs"))

    @cached_property
    def _instances(self) -> list[tuple[Quota | None, int]]:
        """The quota and the vCPUs of each instance that is not in a VPC of the environment."""
        own = {vpc["VpcId"] for vpc in self._vpcs if self._is_own(vpc)}
        return [
            (quota_of(instance["InstanceType"], spot=instance.get("InstanceLifecycle") == "spot"), vcpus_of(instance))
            for reservation in self._pages("describe_instances", "Reservations", Filters=[_RUNNING])
            for instance in reservation["Instances"]
            if instance.get("VpcId") not in own
        ]

    def _measured(self, metric: Mapping[str, Any]) -> int:
        """The latest of a metric's hourly highs; nothing measured is nothing used."""
        now = datetime.now(UTC)
        told = self._client("cloudwatch", self._region).get_metric_statistics(
            Namespace=metric["MetricNamespace"],
            MetricName=metric["MetricName"],
            Dimensions=[{"Name": name, "Value": value} for name, value in metric["MetricDimensions"].items()],
            StartTime=now - _USAGE_WINDOW,
            EndTime=now,
            Period=3600,
            Statistics=["Maximum"],
        )
        points = sorted(told["Datapoints"], key=lambda point: point["Timestamp"])
        return round(points[-1]["Maximum"]) if points else 0


def quota_of(instance_type: str, *, spot: bool) -> Quota | None:
    """The quota that an instance stands against; None for families that no environment of ours uses."""
    named = _FAMILY.match(instance_type)
    family = named.group() if named else ""
    if family in _GPU:
        return None if spot else Quota.GPU_VCPUS
    if family in _STANDARD:
        return Quota.STANDARD_SPOT_VCPUS if spot else Quota.STANDARD_VCPUS
    return None


def vcpus_of(instance: Mapping[str, Any]) -> int:
    options = instance.get("CpuOptions", {})
    return int(options.get("CoreCount", 0)) * int(options.get("ThreadsPerCore", 1))
