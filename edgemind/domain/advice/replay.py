"""A change of policy judged by the rounds that a metro remembers: each is voted about again, without it and with it.

A regression is any of these, and one is enough:

| measure | what it counts | it may |
|---|---|---|
| given up | rounds that decided a change, and would not have, or would not have been held | be 0 |
| relief | mean share of the wait per slot that the chosen candidate takes away, by the recorded views | fall by 0.01 |
| churn | changes decided within the cooldown after the one before | not grow |
| false alarms | other sites whose recorded loads would breach, with nothing to be done about it | grow by 10 % |
| repeated scale-outs | replicas asked for again that stayed until then, and would have gone | be 0 |

The rounds are taken one by one: what another outcome would have changed in the next one is not in any record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgemind.domain.advice.changes import Verdict
from edgemind.domain.advice.judged_rounds import JudgedRound, breach_shown, can_judge, judge
from edgemind.domain.advice.settings import PolicyValues
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import Action

LEAST_ROUNDS = 5
"""Fewer say nothing: each of them may have been the odd one."""
LEAST_SCALE_OUTS = 2
RELIEF_LOST_LIMIT = 0.01
FALSE_ALARMS_LIMIT = 0.1


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same rounds under the values that stand, and under those that are proposed."""

    before: Sequence[JudgedRound]
    after: Sequence[JudgedRound]
    cooldown_ms: float
    """That which stands: churn is counted by one measure on both sides."""
    repeated: int = 0

    def numbers(self) -> Mapping[str, float]:
        pairs = list(zip(self.before, self.after, strict=True))
        return {
            "given_up": sum(old.changes and not new.changes for old, new in pairs),
            "won": sum(new.changes and not old.changes for old, new in pairs),
            "unnoticed": sum(not new.noticed for new in self.after),
            "relief_before": round(_relief(self.before), 4),
            "relief_after": round(_relief(self.after), 4),
            "churn_before": self._churn(self.before),
            "churn_after": self._churn(self.after),
            "sites_seen": sum(one.others for one in self.before),
            "false_alarms_before": sum(one.alarms for one in self.before),
            "false_alarms_after": sum(one.alarms for one in self.after),
            "repeated_scale_outs": self.repeated,
        }

    def _churn(self, rounds: Sequence[JudgedRound]) -> int:
        return sum(
            one.changes and one.since_change_ms is not None and one.since_change_ms < self.cooldown_ms for one in rounds
        )


def replay_change(records: Sequence[RoundRecord], standing: PolicyValues, values: Mapping[str, float]) -> Verdict:
    """Harmless, or not and why not; `values` are within bounds, by path. Too few rounds are no evidence of anything."""
    known = [record for record in records if can_judge(record)]
    changed = standing.changed(values)
    if (missing := _no_evidence(known, standing, values)) is not None:
        return Verdict(False, f"no evidence: {missing}", len(known))
    comparison = Comparison(
        [judge(record, standing) for record in known],
        [judge(record, changed, noticed=_noticed(record, standing, changed)) for record in known],
        standing.swarm.cooldown_ms,
        _repeated_scale_outs(known, standing.swarm.keep_for_s, changed.swarm.keep_for_s),
    )
    numbers = comparison.numbers()
    found = [words for wrong, words in _regressions(numbers) if wrong]
    if found:
        return Verdict(False, f"regression in {len(known)} rounds: {'; '.join(found)}", len(known), numbers)
    return Verdict(True, f"harmless in {len(known)} rounds: {_harmless_words(numbers)}", len(known), numbers)


def _noticed(record: RoundRecord, standing: PolicyValues, changed: PolicyValues) -> bool:
    """Every recorded round took place: only a breach that shows now, and would not any more, goes unnoticed."""
    return breach_shown(record, changed) or not breach_shown(record, standing)


def _no_evidence(known: Sequence[RoundRecord], standing: PolicyValues, values: Mapping[str, float]) -> str | None:
    if len(known) < LEAST_ROUNDS:
        return f"{len(known)} recorded rounds can be judged, and it takes {LEAST_ROUNDS}"
    shown = sum(breach_shown(record, standing) for record in known)
    if any(path.startswith("thresholds.") for path in values) and shown < LEAST_ROUNDS:
        return f"{shown} rounds show a measured breach, and it takes {LEAST_ROUNDS} to judge a threshold"
    if values.get("thresholds.latency_ms", standing.thresholds.latency_ms) < standing.thresholds.latency_ms:
        return "no record holds the latency of sites that did not breach, so nobody knows what a lower limit would add"
    if "swarm.keep_for_s" in values and (count := len(_scale_outs(known))) < LEAST_SCALE_OUTS:
        return f"{count} recorded rounds scaled out, and it takes {LEAST_SCALE_OUTS} to judge how long replicas stay"
    return None


def _regressions(numbers: Mapping[str, float]) -> list[tuple[bool, str]]:
    lost = numbers["relief_before"] - numbers["relief_after"]
    alarms = numbers["false_alarms_after"] - numbers["false_alarms_before"]
    return [
        (numbers["given_up"] > 0, f"{numbers['given_up']:g} of the decided changes would not have been decided"),
        (
            lost > RELIEF_LOST_LIMIT,
            f"the decisions' mean relief falls from {numbers['relief_before']:.2f} to {numbers['relief_after']:.2f}",
        ),
        (
            numbers["churn_after"] > numbers["churn_before"],
            f"changes within the cooldown grow from {numbers['churn_before']:g} to {numbers['churn_after']:g}",
        ),
        (
            alarms > FALSE_ALARMS_LIMIT * numbers["sites_seen"],
            f"{alarms:g} of {numbers['sites_seen']:g} calm sites would have breached for nothing",
        ),
        (
            numbers["repeated_scale_outs"] > 0,
            f"{numbers['repeated_scale_outs']:g} replicas would have been given back and asked for again",
        ),
    ]


def _harmless_words(numbers: Mapping[str, float]) -> str:
    won = f"{numbers['won']:g} more changes decided, " if numbers["won"] else ""
    return (
        f"{won}none given up, mean relief {numbers['relief_before']:.2f} before and {numbers['relief_after']:.2f} "
        f"after, changes within the cooldown {numbers['churn_before']:g} and {numbers['churn_after']:g}"
    )


def _relief(rounds: Sequence[JudgedRound]) -> float:
    return sum(one.relief for one in rounds) / len(rounds)


def _scale_outs(records: Sequence[RoundRecord]) -> list[RoundRecord]:
    return [
        record
        for record in sorted(records, key=lambda one: one.fence)
        if record.outcome is not None and record.outcome.candidate.action is Action.SCALE_OUT
    ]


def _repeated_scale_outs(records: Sequence[RoundRecord], keep_s: float, shorter_s: float) -> int:
    """Scale-outs of the same model at the same site that far apart that its replica stayed then, and would not now.

    By the wall times of the records: between two sites their clocks' difference counts, too.
    """
    last_ms: dict[tuple[str, str], int] = {}
    repeated = 0
    for record in _scale_outs(records):
        assert record.outcome is not None
        candidate = record.outcome.candidate
        place = candidate.site, candidate.model
        if place in last_ms:
            apart_s = (record.at_ms - last_ms[place]) / 1000.0
            repeated += shorter_s <= apart_s < keep_s
        last_ms[place] = record.at_ms
    return repeated
