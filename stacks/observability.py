"""Observability of one region: alarms and whom they tell, dashboards, objectives, traces, and the metrics' log group.

All limits come from the KPI catalogue; docs/adr/0021-the-kpi-catalogue-is-the-only-source.md has the reasons.
"""

import json

from aws_cdk import aws_applicationsignals as signals
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_xray as xray
from constructs import Construct

from edgemind.domain import deployment
from edgemind.domain.kpi import BY_NAME
from edgemind.domain.monitoring.cloudwatch import CLOUDWATCH, MetricMath, alarms
from edgemind.domain.monitoring.cloudwatch_dashboards import Place, dashboards
from edgemind.domain.monitoring.emf import METRO, NAMESPACE, PERIOD_S
from stacks import names
from stacks.base import PlannedStack
from stacks.constructs.alert_topics import AlertTopics
from stacks.constructs.kpi_alarm import kpi_alarm
from stacks.log_groups import log_group
from stacks.plans import Environment

OBJECTIVES = ("slo_attainment_ratio", "availability_ratio")
"""KPIs of which a month's budget is kept."""
OBJECTIVE_DAYS = 28


class ObservabilityStack(PlannedStack):
    """The metro of a region is called like the region: stacks/site_values.py says so."""

    def __init__(self, scope: Construct, plan: Environment, region: str, logs_key: kms.IKey) -> None:
        super().__init__(
            scope,
            deployment.regional_stack(plan.name, region, "observability"),
            plan,
            region,
            "observability",
            f"alarms, dashboards and objectives of {region}",
        )
        self._tier = plan.tier
        self._metrics(logs_key)
        topics = AlertTopics(self, "Alerts", plan, region).topics
        for alarm in alarms(self._tier):
            kpi_alarm(self, alarm, names.alarm(plan, region, alarm.name, alarm.level), region, topics[alarm.level])
        self._dashboards(region)
        self._objectives(region)
        self._traces()
        self.publish({f"{level.value.capitalize()}Alerts": topic.topic_arn for level, topic in topics.items()})

    def _metrics(self, key: kms.IKey) -> None:
        """CloudWatch makes metrics of what controllers write here; the lines themselves are soon of no use."""
        log_group(self, "Metrics", self.plan, key, names.metrics_log_group(self.plan), days=7)

    def _dashboards(self, region: str) -> None:
        for name, body in dashboards(Place(region, region, self._tier)).items():
            cloudwatch.CfnDashboard(
                self,
                f"{name.capitalize()}Dashboard",
                dashboard_name=f"edgemind-{self.plan.name}-{region}-{name}",
                dashboard_body=json.dumps(body),
            )

    def _objectives(self, region: str) -> None:
        """Minutes in which the KPI was on target, of a month's: the limit of one minute is the catalogue's."""
        for name in OBJECTIVES:
            kpi, math = BY_NAME[name], CLOUDWATCH[name]
            assert isinstance(math, MetricMath)
            target = kpi.limits[self._tier].target
            signals.CfnServiceLevelObjective(
                self,
                f"Objective{''.join(word.capitalize() for word in name.split('_'))}",
                name=f"edgemind-{self.plan.name}-{region}-{name.replace('_', '-')}",
                description=kpi.definition,
                sli=signals.CfnServiceLevelObjective.SliProperty(
                    comparison_operator="GreaterThanOrEqualTo",
                    metric_threshold=target,
                    sli_metric=signals.CfnServiceLevelObjective.SliMetricProperty(
                        metric_data_queries=_queries(math, region)
                    ),
                ),
                goal=signals.CfnServiceLevelObjective.GoalProperty(
                    attainment_goal=99,
                    warning_threshold=50,
                    interval=signals.CfnServiceLevelObjective.IntervalProperty(
                        rolling_interval=signals.CfnServiceLevelObjective.RollingIntervalProperty(
                            duration=OBJECTIVE_DAYS, duration_unit="DAY"
                        )
                    ),
                ),
            )

    def _traces(self) -> None:
        """Of what collectors forward. Which traces are kept is decided by the fleet: `telemetry.sample_ratio`."""
        xray.CfnGroup(
            self,
            "Traces",
            group_name=f"edgemind-{self.plan.name}",
            filter_expression='service("edgemind-gateway") OR service("edgemind-controller")',
            insights_configuration=xray.CfnGroup.InsightsConfigurationProperty(
                insights_enabled=True, notifications_enabled=False
            ),
        )


def _queries(math: MetricMath, metro: str) -> list[signals.CfnServiceLevelObjective.MetricDataQueryProperty]:
    made = signals.CfnServiceLevelObjective
    metrics = [
        made.MetricDataQueryProperty(
            id=name,
            return_data=False,
            metric_stat=made.MetricStatProperty(
                metric=made.MetricProperty(
                    namespace=NAMESPACE,
                    metric_name=name,
                    dimensions=[made.DimensionProperty(name=METRO, value=metro)],
                ),
                period=PERIOD_S,
                stat=statistic,
            ),
        )
        for name, statistic in math.metrics.items()
    ]
    return [*metrics, made.MetricDataQueryProperty(id="value", expression=math.expression, return_data=True)]
