"""`edgemind simulate --swarm`: rounds of the swarm in virtual time, with and without faults, as a table."""

from collections.abc import Callable

from edgemind.entrypoints.text_tables import Cell, text_table
from edgemind.simulation.swarm_parameters import ROUNDS_PER_SEED, Delays, fault_set
from edgemind.simulation.swarm_study import Study, study

SWARM_SITES = (3, 10, 50)
SWARM_SEEDS = 100
SITES_LIMIT = 100
"""Rosters beyond this would not fit the current round's item in the few kilobytes that a write should cost."""

_FAULTS_TEXT = {
    "none": "no faults",
    "losses": "20 % of store answers lost (half applied), 10 % of openers die, a site down, clocks +-10 s apart",
    "all": (
        "20 % of store answers lost (half applied), 10 % of openers die, a site down, clocks +-10 s apart, and late, "
        "doubled and throttled calls, lost and late messages, zombies, paused claimants, one-way partitions, roster "
        "changes, restored tables"
    ),
}


def run_study(
    sites: list[int] | None,
    seeds: tuple[int, int | None],
    faults: str,
    store_ms: float,
    progress: Callable[[str], None],
) -> Study:
    """`seeds`: the first, and how many; what is None is the default."""
    first, count = seeds
    return study(
        sites or SWARM_SITES,
        range(first, first + (count or SWARM_SEEDS)),
        Delays.of_store(store_ms),
        fault_set(faults),
        progress,
    )


def study_text(found: Study) -> str:
    """A heading that says what was simulated, one line per size, and how to see each violation again."""
    delays = found.delays
    head = (
        f"Simulated: {len(found.seeds)} seeds, {ROUNDS_PER_SEED} rounds each; {_FAULTS_TEXT[found.faults.name]}.\n"
        f"A store call takes {delays.store_ms:g} ms (+-{delays.store_sd_ms:g}; {delays.tail_ratio * 100:g} % take an "
        f"exponential {delays.tail_mean_ms:g} ms more), a hop {delays.hop_ms:g} ms (+-{delays.hop_sd_ms:g}).\n"
        "Decided: from the confirmed breach until a coordinator knew what a quorum decided. Success: within 100 ms."
    )
    rows: list[list[Cell]] = []
    for sites, tally in found.tallies.items():
        summary = tally.summary()
        rows.append(
            [
                sites,
                summary["rounds"],
                summary["decided_ms"]["p50"],
                summary["decided_ms"]["p99"],
                f"{summary['success'] * 100:.2f} %",
                summary["late"],
                summary["timed_out"],
                summary["undecided"],
                summary["violations"],
                summary["store_calls"],
                summary["write_units"],
                summary["sequential_calls"]["p99"],
            ]
        )
    headings = [
        "SITES", "ROUNDS", "P50 MS", "P99 MS", "SUCCESS", "LATE", "TIMED OUT", "UNDECIDED", "VIOLATIONS", "STORE CALLS",
        "WRITE UNITS", "IN SEQUENCE P99",
    ]  # fmt: skip
    judged = [
        f"KPIs, {sites} sites: {', '.join(f'{name} {level}' for name, level in tally.summary()['kpis'].items())}"
        for sites, tally in found.tallies.items()
    ]
    shown = [f"VIOLATION, {each.sites} sites: {each.what}\n  {found.replay(each)}" for each in found.violations]
    return "\n".join([head, "", text_table(headings, rows), "", *judged, *shown])
