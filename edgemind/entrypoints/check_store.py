"""`edgemind check store`: how far the swarm's store is, and what rounds make of that."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edgemind import bootstrap
from edgemind.adapters.clock import SystemClock
from edgemind.domain.swarm.pace import TARGET_MS
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.exit_codes import Refused, WrongUsage, exit_codes
from edgemind.entrypoints.text_tables import text_table
from edgemind.errors import StateCorrupt, StoreUnavailable
from edgemind.services.rounds.measure_store import StoreTimes, measure_store
from edgemind.settings import Store, load_settings
from edgemind.simulation.swarm_parameters import Delays, fault_set
from edgemind.simulation.swarm_study import study

CALLS, CALLS_LIMIT = 200, 10_000
SEEDS = 20
"""Of ten rounds each: enough for a p99 that is not one round's."""
SITES_LIMIT = 100
SHORTEST_MS = 0.1
"""Below it the store is no part of a round's time."""
SUCCESS_RATIO = 0.999
EXIT_CODES = (
    f"Exit codes: 0 rounds can be decided within {TARGET_MS:g} ms, if only without faults (a warning says so); 1 they "
    "cannot, or the store refuses; 2 wrong usage or configuration; 3 the store does not answer."
)


class StoreSilent(Refused):
    exit_code = 3


@dataclass(frozen=True, slots=True)
class Expected:
    """Simulated rounds at the measured store: with no faults, and with a fifth of its answers lost."""

    faults: str
    p50_ms: float | None
    p99_ms: float | None
    success: float


@click.command("store", epilog=EXIT_CODES)
@click.option(
    "--config", type=click.Path(path_type=Path),
    help="The fleet's configuration. Default: $EDGEMIND_CONFIG, edgemind.yaml, or a demo's in this folder.",
)  # fmt: skip
@click.option("--calls", type=click.IntRange(10, CALLS_LIMIT), default=CALLS, show_default=True, help="Reads to time.")
@click.option(
    "--sites", type=click.IntRange(1, SITES_LIMIT),
    help="Of the simulated metro. Default: as many as the configuration declares.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check_store(config: Path | None, calls: int, sites: int | None, output: str) -> None:
    """Time reads of the swarm's store from here, and tell what rounds make of that. It writes nothing.

    Run it where a controller runs. How quick rounds would be is simulated, with the measured median as a call's time.
    """
    with exit_codes():
        file = configuration_file(config)
        settings = load_settings(file, resolve_secrets=False)
        if settings.state.store is Store.MEMORY:
            raise WrongUsage("state.store is memory: each process has its own, and there is nothing to measure")
        store = bootstrap.open_swarm_store(settings)
    try:
        times = measure_store(store, SystemClock(), calls)
    except StoreUnavailable as exc:
        raise StoreSilent(str(exc)) from exc
    except StateCorrupt as exc:
        raise Refused(str(exc)) from exc
    if times.p50_ms is None:
        raise StoreSilent(f"none of {calls} reads of the swarm's store was answered in time")
    members = sites or max(1, min(SITES_LIMIT, len(settings.sites)))
    expected = [simulate(members, times.p50_ms, faults) for faults in ("none", "losses")]
    holds, verdict = judge(times.p50_ms, expected)
    document = report(times, members, expected, verdict, holds)
    click.echo(json.dumps(document, indent=2) if output == "json" else text(times, members, expected, verdict))
    if not holds:
        raise click.exceptions.Exit(1)


def simulate(sites: int, store_ms: float, faults: str) -> Expected:
    found = study([sites], range(SEEDS), Delays.of_store(max(SHORTEST_MS, store_ms)), fault_set(faults), lambda _: None)
    summary = found.tallies[sites].summary()
    return Expected(faults, summary["decided_ms"]["p50"], summary["decided_ms"]["p99"], summary["success"])


def judge(p50_ms: float, expected: list[Expected]) -> tuple[bool, str]:
    """Whether rounds can be decided in time without faults, and a sentence about that."""
    usual, lossy = expected
    call = f"at {p50_ms:.1f} ms a call"
    if usual.p99_ms is None or usual.p99_ms > TARGET_MS:
        return False, (
            f"WARNING: {call} rounds cannot be decided within {TARGET_MS:g} ms. They are decided later, and as surely. "
            "Run controllers in the region of their metro's table; docs/swarm.md has a table of delays."
        )
    if lossy.success < SUCCESS_RATIO:
        return True, (
            f"WARNING: {call} rounds hold {TARGET_MS:g} ms while all is well, and not while answers of the store get "
            f"lost: then {lossy.success:.1%} do. They are decided all the same."
        )
    return True, f"{call} rounds hold {TARGET_MS:g} ms, also while answers of the store get lost."


def report(times: StoreTimes, sites: int, expected: list[Expected], verdict: str, holds: bool) -> dict[str, Any]:
    """`-o json`: times in ms, ratios in [0, 1]."""
    return {
        "measured": {
            "calls": len(times.took_ms) + times.unanswered,
            "unanswered": times.unanswered,
            "p50_ms": times.p50_ms,
            "p99_ms": times.p99_ms,
            "provisioned": times.provisioned,
        },
        "simulated": {
            "sites": sites,
            **{
                one.faults: {"decided_ms": {"p50": one.p50_ms, "p99": one.p99_ms}, "success": one.success}
                for one in expected
            },
        },
        "holds": holds,
        "verdict": verdict,
    }


def text(times: StoreTimes, sites: int, expected: list[Expected], verdict: str) -> str:
    calls = len(times.took_ms) + times.unanswered
    lines = [
        f"measured: {calls} reads, p50 {times.p50_ms:.2f} ms, p99 {times.p99_ms:.2f} ms, {times.unanswered} unanswered",
        f"simulated: {SEEDS * 10} rounds of {sites} sites each, with a store call of that p50",
    ]
    if not times.provisioned:
        lines.insert(1, "the metro is not provisioned yet: edgemind swarm provision")
    rows = [[one.faults, _ms(one.p50_ms), _ms(one.p99_ms), f"{one.success:.1%}"] for one in expected]
    return "\n".join([*lines, "", text_table(["FAULTS", "DECIDED P50", "P99", "IN TIME"], rows), "", verdict])


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
