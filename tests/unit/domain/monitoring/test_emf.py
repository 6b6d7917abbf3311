import jsonschema

from edgemind.domain.kpi import Tier
from edgemind.domain.monitoring.cloudwatch import CLOUDWATCH, MetricMath, alarms
from edgemind.domain.monitoring.emf import BY_NAME, EMF_METRICS, emf_document, metrics_billed
from tests.support.emf_schema import SCHEMA, complaints

VALUES = {metric.name: (12.0, 30.0) if metric.name == "round_decided" else 1.0 for metric in EMF_METRICS}


def document(**changes: object) -> dict[str, object]:
    return emf_document("m", "site-a", 1_700_000_000_000, {**VALUES, **changes})  # type: ignore[dict-item]


def test_a_document_is_what_cloudwatch_takes() -> None:
    made = document()
    jsonschema.validate(made, SCHEMA)
    assert complaints(made) == []
    told = {metric["Name"] for directive in made["_aws"]["CloudWatchMetrics"] for metric in directive["Metrics"]}  # type: ignore[index]
    assert told == BY_NAME.keys()


def test_what_is_not_measured_is_left_out() -> None:
    made = emf_document("m", "site-a", 1, {"requests": 3.0, "round_decided": ()})
    jsonschema.validate(made, SCHEMA)
    assert complaints(made) == []
    assert "round_decided" not in made
    assert "shed" not in made


def test_more_values_than_cloudwatch_takes_keep_their_ends() -> None:
    values = [float(number) for number in range(1000)]
    kept = document(round_decided=values)["round_decided"]
    assert isinstance(kept, list)
    assert (len(kept), kept[0], kept[-1]) == (100, 0.0, 999.0)
    assert complaints(document(round_decided=values)) == []


def test_fifty_sites_cost_less_than_200_metrics() -> None:
    assert metrics_billed(50) == len(EMF_METRICS) + 150 < 200


def test_every_alarm_asks_for_metrics_that_are_written() -> None:
    asked = {name for math in CLOUDWATCH.values() if isinstance(math, MetricMath) for name in math.metrics}
    asked |= {name for alarm in alarms(Tier.PRODUCTION) for name in alarm.math.metrics}
    assert asked <= BY_NAME.keys()
    for math in (one.math for one in alarms(Tier.PRODUCTION)):
        assert all(name in math.expression for name in math.metrics)


def test_what_cloudwatch_would_leave_out_is_found() -> None:
    made = document()
    made["requests"] = "many"
    del made["metro"]
    assert complaints(made) == ["no dimension metro", "requests is 'many'", "no dimension metro", "requests is 'many'"]
