"""One alarm of CloudWatch, from what the KPI catalogue makes of a limit."""

from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from edgemind.domain.kpi import Good
from edgemind.domain.monitoring.cloudwatch import Alarm
from edgemind.domain.monitoring.emf import METRO, NAMESPACE


def kpi_alarm(scope: Construct, alarm: Alarm, name: str, metro: str, topic: sns.ITopic) -> cloudwatch.CfnAlarm:
    """`topic` is told when it begins and when it is over."""
    construct = "".join(word.capitalize() for word in f"{alarm.name}_{alarm.level.value}".split("_"))
    return cloudwatch.CfnAlarm(
        scope,
        f"{construct}Alarm",
        alarm_name=name,
        alarm_description=f"{alarm.text} Runbook: docs/{alarm.runbook}",
        comparison_operator="GreaterThanThreshold" if alarm.good is Good.BELOW else "LessThanThreshold",
        threshold=alarm.bound,
        datapoints_to_alarm=alarm.datapoints,
        evaluation_periods=alarm.periods,
        treat_missing_data="breaching" if alarm.silent_is_bad else "notBreaching",
        alarm_actions=[topic.topic_arn],
        ok_actions=[topic.topic_arn],
        **_metrics(alarm, metro),
    )


def _metrics(alarm: Alarm, metro: str) -> dict[str, Any]:
    """One metric as it is; several by an expression over them."""
    metrics = alarm.math.metrics
    if alarm.math.expression not in metrics:
        queries = [_query(name, statistic, metro, alarm.math.period_s) for name, statistic in metrics.items()]
        value = cloudwatch.CfnAlarm.MetricDataQueryProperty(
            id="value", expression=alarm.math.expression, label=alarm.name, return_data=True
        )
        return {"metrics": [*queries, value]}
    [(name, statistic)] = metrics.items()
    taken = {"extended_statistic": statistic} if statistic.startswith("p") else {"statistic": statistic}
    return {
        "namespace": NAMESPACE,
        "metric_name": name,
        "dimensions": [_metro(metro)],
        "period": alarm.math.period_s,
        **taken,
    }


def _query(name: str, statistic: str, metro: str, period_s: int) -> cloudwatch.CfnAlarm.MetricDataQueryProperty:
    metric = cloudwatch.CfnAlarm.MetricProperty(namespace=NAMESPACE, metric_name=name, dimensions=[_metro(metro)])
    stat = cloudwatch.CfnAlarm.MetricStatProperty(metric=metric, period=period_s, stat=statistic)
    return cloudwatch.CfnAlarm.MetricDataQueryProperty(id=name, metric_stat=stat, return_data=False)


def _metro(metro: str) -> cloudwatch.CfnAlarm.DimensionProperty:
    return cloudwatch.CfnAlarm.DimensionProperty(name=METRO, value=metro)
