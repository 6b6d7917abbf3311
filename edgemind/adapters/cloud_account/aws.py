"""An AWS account as its APIs tell: identity, bootstrap, quotas with their use, zones, access to Bedrock's models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from edgemind.adapters import aws_calls
from edgemind.adapters.cloud_account.usage import Usage
from edgemind.domain.deployment_needs import Quota, QuotaState, ZoneState
from edgemind.errors import PermanentError, TemporaryError

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
"""Of the CDK's default qualifier; stacks of ours use no other."""
TIMEOUT_S = 10.0

QUOTA_CODES: Mapping[Quota, str] = {
    Quota.VPCS: "vpc/L-F678F1CE",
    Quota.ELASTIC_IPS: "ec2/L-0263D0A3",
    Quota.STANDARD_VCPUS: "ec2/L-1216C47A",
    Quota.STANDARD_SPOT_VCPUS: "ec2/L-34B43A08",
    Quota.GPU_VCPUS: "ec2/L-DB2E81BA",
    Quota.FARGATE_VCPUS: "fargate/L-3032A538",
}

_MODEL_STATES = (
    ("regionAvailability", "AVAILABLE", "not offered in this region"),
    ("entitlementAvailability", "AVAILABLE", "the account is not entitled to it"),
    ("authorizationStatus", "AUTHORIZED", "the account is not authorized"),
)


def _connect(service: str, region: str) -> Any:
    return aws_calls.new_client(service, region, None, timeout_s=TIMEOUT_S)


class AwsAccount:
    """A port of cloud_account. Nothing is asked before its first method is called."""

    def __init__(self, connect: Callable[[str, str], Any] = _connect) -> None:
        """`connect` makes a client of a service in a region."""
        self._connect = connect
        self._clients: dict[tuple[str, str], Any] = {}
        self._usage: dict[tuple[str, str], Usage] = {}

    def account(self) -> str:
        with _told("sts:GetCallerIdentity"):
            # Any region answers; without one, a person whose profile names none could not be told who they are.
            return str(self._client("sts", "us-east-1").get_caller_identity()["Account"])

    def bootstrap_version(self, region: str) -> int | None:
        with _told("ssm:GetParameter"):
            try:
                answer = self._client("ssm", region).get_parameter(Name=BOOTSTRAP_PARAMETER)
            except aws_calls.errors() as exc:
                if aws_calls.fault_of(exc).code == "ParameterNotFound":
                    return None
                raise
            return int(answer["Parameter"]["Value"])

    def quota(self, region: str, quota: Quota, environment: str) -> QuotaState:
        code = QUOTA_CODES[quota]
        told = self._quota(region, *code.split("/"))
        usage = self._usage.setdefault((region, environment), Usage(self._client, region, environment))
        with _told("ec2:Describe* and cloudwatch:GetMetricStatistics"):
            return QuotaState(int(told["Value"]), usage.of(quota, told.get("UsageMetric")), code)

    def _quota(self, region: str, service: str, code: str) -> dict[str, Any]:
        client = self._client("service-quotas", region)
        with _told("servicequotas:GetServiceQuota and servicequotas:GetAWSDefaultServiceQuota"):
            try:
                answer = client.get_service_quota(ServiceCode=service, QuotaCode=code)
            except aws_calls.errors() as exc:
                # An account that never asked for more has AWS's default, and for some quotas no entry of its own.
                if aws_calls.fault_of(exc).code != "NoSuchResourceException":
                    raise
                answer = client.get_aws_default_service_quota(ServiceCode=service, QuotaCode=code)
            return dict(answer["Quota"])

    def zone(self, region: str, zone: str) -> ZoneState | None:
        with _told("ec2:DescribeAvailabilityZones"):
            # Not asked for by name: an unknown name would be an error instead of an answer.
            told = self._client("ec2", region).describe_availability_zones(AllAvailabilityZones=True)
        for known in told["AvailabilityZones"]:
            if known["ZoneName"] == zone:
                return ZoneState(known.get("GroupName", zone), known.get("OptInStatus") != "not-opted-in")
        return None

    def model_lacks(self, region: str, model: str) -> tuple[str, ...]:
        with _told("bedrock:GetFoundationModelAvailability"):
            try:
                told = self._client("bedrock", region).get_foundation_model_availability(modelId=model)
            except aws_calls.errors() as exc:
                if aws_calls.fault_of(exc).outcome is aws_calls.Outcome.MISSING:
                    return ("Bedrock knows no such model here",)
                raise
        lacks = [lack for name, wanted, lack in _MODEL_STATES if told.get(name) != wanted]
        agreement = told.get("agreementAvailability", {}).get("status", "ERROR")
        # PENDING and NOT_AVAILABLE: nobody has accepted the provider's terms for this account yet.
        return (*lacks, *([] if agreement == "AVAILABLE" else [f"the provider's terms are {agreement}"]))

    def _client(self, service: str, region: str) -> Any:
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = self._connect(service, region)
        return self._clients[key]


@contextmanager
def _told(actions: str) -> Iterator[None]:
    """AWS's errors as ours; `actions` is what the credentials must allow."""
    try:
        yield
    except aws_calls.errors() as exc:
        fault = aws_calls.fault_of(exc)
        if fault.passing:
            raise TemporaryError(f"AWS did not answer ({fault.says}). {aws_calls.REMEDIES[fault.outcome]}.") from exc
        if fault.outcome is aws_calls.Outcome.DENIED:
            raise PermanentError(f"{fault.says}; allow {actions} to these credentials") from exc
        remedy = aws_calls.REMEDIES.get(fault.outcome)
        raise PermanentError(f"{fault.says}{f'. {remedy}' if remedy else ''}") from exc
