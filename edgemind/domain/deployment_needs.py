"""What an environment needs of an AWS account before it can be deployed, and what the account has of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from edgemind.errors import PermanentError


class Quota(StrEnum):
    """What AWS counts per region. vCPUs are counted by instance family and by how they are paid."""

    VPCS = "VPCs"
    ELASTIC_IPS = "elastic IPs"
    STANDARD_VCPUS = "vCPUs of standard instances, on demand"
    STANDARD_SPOT_VCPUS = "vCPUs of standard instances, spot"
    GPU_VCPUS = "vCPUs of G instances, on demand"
    FARGATE_VCPUS = "vCPUs of Fargate"


@dataclass(frozen=True, slots=True)
class RegionNeeds:
    """One region. `zones` are Local and Wavelength Zones that sites stand in, `models` ids of Bedrock models."""

    region: str
    quotas: Mapping[Quota, int]
    zones: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeploymentNeeds:
    """`bootstrap_version` is the oldest version of the CDK's bootstrap stack that will do."""

    environment: str
    account: str
    bootstrap_version: int
    regions: tuple[RegionNeeds, ...]

    def document(self) -> dict[str, Any]:
        """As plain data: what the CDK app prints and `read` takes."""
        return {
            "environment": self.environment,
            "account": self.account,
            "bootstrap_version": self.bootstrap_version,
            "regions": [
                {
                    "region": needs.region,
                    "quotas": {quota.name: count for quota, count in needs.quotas.items()},
                    "zones": list(needs.zones),
                    "models": list(needs.models),
                }
                for needs in self.regions
            ],
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The reverse of `document`; PermanentError if it is of another version of EdgeMind."""
        try:
            return cls(
                document["environment"],
                document["account"],
                document["bootstrap_version"],
                tuple(_region_needs(told) for told in document["regions"]),
            )
        except (KeyError, TypeError) as exc:
            raise PermanentError(
                f"the CDK app tells its needs in another form ({exc}): use one version of both"
            ) from exc


def _region_needs(told: Mapping[str, Any]) -> RegionNeeds:
    quotas = {Quota[name]: int(count) for name, count in told["quotas"].items()}
    return RegionNeeds(told["region"], quotas, tuple(told["zones"]), tuple(told["models"]))


class Verdict(StrEnum):
    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """The account did not tell: usually a permission that the one who asks lacks."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `mend` says what to do about it, and is empty if all is well."""

    place: str
    subject: str
    verdict: Verdict
    found: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class QuotaState:
    """`limit` is the account's quota now, `used` what stands against it beside this environment's own resources."""

    limit: int
    used: int
    code: str
    """As the Service Quotas console and API call it: `ec2/L-1216C47A`."""


@dataclass(frozen=True, slots=True)
class ZoneState:
    """A zone as the region knows it. Zones are opted in by group."""

    group: str
    opted_in: bool


def judge_account(needs: DeploymentNeeds, account: str) -> Finding:
    if account == needs.account:
        return Finding("account", "account", Verdict.OK, account)
    return Finding(
        "account", "account", Verdict.MISSING,
        f"the credentials are for {account}, {needs.environment} is for {needs.account}",
        f"use the credentials of {needs.account}, set it in stacks/environments.py, or pass -c account={account}",
    )  # fmt: skip


def judge_bootstrap(needs: DeploymentNeeds, region: str, version: int | None) -> Finding:
    if version is not None and version >= needs.bootstrap_version:
        return Finding(region, "bootstrap", Verdict.OK, f"version {version}")
    found = "not bootstrapped" if version is None else f"version {version}, needed is {needs.bootstrap_version}"
    return Finding(
        region, "bootstrap", Verdict.MISSING, found, f"npx cdk bootstrap -c env={needs.environment} aws://{needs.account}/{region}"
    )  # fmt: skip


def judge_quota(region: str, quota: Quota, count: int, state: QuotaState) -> Finding:
    found = f"{count} needed, {state.used} of {state.limit} in use"
    if state.used + count <= state.limit:
        return Finding(region, quota.value, Verdict.OK, found)
    service, code = state.code.split("/")
    return Finding(
        region, quota.value, Verdict.MISSING, found,
        f"aws service-quotas request-service-quota-increase --region {region} --service-code {service} "
        f"--quota-code {code} --desired-value {state.used + count}",
    )  # fmt: skip


def judge_zone(region: str, zone: str, state: ZoneState | None) -> Finding:
    subject = f"zone {zone}"
    if state is None:
        return Finding(
            region, subject, Verdict.MISSING, f"{region} has no such zone for this account",
            "choose another zone for the site in stacks/environments.py",
        )  # fmt: skip
    if state.opted_in:
        return Finding(region, subject, Verdict.OK, "opted in")
    return Finding(
        region, subject, Verdict.MISSING, f"its group {state.group} is not opted in",
        f"aws ec2 modify-availability-zone-group --region {region} --group-name {state.group} --opt-in-status opted-in",
    )  # fmt: skip


def judge_model(region: str, model: str, lacks: tuple[str, ...]) -> Finding:
    """`lacks`: what access to the model still wants, in Bedrock's words; empty if it may be called."""
    subject = f"model {model}"
    if not lacks:
        return Finding(region, subject, Verdict.OK, "may be called")
    return Finding(
        region, subject, Verdict.MISSING, ", ".join(lacks),
        f"ask for access in the Bedrock console of {region} (Model access), or name a model that is offered there",
    )  # fmt: skip


def ready(findings: tuple[Finding, ...]) -> bool:
    return all(finding.verdict is Verdict.OK for finding in findings)


def gaps(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    return (finding for finding in findings if finding.verdict is not Verdict.OK)
