"""`edgemind simulate --membership`: how soon a metro knows who is down, and how often it is wrong, as two tables."""

from collections.abc import Callable, Mapping
from typing import Any

from edgemind.entrypoints.text_tables import Cell, text_table
from edgemind.simulation.membership_study import BROKEN_MS, LOSSY_MS, MembershipStudy, study_membership
from edgemind.simulation.membership_world import MembershipDelays

MEMBERSHIP_SITES = (3, 10, 50)
MEMBERSHIP_SEEDS = 10


def run_membership(
    sites: list[int] | None, seeds: tuple[int, int | None], progress: Callable[[str], None]
) -> MembershipStudy:
    """`seeds`: the first, and how many; what is None is the default."""
    first, count = seeds
    return study_membership(
        sites or MEMBERSHIP_SITES, range(first, first + (count or MEMBERSHIP_SEEDS)), MembershipDelays(), progress
    )


def membership_text(found: MembershipStudy) -> str:
    """What was simulated, with a line per size and fault, and then one per size and share of loss."""
    delays, sites = found.delays, found.document()["sites"]
    broken = (
        f"Simulated: {len(found.seeds)} seeds. Beacons every {delays.interval_ms:g} ms to the ten nearest sites, given "
        f"up after {delays.timeout_ms:g} ms; a hop takes {delays.hop_ms:g} ms (+-{delays.hop_sd_ms:g}).\n"
        f"A site is broken for {BROKEN_MS / 1000:g} s: it dies (its host refuses), is cut off, hears nobody (deaf) or "
        "is heard by nobody (mute).\nDetected: by each of the others; everywhere: by the last of them; back: until "
        "nobody suspects it any more. Times are in ms."
    )
    lossy = (
        f"Nobody is broken, and messages are lost, each way, for {LOSSY_MS / 1000:g} s a seed. Episode: a healthy site "
        "is suspected by at least one other."
    )
    return "\n".join([broken, "", _faults(sites), "", lossy, "", _losses(sites)])


def _faults(sites: Mapping[str, Any]) -> str:
    headings = [
        "SITES", "FAULT", "DETECTED P50", "P99", "EVERYWHERE P50", "P99", "BACK P50", "P99", "MISSED",
        "OTHERS SUSPECTED",
    ]  # fmt: skip
    times = ("detected_ms", "everywhere_ms", "back_ms")
    rows: list[list[Cell]] = [
        [size, fault.replace("_", " "), *_quantiles(one, *times), one["missed"], one["bystanders"]]
        for size, tally in sites.items()
        for fault, one in tally["faults"].items()
    ]
    return text_table(headings, rows)


def _losses(sites: Mapping[str, Any]) -> str:
    headings = ["SITES", "LOST", "SITE-HOURS", "EPISODES AN HOUR", "OF THE TIME", "REFUTED P50", "P99"]
    rows: list[list[Cell]] = [
        [
            size,
            f"{float(ratio) * 100:g} %",
            one["site_hours"],
            one["episodes_per_site_hour"],
            f"{one['suspected_ratio'] * 100:.3f} %",
            *_quantiles(one, "refuted_ms"),
        ]
        for size, tally in sites.items()
        for ratio, one in tally["lost"].items()
    ]
    return text_table(headings, rows)


def _quantiles(summary: Mapping[str, Any], *names: str) -> list[Cell]:
    return [summary[name][which] for name in names for which in ("p50", "p99")]
