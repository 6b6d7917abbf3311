"""What an environment is watched by: alarms at the catalogue's limits, whom they tell, dashboards, objectives."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from edgemind.domain.kpi import Level
from edgemind.domain.monitoring.cloudwatch import alarms
from edgemind.domain.monitoring.emf import BY_NAME
from stacks import names
from stacks.environments import ENVIRONMENTS
from tests.stacks.conftest import Synthesized
from tests.support.assemblies import Assembly

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def found(assembly: Assembly, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Region and properties of each resource."""
    for stack, _, resource in assembly.resources(kind):
        yield assembly.stacks[stack]["environment"].rpartition("/")[2], resource["Properties"]


def test_every_alarm_of_the_catalogue_is_there_with_its_limit(synthesized: Synthesized, tier: str) -> None:
    plan = ENVIRONMENTS[tier]
    made = {properties["AlarmName"]: properties for _, properties in found(synthesized(tier), "AWS::CloudWatch::Alarm")}
    wanted = {
        names.alarm(plan, region.name, alarm.name, alarm.level): alarm
        for region in plan.regions
        for alarm in alarms(plan.tier)
    }
    assert made.keys() == wanted.keys()
    for name, alarm in wanted.items():
        properties = made[name]
        assert properties["Threshold"] == alarm.bound
        assert (properties["DatapointsToAlarm"], properties["EvaluationPeriods"]) == (alarm.datapoints, alarm.periods)
        queries = [query["MetricStat"] for query in properties.get("Metrics", []) if "MetricStat" in query]
        assert {taken["Period"] for taken in queries or [properties]} == {alarm.math.period_s}
        assert properties["AlarmActions"] == properties["OKActions"]
    assert {alarm.level for alarm in wanted.values()} == {Level.CRITICAL, Level.WARNING, Level.INFO}


def metrics_of(properties: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Metric and metro of everything that an alarm or an objective looks at."""
    queries = properties.get("Metrics", [])
    told = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
    for metric in told or [properties]:
        [dimension] = metric["Dimensions"]
        assert dimension["Name"] == "metro"
        yield metric["MetricName"], dimension["Value"]


def test_alarms_look_at_metrics_that_their_metros_controllers_write(synthesized: Synthesized, tier: str) -> None:
    for region, properties in found(synthesized(tier), "AWS::CloudWatch::Alarm"):
        for name, metro in metrics_of(properties):
            assert name in BY_NAME
            assert metro == region
    [log_group] = {
        properties["LogGroupName"]
        for _, properties in found(synthesized(tier), "AWS::Logs::LogGroup")
        if properties.get("LogGroupName") == names.metrics_log_group(ENVIRONMENTS[tier])
    }
    configs = [
        json.dumps(release["Properties"])
        for _, _, release in synthesized(tier).resources("Custom::AWSCDK-EKS-HelmChart")
    ]
    assert sum(log_group in config for config in configs) == len(ENVIRONMENTS[tier].sites)


def test_topics_are_encrypted_and_told_by_cloudwatch_alone(synthesized: Synthesized, tier: str) -> None:
    plan = ENVIRONMENTS[tier]
    topics = list(found(synthesized(tier), "AWS::SNS::Topic"))
    assert len(topics) == 3 * len(plan.regions)
    assert all("KmsMasterKeyId" in properties for _, properties in topics)
    for _, policy in found(synthesized(tier), "AWS::SNS::TopicPolicy"):
        allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
        assert [one["Principal"] for one in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]
        assert all(one["Condition"]["StringEquals"]["aws:SourceAccount"] == plan.account for one in allowed)
    told = {properties["Endpoint"] for _, properties in found(synthesized(tier), "AWS::SNS::Subscription")}
    assert told == {plan.alert_email}


def test_dashboards_are_three_a_region_and_ask_for_what_is_written(synthesized: Synthesized, tier: str) -> None:
    boards = list(found(synthesized(tier), "AWS::CloudWatch::Dashboard"))
    assert len(boards) == 3 * len(ENVIRONMENTS[tier].regions)
    for region, properties in boards:
        for widget in json.loads(properties["DashboardBody"])["widgets"]:
            assert widget["properties"]["region"] == region
            for metric in widget["properties"]["metrics"]:
                if len(metric) > 1:
                    assert metric[0] == "EdgeMind"
                    assert metric[1] in BY_NAME
                    assert metric[3] == region


def test_the_budget_tells_at_the_catalogues_limits(synthesized: Synthesized, tier: str) -> None:
    [(_, budget)] = found(synthesized(tier), "AWS::Budgets::Budget")
    told = {one["Notification"]["Threshold"] for one in budget["NotificationsWithSubscribers"]}
    assert told == {80, 100}
