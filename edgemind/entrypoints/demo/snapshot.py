"""One moment of a run, as both displays show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgemind.domain.swarm.summaries import RoundSummary
from edgemind.entrypoints.demo.fleet_watch import SiteReading
from edgemind.services.demo_report import MEASURED_ON, RunFacts, Tally
from edgemind.services.devices.outcomes import Result


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One place. `devices` talk to it now, `sent` came from those that call it home, `ran` is by reason."""

    name: str
    state: str
    in_flight: int | None
    slots: int | None
    devices: int | None
    sent: int | None
    ran: Mapping[str, int]
    table_age_ms: float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rates and latencies are of the last seconds, counts since the start."""

    facts: RunFacts
    elapsed_s: float
    duration_s: float | None
    requests_per_s: float
    added_ms_p50: float | None
    added_ms_p99: float | None
    ok: int
    shed: int
    failed: int
    rows: tuple[SiteRow, ...]
    rounds: int = 0
    last_round: str = ""

    @property
    def title(self) -> str:
        facts = self.facts
        of = f" of {self.duration_s:g} s" if self.duration_s else " s"
        sites = f"{len(facts.sites)} site{'' if len(facts.sites) == 1 else 's'}"
        return f"EdgeMind demo: {facts.scenario}, {sites}, {facts.backend}, {facts.policy}, {self.elapsed_s:.0f}{of}"

    @property
    def rates(self) -> str:
        p50, p99 = milliseconds(self.added_ms_p50), milliseconds(self.added_ms_p99)
        return f"{self.requests_per_s:.1f} requests/s, added latency p50 {p50} p99 {p99} ({MEASURED_ON})"

    @property
    def counts(self) -> str:
        return f"ok {self.ok}, shed {self.shed}, failed {self.failed}"

    @property
    def swarm(self) -> str:
        """Empty before the first round of the run."""
        return f"{self.rounds} round{'' if self.rounds == 1 else 's'}; {self.last_round}" if self.rounds else ""


def snapshot_of(
    facts: RunFacts,
    tally: Tally,
    readings: Sequence[SiteReading],
    attached: Mapping[str, int],
    now_s: float,
    duration_s: float | None,
    rounds: Sequence[RoundSummary] = (),
) -> Snapshot:
    p50, p99 = tally.recent_added(now_s)
    return Snapshot(
        facts=facts,
        elapsed_s=now_s - tally.started_s,
        duration_s=duration_s,
        requests_per_s=tally.requests_per_s(now_s),
        added_ms_p50=p50,
        added_ms_p99=p99,
        ok=tally.results[Result.OK],
        shed=tally.results[Result.SHED],
        failed=tally.results[Result.FAILED],
        rows=tuple(_rows(tally, readings, attached)),
        rounds=len(rounds),
        last_round=rounds[-1].line if rounds else "",
    )


def summary_of(tally: Tally) -> str:
    """What a whole run amounts to, in two lines."""
    counts = ", ".join(f"{result.value} {tally.results[result]}" for result in Result)
    p50, p99 = (milliseconds(tally.added_ms.quantile(ratio)) for ratio in (0.5, 0.99))
    in_time = f"{tally.in_time / tally.sent:.1%} answered in time" if tally.sent else "nothing answered"
    return f"sent {tally.sent}: {counts}; {in_time}\nadded latency p50 {p50}, p99 {p99} ({MEASURED_ON})"


def milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


def reasons(ran: Mapping[str, int]) -> str:
    """`table 31, override 4`: the most frequent first."""
    return ", ".join(f"{reason} {count}" for reason, count in sorted(ran.items(), key=lambda item: -item[1]))


def _rows(tally: Tally, readings: Sequence[SiteReading], attached: Mapping[str, int]) -> list[SiteRow]:
    by_name = {reading.name: reading for reading in readings}
    beyond = sorted({site for site, _ in tally.ran} - set(tally.sites))
    rows = []
    for name in (*tally.sites, *beyond):
        reading = by_name.get(name)
        ran = {reason: count for (site, reason), count in tally.ran.items() if site == name}
        up = reading is not None and reading.state in {"alive", "draining"}
        rows.append(
            SiteRow(
                name=name,
                state=reading.state if reading else ("" if name in beyond else "?"),
                in_flight=reading.in_flight if reading and up else None,
                slots=reading.slots if reading and up else None,
                devices=attached.get(name),
                sent=None if name in beyond else tally.sent_by_site[name],
                ran=ran,
                table_age_ms=reading.table_age_ms if reading and up else None,
            )
        )
    return rows
