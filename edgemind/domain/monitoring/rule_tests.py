"""What `promtool test rules` plays to the alert rules: values just beyond each limit and just within it.

The series are what the fleet's endpoints would expose; that the queries make the right values of them is tested.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from edgemind.domain.kpi import BY_NAME, KPIS, REQUESTS_WINDOW_S, Good, Kpi, OfRequests, Tier
from edgemind.domain.monitoring import metrics as names
from edgemind.domain.monitoring.metrics import AT, METRO, Metric
from edgemind.domain.monitoring.promql import PROMQL
from edgemind.domain.monitoring.rules import bounds, shown
from edgemind.domain.swarm.pace import TARGET_MS

Document = dict[str, Any]
STEP_S, STEPS, EACH_STEP = 15, 160, 10_000
_AT = f'{METRO}="m", {AT}="site-a"'
_SITE_DOWN = "site_report_age_ms"


@dataclass(frozen=True, slots=True)
class Played:
    """Samples by series, in promtool's notation, and the KPI's value that they amount to."""

    samples: Mapping[str, str]
    value: float


def tests_document(tier: Tier, rules_file: str) -> Document:
    """A test file beside `rules_file`."""
    cases = [case for kpi in _measured() for case in _cases(tier, kpi)]
    return {"rule_files": [rules_file], "evaluation_interval": f"{STEP_S}s", "tests": [*cases, _recovery(tier)]}


def _measured() -> Iterator[Kpi]:
    return (BY_NAME[name] for name, query in PROMQL.items() if isinstance(query, str))


def _cases(tier: Tier, kpi: Kpi) -> Iterator[Document]:
    """Beyond a limit the rule fires after its time and not before; within it never does."""
    before_s, after_s = max(0, kpi.dwell_s // STEP_S - 1) * STEP_S, kpi.dwell_s + 4 * STEP_S
    for level, bound in bounds(kpi, tier):
        for beyond in (True, False):
            played = SERIES[kpi.name](bound, beyond)
            told = _alerts(tier, kpi, played.value)
            about = f"{kpi.name} {'beyond' if beyond else 'within'} its {level.value} of {shown(bound, kpi.unit)}"
            yield _case(about, played.samples, kpi, [(before_s, []), (after_s, told)])
    of = kpi.of_requests
    if of is not None:
        few = of.least * STEP_S // REQUESTS_WINDOW_S - 1
        samples = _requests(of, few, few)
        yield _case(f"{kpi.name} of fewer than {of.least} requests", samples, kpi, [(after_s + REQUESTS_WINDOW_S, [])])


def _recovery(tier: Tier) -> Document:
    """Of one rule: it goes on firing until the value has been fine for long enough."""
    kpi = BY_NAME[_SITE_DOWN]
    [(_, bound)] = bounds(kpi, tier)
    bad, fine = SERIES[kpi.name](bound, True), SERIES[kpi.name](bound, False)
    # The first sample without it is that of step 8.
    samples = {name: f"{bad.samples[name].replace(f'x{STEPS}', 'x7')} {then}" for name, then in fine.samples.items()}
    told, ends_s = _alerts(tier, kpi, bad.value), 8 * STEP_S
    checks = [(ends_s - STEP_S, told), (ends_s, told), (ends_s + kpi.recovery_s + STEP_S, [])]
    return _case(f"{kpi.name} recovers", samples, kpi, checks)


def _case(about: str, samples: Mapping[str, str], kpi: Kpi, told: list[tuple[int, list[Document]]]) -> Document:
    return {
        "name": about,
        "interval": f"{STEP_S}s",
        "input_series": [{"series": name, "values": values} for name, values in samples.items()],
        "alert_rule_test": [
            {"eval_time": f"{at_s}s", "alertname": kpi.name, "exp_alerts": alerts} for at_s, alerts in told
        ],
    }


def _alerts(tier: Tier, kpi: Kpi, value: float) -> list[Document]:
    below = kpi.good is Good.BELOW
    return [
        {
            "exp_labels": {"severity": level.value, METRO: "m"},
            "exp_annotations": {
                "summary": f"{kpi.title} of m is {_printed(kpi, value)}, {'above' if below else 'below'} "
                f"{shown(bound, kpi.unit)}.",
                "runbook": f"docs/{kpi.runbook}",
            },
        }
        for level, bound in bounds(kpi, tier)
        if (value > bound if below else value < bound)
    ]


def _printed(kpi: Kpi, value: float) -> str:
    return f"{value * 100:.4g}%" if kpi.unit == "ratio" else f"{value:.1f} {kpi.unit}"


# Series of each KPI: `beyond` its limit `bound`, or within it


def _series(name: str, *labels: str) -> str:
    return f"{name}{{{', '.join((_AT, *labels))}}}"


def _growing(each_step: int) -> str:
    return f"0+{each_step}x{STEPS}"


def _age(bound: float, beyond: bool) -> Played:
    value = bound * (1.05 if beyond else 0.95)
    return Played({_series(names.REPORT_AGE.name, 'site="site-b"'): f"{value / 1000:g}x{STEPS}"}, value)


def _quantile(metric: Metric) -> Callable[[float, bool], Played]:
    """All observations are in one bucket, so that its 99th hundredth is the value."""

    def played(bound: float, beyond: bool) -> Played:
        pairs = list(pairwise(metric.bounds_ms))
        low, high = next(pair for pair in pairs if pair[0] >= bound) if beyond else _last(pairs, bound)
        counts = {f"{low / 1000:g}": 0, f"{high / 1000:g}": EACH_STEP, "+Inf": EACH_STEP}
        samples = {_series(metric.series[0], f'le="{le}"'): _growing(count) for le, count in counts.items()}
        return Played(samples, low + (high - low) * 0.99)

    return played


def _last(pairs: list[tuple[float, float]], bound: float) -> tuple[float, float]:
    return [pair for pair in pairs if pair[1] <= bound][-1]


def _share(of: OfRequests) -> Callable[[float, bool], Played]:
    """The last of the bad is what goes wrong; the others are there and stay 0. Of what is left out there is much."""

    def played(bound: float, beyond: bool) -> Played:
        wrong = round((1 - bound) * EACH_STEP * (1.2 if beyond else 0.8))
        return Played(_requests(of, EACH_STEP, wrong), 1 - wrong / EACH_STEP)

    return played


def _requests(of: OfRequests, counted: int, wrong: int) -> Mapping[str, str]:
    left_out = dict.fromkeys(of.left_out, EACH_STEP)
    counts = {**left_out, **dict.fromkeys(of.bad, 0), of.bad[-1]: wrong, "requests": counted + sum(left_out.values())}
    return {_series(f"edgemind_gateway_{name}_total"): _growing(count) for name, count in counts.items()}


def _in_time(bound: float, beyond: bool) -> Played:
    late = round((1 - bound) * EACH_STEP * (1.2 if beyond else 0.8))
    ended, decided = names.ROUNDS.series[0], names.DECIDED.series[0]
    samples = {
        _series(ended, 'outcome="shift"'): _growing(EACH_STEP - late),
        _series(ended, 'outcome="timed_out"'): _growing(late),
        _series(ended, 'outcome="left"'): _growing(EACH_STEP),
        _series(decided, f'le="{TARGET_MS / 1000:g}"'): _growing(EACH_STEP - late),
    }
    return Played(samples, 1 - late / EACH_STEP)


SERIES: Mapping[str, Callable[[float, bool], Played]] = {
    "swarm_coordination_ms": _quantile(names.DECIDED),
    "consensus_success_ratio": _in_time,
    _SITE_DOWN: _age,
    "added_latency_ms": _quantile(names.METRICS["edgemind_gateway_added_latency_seconds"]),
    **{kpi.name: _share(kpi.of_requests) for kpi in KPIS if kpi.of_requests is not None},
}
