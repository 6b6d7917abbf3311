"""The account as AWS's APIs tell it: which calls are made, with what, and what their answers mean."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from edgemind.adapters.cloud_account.aws import BOOTSTRAP_PARAMETER, QUOTA_CODES, AwsAccount
from edgemind.adapters.cloud_account.usage import STACK_TAG, quota_of
from edgemind.domain.deployment_needs import Quota, QuotaState, ZoneState
from edgemind.errors import PermanentError, TemporaryError

REGION = "eu-central-1"
OWN = [{"Key": STACK_TAG, "Value": "staging-eu-central-1-network"}]
OTHER = [{"Key": STACK_TAG, "Value": "staging2-network"}]
MODEL = "amazon.nova-micro-v1:0"
RUNNING = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]


class Stubs:
    """A stubbed client per service. botocore checks calls and answers against AWS's own descriptions."""

    def __init__(self) -> None:
        self._stubbers: dict[str, Stubber] = {}
        self.account = AwsAccount(self._connect)

    def __getitem__(self, service: str) -> Stubber:
        if service not in self._stubbers:
            client: Any = boto3.Session("test", "test", region_name=REGION).client(service)  # type: ignore[call-overload]
            self._stubbers[service] = Stubber(client)
            self._stubbers[service].activate()
        return self._stubbers[service]

    def _connect(self, service: str, region: str) -> Any:
        assert region == ("us-east-1" if service == "sts" else REGION)
        return self[service].client

    def limit(self, quota: Quota, value: float, metric: dict[str, Any] | None = None) -> None:
        service, code = QUOTA_CODES[quota].split("/")
        answer = {"Value": value, **({"UsageMetric": metric} if metric else {})}
        asked = {"ServiceCode": service, "QuotaCode": code}
        self["service-quotas"].add_response("get_service_quota", {"Quota": answer}, asked)

    def settled(self) -> None:
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()


@pytest.fixture
def stubs() -> Iterator[Stubs]:
    stubs = Stubs()
    yield stubs
    stubs.settled()


def test_the_account_is_the_one_of_the_credentials(stubs: Stubs) -> None:
    stubs["sts"].add_response("get_caller_identity", {"Account": "123456789012"}, {})
    assert stubs.account.account() == "123456789012"


def test_the_version_of_the_bootstrap_stack(stubs: Stubs) -> None:
    stubs["ssm"].add_response("get_parameter", {"Parameter": {"Value": "30"}}, {"Name": BOOTSTRAP_PARAMETER})
    assert stubs.account.bootstrap_version(REGION) == 30


def test_no_bootstrap_stack(stubs: Stubs) -> None:
    stubs["ssm"].add_client_error("get_parameter", "ParameterNotFound", http_status_code=400)
    assert stubs.account.bootstrap_version(REGION) is None


def test_networks_that_are_the_environments_own_do_not_count(stubs: Stubs) -> None:
    stubs.limit(Quota.VPCS, 5.0)
    vpcs = [{"VpcId": "vpc-1", "Tags": OWN}, {"VpcId": "vpc-2", "Tags": OTHER}, {"VpcId": "vpc-3"}]
    stubs["ec2"].add_response("describe_vpcs", {"Vpcs": vpcs}, {})
    assert stubs.account.quota(REGION, Quota.VPCS, "staging") == QuotaState(5, 2, "vpc/L-F678F1CE")


def test_addresses_that_are_the_environments_own_do_not_count(stubs: Stubs) -> None:
    stubs.limit(Quota.ELASTIC_IPS, 5.0)
    stubs["ec2"].add_response("describe_addresses", {"Addresses": [{"Tags": OWN}, {"PublicIp": "192.0.2.1"}]}, {})
    assert stubs.account.quota(REGION, Quota.ELASTIC_IPS, "staging").used == 1


def instance(kind: str, cores: int, vpc: str = "vpc-2", lifecycle: str | None = None) -> dict[str, Any]:
    lived = {"InstanceLifecycle": lifecycle} if lifecycle else {}
    return {"InstanceType": kind, "VpcId": vpc, "CpuOptions": {"CoreCount": cores, "ThreadsPerCore": 2}, **lived}


def test_instances_count_by_family_and_by_how_they_are_paid_and_are_asked_for_once(stubs: Stubs) -> None:
    stubs.limit(Quota.STANDARD_VCPUS, 32.0)
    stubs["ec2"].add_response("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1", "Tags": OWN}]}, {})
    pages = [
        [instance("m7i.xlarge", 2), instance("m7i.xlarge", 2, vpc="vpc-1"), instance("g4dn.2xlarge", 4)],
        [instance("t3.xlarge", 2, lifecycle="spot"), instance("c5.4xlarge", 8), instance("p5.48xlarge", 96)],
    ]
    for number, found in enumerate(pages):
        answer: dict[str, Any] = {"Reservations": [{"Instances": found}]}
        asked: dict[str, Any] = {"Filters": RUNNING}
        if number == 0:
            answer["NextToken"] = "more"
        else:
            asked["NextToken"] = "more"
        stubs["ec2"].add_response("describe_instances", answer, asked)
    assert stubs.account.quota(REGION, Quota.STANDARD_VCPUS, "staging") == QuotaState(32, 20, "ec2/L-1216C47A")

    stubs.limit(Quota.STANDARD_SPOT_VCPUS, 8.0)
    assert stubs.account.quota(REGION, Quota.STANDARD_SPOT_VCPUS, "staging").used == 4
    stubs.limit(Quota.GPU_VCPUS, 8.0)
    assert stubs.account.quota(REGION, Quota.GPU_VCPUS, "staging").used == 8


@pytest.mark.parametrize(
    ("instance_type", "spot", "quota"),
    [
        ("m7i-flex.large", False, Quota.STANDARD_VCPUS), ("im4gn.large", False, Quota.STANDARD_VCPUS),
        ("inf2.xlarge", False, None), ("trn1.2xlarge", False, None), ("mac2.metal", False, None),
        ("g5.xlarge", True, None), ("vt1.3xlarge", False, Quota.GPU_VCPUS), ("", False, None),
    ],
)  # fmt: skip
def test_which_quota_an_instance_stands_against(instance_type: str, spot: bool, quota: Quota | None) -> None:
    assert quota_of(instance_type, spot=spot) is quota


METRIC = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "ResourceCount",
    "MetricDimensions": {"Service": "Fargate", "Resource": "vCPU"},
}


@pytest.mark.parametrize(("points", "used"), [([], 0), ([(10, 3.0), (11, 2.0)], 2)])
def test_fargate_is_counted_by_its_metric(stubs: Stubs, points: list[tuple[int, float]], used: int) -> None:
    stubs.limit(Quota.FARGATE_VCPUS, 6.0, METRIC)
    measured = [{"Timestamp": datetime(2026, 1, 1, hour, tzinfo=UTC), "Maximum": high} for hour, high in points]
    stubs["cloudwatch"].add_response(
        "get_metric_statistics",
        {"Datapoints": list(reversed(measured))},
        {
            "Namespace": "AWS/Usage", "MetricName": "ResourceCount", "StartTime": ANY, "EndTime": ANY, "Period": 3600,
            "Statistics": ["Maximum"],
            "Dimensions": [{"Name": "Service", "Value": "Fargate"}, {"Name": "Resource", "Value": "vCPU"}],
        },
    )  # fmt: skip
    assert stubs.account.quota(REGION, Quota.FARGATE_VCPUS, "staging") == QuotaState(6, used, "fargate/L-3032A538")


def test_a_quota_that_the_account_never_changed_is_the_default(stubs: Stubs) -> None:
    stubs["service-quotas"].add_client_error("get_service_quota", "NoSuchResourceException", http_status_code=400)
    stubs["service-quotas"].add_response("get_aws_default_service_quota", {"Quota": {"Value": 5.0}})
    stubs["ec2"].add_response("describe_vpcs", {"Vpcs": []}, {})
    assert stubs.account.quota(REGION, Quota.VPCS, "staging").limit == 5


ZONES = [
    {"ZoneName": "eu-central-1a", "GroupName": "eu-central-1", "OptInStatus": "opt-in-not-required"},
    {"ZoneName": "eu-central-1-ham-1a", "GroupName": "eu-central-1-ham-1", "OptInStatus": "not-opted-in"},
    {"ZoneName": "eu-central-1-wl1-ber-wlz-1", "GroupName": "eu-central-1-wl1", "OptInStatus": "opted-in"},
]


@pytest.mark.parametrize(
    ("zone", "state"),
    [
        ("eu-central-1a", ZoneState("eu-central-1", opted_in=True)),
        ("eu-central-1-ham-1a", ZoneState("eu-central-1-ham-1", opted_in=False)),
        ("eu-central-1-wl1-ber-wlz-1", ZoneState("eu-central-1-wl1", opted_in=True)),
        ("eu-central-1-nowhere-1a", None),
    ],
)
def test_zones(stubs: Stubs, zone: str, state: ZoneState | None) -> None:
    answer = {"AvailabilityZones": ZONES}
    stubs["ec2"].add_response("describe_availability_zones", answer, {"AllAvailabilityZones": True})
    assert stubs.account.zone(REGION, zone) == state


GRANTED = {
    "modelId": MODEL,
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}


@pytest.mark.parametrize(
    ("told", "lacks"),
    [
        ({}, ()),
        ({"regionAvailability": "NOT_AVAILABLE"}, ("not offered in this region",)),
        ({"authorizationStatus": "NOT_AUTHORIZED"}, ("the account is not authorized",)),
        (
            {"entitlementAvailability": "NOT_AVAILABLE", "agreementAvailability": {"status": "PENDING"}},
            ("the account is not entitled to it", "the provider's terms are PENDING"),
        ),
    ],
)
def test_access_to_a_model(stubs: Stubs, told: dict[str, Any], lacks: tuple[str, ...]) -> None:
    stubs["bedrock"].add_response("get_foundation_model_availability", GRANTED | told, {"modelId": MODEL})
    assert stubs.account.model_lacks(REGION, MODEL) == lacks


def test_a_model_that_bedrock_does_not_know(stubs: Stubs) -> None:
    stubs["bedrock"].add_client_error(
        "get_foundation_model_availability", "ResourceNotFoundException", http_status_code=404
    )
    assert stubs.account.model_lacks(REGION, MODEL) == ("Bedrock knows no such model here",)


@pytest.mark.parametrize(
    ("code", "status", "error", "says"),
    [
        ("AccessDeniedException", 400, PermanentError, "allow ssm:GetParameter to these credentials"),
        ("ExpiredTokenException", 400, PermanentError, "AWS_PROFILE"),
        ("ThrottlingException", 400, TemporaryError, "AWS did not answer"),
        ("InternalServerError", 500, TemporaryError, "AWS did not answer"),
    ],
)
def test_refusals_say_what_to_do(stubs: Stubs, code: str, status: int, error: type[Exception], says: str) -> None:
    stubs["ssm"].add_client_error("get_parameter", code, http_status_code=status)
    with pytest.raises(error, match=says):
        stubs.account.bootstrap_version(REGION)


def test_without_credentials_it_says_where_they_may_come_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nowhere = str(tmp_path_factory.mktemp("home") / "none")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(PermanentError, match="AWS_PROFILE, or AWS_ACCESS_KEY_ID"):
        AwsAccount().account()
