"""What the preflight looks at, and what it says about each gap."""

from dataclasses import dataclass, field

import pytest

from edgemind.domain.deployment_needs import (
    DeploymentNeeds,
    Finding,
    Quota,
    QuotaState,
    RegionNeeds,
    Verdict,
    ZoneState,
    gaps,
    ready,
)
from edgemind.errors import PermanentError, TemporaryError
from edgemind.services.check_deployment import check_deployment

HERE, LONDON = "eu-central-1", "eu-west-2"
NEEDS = DeploymentNeeds(
    "staging", "123456789012", 6,
    (
        RegionNeeds(HERE, {Quota.VPCS: 1, Quota.STANDARD_VCPUS: 12, Quota.GPU_VCPUS: 0}, ("zone-1",), ("model-1",)),
        RegionNeeds(LONDON, {Quota.VPCS: 1}),
    ),
)  # fmt: skip


@dataclass
class FakeAccount:
    """An account in which everything is as it should be, until a test says otherwise."""

    number: str = NEEDS.account
    bootstraps: dict[str, int | None] = field(default_factory=dict)
    limits: dict[Quota, int] = field(default_factory=dict)
    used: dict[Quota, int] = field(default_factory=dict)
    zones: dict[str, ZoneState | None] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    denied: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def account(self) -> str:
        return self.number

    def bootstrap_version(self, region: str) -> int | None:
        self._ask("bootstrap")
        return self.bootstraps.get(region, 30)

    def quota(self, region: str, quota: Quota, environment: str) -> QuotaState:
        self._ask(f"{region} {quota.name} {environment}")
        return QuotaState(self.limits.get(quota, 100), self.used.get(quota, 0), "ec2/L-1216C47A")

    def zone(self, region: str, zone: str) -> ZoneState | None:
        return self.zones.get(zone, ZoneState("group-1", opted_in=True))

    def model_lacks(self, region: str, model: str) -> tuple[str, ...]:
        return self.lacks

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.denied:
            raise PermanentError(f"not allowed to ask for {what}")


def gap(account: FakeAccount) -> Finding:
    """The only one that there is."""
    [found] = gaps(check_deployment(NEEDS, account))
    return found


def test_an_account_that_has_everything_is_ready() -> None:
    account = FakeAccount()
    findings = check_deployment(NEEDS, account)

    assert ready(findings)
    assert [(finding.place, finding.subject) for finding in findings] == [
        ("account", "account"),
        (HERE, "bootstrap"),
        (HERE, "VPCs"),
        (HERE, "vCPUs of standard instances, on demand"),
        (HERE, "zone zone-1"),
        (HERE, "model model-1"),
        (LONDON, "bootstrap"),
        (LONDON, "VPCs"),
    ]
    assert not any(finding.mend for finding in findings)


def test_in_the_wrong_account_nothing_else_is_asked() -> None:
    account = FakeAccount(number="999999999999")
    [finding] = check_deployment(NEEDS, account)

    assert finding.verdict is Verdict.MISSING
    assert "999999999999" in finding.found
    assert "-c account=999999999999" in finding.mend
    assert account.asked == []


@pytest.mark.parametrize(("version", "found"), [(None, "not bootstrapped"), (5, "version 5, needed is 6")])
def test_a_region_without_a_fitting_bootstrap(version: int | None, found: str) -> None:
    finding = gap(FakeAccount(bootstraps={LONDON: version}))

    assert (finding.place, finding.subject, finding.found) == (LONDON, "bootstrap", found)
    assert finding.mend == "npx cdk bootstrap -c env=staging aws://123456789012/eu-west-2"


def test_the_oldest_bootstrap_that_will_do() -> None:
    assert ready(check_deployment(NEEDS, FakeAccount(bootstraps={HERE: 6})))


def test_a_quota_that_what_is_there_leaves_too_small() -> None:
    finding = gap(FakeAccount(limits={Quota.STANDARD_VCPUS: 16}, used={Quota.STANDARD_VCPUS: 5}))

    assert finding.found == "12 needed, 5 of 16 in use"
    assert finding.mend == (
        "aws service-quotas request-service-quota-increase --region eu-central-1 --service-code ec2 "
        "--quota-code L-1216C47A --desired-value 17"
    )


def test_a_quota_that_just_suffices() -> None:
    assert ready(
        check_deployment(NEEDS, FakeAccount(limits={Quota.STANDARD_VCPUS: 17}, used={Quota.STANDARD_VCPUS: 5}))
    )


def test_a_zone_that_is_not_opted_in() -> None:
    finding = gap(FakeAccount(zones={"zone-1": ZoneState("eu-central-1-ham-1", opted_in=False)}))

    assert "eu-central-1-ham-1" in finding.found
    assert finding.mend == (
        "aws ec2 modify-availability-zone-group --region eu-central-1 --group-name eu-central-1-ham-1 "
        "--opt-in-status opted-in"
    )


def test_a_zone_that_is_not_there() -> None:
    finding = gap(FakeAccount(zones={"zone-1": None}))
    assert finding.verdict is Verdict.MISSING
    assert "no such zone" in finding.found


def test_a_model_without_access() -> None:
    finding = gap(FakeAccount(lacks=("the account is not authorized", "the provider's terms are PENDING")))
    assert finding.subject == "model model-1"
    assert finding.found == "the account is not authorized, the provider's terms are PENDING"
    assert "Model access" in finding.mend


def test_what_the_account_refuses_to_tell_is_unknown_and_the_rest_is_still_looked_at() -> None:
    account = FakeAccount(denied=frozenset({f"{HERE} VPCS staging"}), bootstraps={LONDON: None})
    unknown, missing = gaps(check_deployment(NEEDS, account))

    assert (unknown.subject, unknown.verdict) == ("VPCs", Verdict.UNKNOWN)
    assert "not allowed" in unknown.found
    assert (missing.place, missing.verdict) == (LONDON, Verdict.MISSING)


def test_an_account_that_cannot_be_reached_ends_the_check() -> None:
    class Unreachable(FakeAccount):
        def account(self) -> str:
            raise TemporaryError("no way there")

    with pytest.raises(TemporaryError, match="no way there"):
        check_deployment(NEEDS, Unreachable())


def test_needs_are_the_same_after_they_were_told() -> None:
    assert DeploymentNeeds.read(NEEDS.document()) == NEEDS


@pytest.mark.parametrize("document", [{}, {**NEEDS.document(), "regions": [{"region": HERE}]}])
def test_needs_of_another_version_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(PermanentError, match="one version of both"):
        DeploymentNeeds.read(document)
