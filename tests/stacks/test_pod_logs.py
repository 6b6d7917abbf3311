"""What pods say is collected, kept encrypted and for a time, and searched only from inside and by whom a role lets."""

import json
from typing import Any

import pytest

from stacks import names
from stacks.constructs.log_collector import SERVICE_ACCOUNT
from stacks.environments import ENVIRONMENTS
from stacks.pod_logs import KINDS
from tests.stacks.conftest import Synthesized
from tests.support.assemblies import Assembly

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def made(assembly: Assembly, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for _, _, resource in assembly.resources(kind)]


def joined(value: Any) -> str:
    """A text of the template, with what only the deploy knows as `<logical id>`."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        between, parts = value["Fn::Join"]
        return str(between).join(joined(part) for part in parts)
    [(_, about)] = value.items()
    return f"<{about if isinstance(about, str) else about[0]}>"


def collectors(assembly: Assembly) -> list[dict[str, Any]]:
    return [addon for addon in made(assembly, "AWS::EKS::Addon") if "cloudwatch" in addon["AddonName"]]


def test_each_cluster_has_a_collector_that_collects_logs_and_nothing_else(synthesized: Synthesized, tier: str) -> None:
    found = collectors(synthesized(tier))
    assert len(found) == len(ENVIRONMENTS[tier].regions)
    for addon in found:
        values = json.loads(joined(addon["ConfigurationValues"]))
        assert [values[name]["enabled"] for name in ("containerInsights", "applicationSignals")] == [False, False]
        [identity] = addon["PodIdentityAssociations"]
        assert identity["ServiceAccount"] == SERVICE_ACCOUNT


def test_its_log_groups_are_there_before_it_encrypted_and_with_an_end(synthesized: Synthesized, tier: str) -> None:
    plan, assembly = ENVIRONMENTS[tier], synthesized(tier)
    groups = {
        resource["Properties"].get("LogGroupName"): (logical_id, resource["Properties"])
        for _, logical_id, resource in assembly.resources("AWS::Logs::LogGroup")
    }
    waited = {
        name
        for _, _, resource in assembly.resources("AWS::EKS::Addon")
        if "cloudwatch" in resource["Properties"]["AddonName"]
        for name in resource["DependsOn"]
    }
    for region in plan.regions:
        for kind in KINDS:
            logical_id, properties = groups[names.pod_log_group(plan, region.name, kind)]
            assert properties["RetentionInDays"] == plan.retention.logs
            assert "KmsKeyId" in properties
            assert logical_id in waited


def test_only_production_searches_and_its_collectors_know_where(synthesized: Synthesized) -> None:
    assert made(synthesized("staging"), "AWS::OpenSearchServerless::Collection") == []
    assert all("opensearch" not in joined(one["ConfigurationValues"]) for one in collectors(synthesized("staging")))
    plan, assembly = ENVIRONMENTS["production"], synthesized("production")
    collections = made(assembly, "AWS::OpenSearchServerless::Collection")
    assert [(one["Type"], one["StandbyReplicas"]) for one in collections] == [("TIMESERIES", "ENABLED")] * 2
    assert all(one["EncryptionConfig"]["KmsKeyArn"] for one in collections)
    regions = {region.name for region in plan.regions}
    for addon in collectors(assembly):
        values = json.loads(joined(addon["ConfigurationValues"]))
        [output] = values["containerLogs"]["fluentBit"]["config"]["extraFiles"].values()
        told = dict(line.split(maxsplit=1) for line in output.splitlines()[1:])
        assert told["Host"].startswith("<")
        assert told["Host"].endswith(f">.{told['AWS_Region']}.aoss.amazonaws.com")
        assert (told["AWS_Auth"], told["AWS_Service_Name"], told["tls"]) == ("On", "aoss", "On")
        regions.remove(told["AWS_Region"])
    assert regions == set()


def policies(assembly: Assembly, kind: str) -> list[Any]:
    found = [joined(one["Policy"]) for one in made(assembly, f"AWS::OpenSearchServerless::{kind}")]
    assert all(not any(letter.isspace() for letter in text) for text in found), "the service takes no whitespace"
    return [json.loads(text) for text in found]


def test_only_the_network_reaches_it_and_it_forgets(synthesized: Synthesized) -> None:
    plan, assembly = ENVIRONMENTS["production"], synthesized("production")
    assert plan.log_search is not None
    for [admitted] in policies(assembly, "SecurityPolicy"):
        assert admitted["AllowFromPublic"] is False
        assert len(admitted["SourceVPCEs"]) == 1
        assert {rule["ResourceType"] for rule in admitted["Rules"]} == {"collection", "dashboard"}
    for kept in policies(assembly, "LifecyclePolicy"):
        assert [rule["MinIndexRetention"] for rule in kept["Rules"]] == [f"{plan.log_search.days}d"]


def test_collectors_write_and_people_read(synthesized: Synthesized) -> None:
    found = policies(synthesized("production"), "AccessPolicy")
    assert len(found) == 2
    for collector, people in found:
        may = [{name for rule in who["Rules"] for name in rule["Permission"]} for who in (collector, people)]
        assert "aoss:WriteDocument" in may[0] - may[1]
        assert "aoss:ReadDocument" in may[1] - may[0]
        assert len(collector["Principal"]) == len(people["Principal"]) == 1


def test_names_are_as_long_as_the_service_takes_them() -> None:
    for plan in ENVIRONMENTS.values():
        assert 3 <= len(names.log_search(plan)) <= 32
