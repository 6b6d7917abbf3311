"""`python -m benchmarks gateway | decision | memory | voter | rounds | audit | telemetry`."""

import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType

import click

from benchmarks.audit import measure_audit
from benchmarks.decision import SITES, measure_decisions
from benchmarks.gateway import measure_gateways
from benchmarks.goals import decision_goal, explain_goal, gateway_goals, memory_goal, telemetry_goals, voter_goals
from benchmarks.machine import describe
from benchmarks.memory import growth_ratio, measure_memory
from benchmarks.peers.base import StartError
from benchmarks.peers.catalogue import PEERS, choose
from benchmarks.peers.edgemind_gateway import EDGEMIND
from benchmarks.processes import REPOSITORY
from benchmarks.report import GATEWAY_METHOD, gateway_report, gateway_table, machine_line, table, write_report
from benchmarks.rounds import plan_for
from benchmarks.swarm_rounds import SITES as METRO
from benchmarks.swarm_rounds import RoundTimes, measure_voters
from benchmarks.telemetry_report import TELEMETRY_METHOD, telemetry_table

_ENVIRONMENTS = REPOSITORY / ".venvs"
_report = click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the result as JSON.")
_environments = click.option(
    "--environments",
    type=click.Path(path_type=Path, file_okay=False),
    default=_ENVIRONMENTS,
    help="Where peers that need a Python environment of their own have it (default: .venvs).",
)


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _end_on_sigterm(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # Unwinds, so that every process that was started is stopped.


def _needs_linux() -> None:
    if sys.platform != "linux":
        raise click.ClickException("gateways are measured by Linux's accounting in /proc; run this on Linux")


@click.group(help="What EdgeMind costs, beside its peers in the same run.")
def benchmarks() -> None:
    """The group of commands; each is of its own."""


@benchmarks.command(help="CPU per request, added latency and memory of gateways in front of a fast mock.")
@click.option("--peers", default="default", help="default, all, or names separated by commas.")
@click.option("--requests", default=20_000, type=click.IntRange(min=100), help="Plain requests per gateway.")
@click.option("--rounds", default=5, type=click.IntRange(min=1), help="Interleaved rounds they are split over.")
@click.option("--chunk-ms", default=2.0, help="Time between the 20 events of a stream.")
@_environments
@_report
def gateway(peers: str, requests: int, rounds: int, chunk_ms: float, environments: Path, report: Path | None) -> None:
    _needs_linux()
    try:
        chosen = choose(peers)
    except ValueError as unknown:
        raise click.BadParameter(str(unknown), param_hint="--peers") from unknown
    available = frozenset(os.sched_getaffinity(0))
    if len(available) < 2:
        _progress("only one core: gateways share it with the load, so latencies include waiting for it")
    plan = plan_for(requests, rounds)
    try:
        outcome = measure_gateways(chosen, plan, chunk_ms, environments, available, _progress)
    except StartError as failed:
        raise click.ClickException(str(failed)) from failed
    method = f"{GATEWAY_METHOD} ({rounds} of {plan.plain} requests and {plan.streams} streams, {chunk_ms} ms an event)"
    print(gateway_table(outcome), machine_line(describe()), f"method: {method}", sep="\n")
    for row in outcome.rows:
        if row.name == EDGEMIND.name:
            print(*(goal.line() for goal in gateway_goals(row)), sep="\n")
    if report:
        write_report(report, gateway_report(outcome, describe(), method))


@benchmarks.command(help="Microseconds per routing decision at 3, 10, 50 and 500 sites.")
@click.option("--decisions", default=40_000, type=click.IntRange(min=100), help="Per block at the smallest fleet.")
@click.option("--repeats", default=15, type=click.IntRange(min=1), help="Blocks per policy; their median counts.")
@_report
def decision(decisions: int, repeats: int, report: Path | None) -> None:
    rows = measure_decisions(decisions, repeats, _progress)
    names = list(dict.fromkeys(row.policy for row in rows))
    cells = {(row.policy, row.sites): f"{row.us_per_decision:.2f}" for row in rows}
    header = ["us per decision", *(f"{sites} sites" for sites in SITES)]
    method = "pick + bookkeeping, median of repeated blocks, policies in turn, garbage collection on"
    print(table(header, [[name, *(cells[name, sites] for sites in SITES)] for name in names]))
    print(machine_line(describe()), f"method: {method}", sep="\n")
    print(*(decision_goal(r.us_per_decision).line() for r in rows if (r.policy, r.sites) == ("hybrid", 50)))
    if report:
        write_report(report, {"machine": describe(), "method": method, "rows": [asdict(row) for row in rows]})


@benchmarks.command(help="Resident memory of one gateway over many requests.")
@click.option("--peer", default="edgemind", type=click.Choice(list(PEERS)), help="Whose memory.")
@click.option("--requests", default=200_000, type=click.IntRange(min=100))
@click.option("--samples", default=20, type=click.IntRange(min=2))
@_environments
@_report
def memory(peer: str, requests: int, samples: int, environments: Path, report: Path | None) -> None:
    _needs_linux()
    available = frozenset(os.sched_getaffinity(0))
    try:
        taken = measure_memory(PEERS[peer], requests, samples, environments, available, _progress)
    except StartError as failed:
        raise click.ClickException(f"{peer}: not measured: {failed}") from failed
    grown = growth_ratio(taken)
    lines = [[str(sample.requests), f"{sample.rss_mb:.1f}", str(sample.errors)] for sample in taken]
    print(table(["requests", "RSS MB", "errors"], lines))
    print(f"{peer}: grew by {grown:.2%} after the first tenth", machine_line(describe()), sep="\n")
    print(memory_goal(grown).line())
    if report:
        rows = [asdict(sample) for sample in taken]
        write_report(report, {"machine": describe(), "peer": peer, "growth_ratio": grown, "rows": rows})


@benchmarks.command(help="CPU of a site's ballot: a Strands agent with two MCP calls, and the library's own voter.")
@click.option("--ballots", default=1000, type=click.IntRange(min=100), help="Per voter and size of the fleet.")
@click.option("--memory-ballots", default=10_000, type=click.IntRange(min=100), help="For the growth of memory.")
@_report
def voter(ballots: int, memory_ballots: int, report: Path | None) -> None:
    _needs_linux()
    # Imported here: the other benchmarks need no agents.
    from benchmarks.voter import measure_ballot_memory, measure_ballots, measure_start

    taken = measure_ballot_memory(memory_ballots, 20, _progress)
    rows = measure_ballots(ballots, _progress)
    start_s, start_cpu_s = measure_start()
    names = ("cpu_mean_ms", "cpu_p50_ms", "cpu_p99_ms", "wall_p50_ms", "wall_p99_ms")
    header = ["a ballot", "sites", *(name.replace("_", " ") for name in names)]
    method = f"{ballots} ballots in turn in one process, tools over MCP in that process, garbage collection on"
    print(table(header, [[r.voter, str(r.sites), *(f"{getattr(r, name):.3f}" for name in names)] for r in rows]))
    grown = growth_ratio(taken)
    print(f"memory grew by {grown:.2%} after the first tenth of {memory_ballots} ballots, to {taken[-1].rss_mb:.1f} MB")
    print(
        f"imports: {start_s:.2f} s, {start_cpu_s:.2f} s of CPU", machine_line(describe()), f"method: {method}", sep="\n"
    )
    worst_ms = max(row.cpu_p99_ms for row in rows)
    print(*(goal.line() for goal in voter_goals(worst_ms, grown, start_s)), sep="\n")
    if report:
        measured = {"growth_ratio": grown, "start_s": start_s, "start_cpu_s": start_cpu_s}
        write_report(
            report, {"machine": describe(), "method": method, "rows": [asdict(row) for row in rows], **measured}
        )


@benchmarks.command(help="Rounds of the swarm between real processes of three sites, over a file: time until decided.")
@click.option("--rounds", default=200, type=click.IntRange(min=20, max=400), help="One after another, of each voter.")
@click.option(
    "--voter",
    default="library",
    show_default=True,
    type=click.Choice(["library", "strands", "both"]),
    help="Who ranks for each site; both take turns.",
)
@_report
def rounds(rounds: int, voter: str, report: Path | None) -> None:
    _needs_linux()
    voters = ("library", "strands") if voter == "both" else (voter,)
    try:
        taken = measure_voters(voters, rounds, frozenset(os.sched_getaffinity(0)), _progress)
    except StartError as failed:
        raise click.ClickException(str(failed)) from failed
    method = (
        f"{len(METRO)} sites on this machine, each a controller, a gateway and a simulated model server; JSON file; "
        "each site in turn is asked for a round; decided: since then, as the coordinator kept it"
    )
    for name, times in taken.items():
        print(f"{name}: other processes took {times.others_cpu_ratio:.0%} of the machine meanwhile")
    header = ["voter", "rounds", "decided p50 ms", "p99 ms", "timed out", "unknown"]
    print(table(header, [_rounds_row(name, times) for name, times in taken.items()]))
    print(machine_line(describe()), f"method: {method}", sep="\n")
    if report:
        measured = {name: asdict(times) for name, times in taken.items()}
        write_report(report, {"machine": describe(), "method": method, "voters": measured})


def _rounds_row(name: str, times: RoundTimes) -> list[str]:
    numbers = ["-" if ms is None else f"{ms:.1f}" for ms in (times.p50_ms, times.p99_ms)]
    return [name, str(times.rounds), *numbers, str(times.timed_out), str(times.unknown)]


@benchmarks.command(help="Writing, explaining, verifying and erasing among many decisions of one audit journal.")
@click.option("--records", default=1_000_000, type=click.IntRange(min=1000), help="Decisions in the journal.")
@_report
def audit(records: int, report: Path | None) -> None:
    taken = measure_audit(records, _progress)
    header = ["decisions", "bytes each", "write us", "explain p50 ms", "max ms", "absent ms", "verify s", "erase s"]
    cells = [f"{taken.bytes_per_record:.0f}", f"{taken.write_us:.0f}", f"{taken.find_p50_ms:.1f}"]
    cells += [f"{taken.find_max_ms:.1f}", f"{taken.absent_ms:.1f}", f"{taken.verify_s:.1f}", f"{taken.erase_s:.1f}"]
    print(table(header, [[str(taken.records), *cells]]))
    print(machine_line(describe()), explain_goal(taken.find_max_ms).line(), sep="\n")
    if report:
        write_report(report, {"machine": describe(), **asdict(taken)})


@benchmarks.command(help="What a gateway's telemetry costs: off, 1 %, 100 %, and with a receiver that is dead or hung.")
@click.option("--requests", default=20_000, type=click.IntRange(min=100), help="Plain requests per gateway.")
@click.option("--rounds", default=5, type=click.IntRange(min=1), help="Interleaved rounds they are split over.")
@_environments
@_report
def telemetry(requests: int, rounds: int, environments: Path, report: Path | None) -> None:
    _needs_linux()
    from benchmarks.telemetry import MEASURES, measure_telemetry

    try:
        outcome = measure_telemetry(
            plan_for(requests, rounds), environments, frozenset(os.sched_getaffinity(0)), _progress
        )
    except StartError as failed:
        raise click.ClickException(str(failed)) from failed
    print(telemetry_table(outcome, list(MEASURES)), machine_line(describe()), f"method: {TELEMETRY_METHOD}", sep="\n")
    print(*(goal.line() for goal in telemetry_goals(outcome)), sep="\n")
    if report:
        measured = {**asdict(outcome), "machine": describe(), "method": TELEMETRY_METHOD}
        write_report(report, measured)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end_on_sigterm)
    benchmarks(prog_name="python -m benchmarks")
