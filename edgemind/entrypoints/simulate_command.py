"""`edgemind simulate`: routing policies, rounds of the swarm, or who is held to be up, in virtual time."""

import json
import math
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from edgemind.entrypoints.exit_codes import Refused, WrongUsage, exit_codes
from edgemind.entrypoints.simulate_membership import membership_text, run_membership
from edgemind.entrypoints.simulate_swarm import SITES_LIMIT as SWARM_SITES_LIMIT
from edgemind.entrypoints.simulate_swarm import run_study, study_text
from edgemind.entrypoints.text_tables import Cell, text_table
from edgemind.simulation.comparison import Comparison, compare
from edgemind.simulation.parameters import read_parameters
from edgemind.simulation.policies import CHOOSERS
from edgemind.simulation.swarm_parameters import FAULT_SETS

ALL = "all"
SITES_LIMIT, SEEDS_LIMIT, STALENESS_LIMIT_MS = 200, 1000, 60_000
ROUTING_SITES, ROUTING_SEEDS = 10, 3
STORE_LIMITS_MS = (0.1, 1000)
ROUTING, SWARM, MEMBERSHIP = "", "--swarm", "--membership"
PLACES = {
    "policies": (ROUTING,),
    "staleness_ms": (ROUTING,),
    "parameters_file": (ROUTING,),
    "faults": (SWARM,),
    "store_ms": (SWARM,),
    "first_seed": (SWARM, MEMBERSHIP),
}
"""Beside which flag another one means something."""


def _policies(_context: click.Context, _option: click.Parameter, value: str) -> list[str]:
    """The names of a comma-separated list, each once; BadParameter names those that are unknown."""
    names = list(dict.fromkeys(name.strip() for name in value.split(",")))
    if names == [ALL]:
        return list(CHOOSERS)
    unknown = [name for name in names if name not in CHOOSERS]
    if unknown:
        shown = ", ".join(name or "an empty name" for name in unknown)
        raise click.BadParameter(f"there is no policy {shown}; take {ALL}, or some of {', '.join(CHOOSERS)}")
    return names


def _sizes(_context: click.Context, _option: click.Parameter, value: str | None) -> list[int] | None:
    """Numbers of sites of a comma-separated list; BadParameter unless each is one."""
    if value is None:
        return None
    try:
        sizes = list(dict.fromkeys(int(size) for size in value.split(",")))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no number of sites, and no list of them such as 3,10,50") from None
    if not all(1 <= size <= SITES_LIMIT for size in sizes):
        raise click.BadParameter(f"a fleet has 1 to {SITES_LIMIT} sites")
    return sizes


def _milliseconds(_context: click.Context, _option: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise click.BadParameter("it must be a number of milliseconds")
    return value


@click.command()
@click.option("--swarm", is_flag=True, help="Simulate rounds of the swarm instead of routing.")
@click.option("--membership", is_flag=True, help="Simulate how sites find out who is down, instead of routing.")
@click.option(
    "--policy",
    "policies",
    default=ALL,
    show_default=True,
    metavar="all|NAME[,NAME...]",
    callback=_policies,
    help=f"What to compare, of {', '.join(CHOOSERS)}.",
)
@click.option(
    "--seeds", type=click.IntRange(1, SEEDS_LIMIT), help="How many runs each.  [default: 3; swarm: 100; membership: 10]"
)
@click.option(
    "--sites",
    metavar="N[,N...]",
    callback=_sizes,
    help="Size of the fleet; for the others one or more.  [default: 10; others: 3,10,50]",
)
@click.option(
    "--first-seed", type=click.IntRange(0), default=0, help="Swarm, membership: begin with this seed, to see one again."
)
@click.option("--faults", type=click.Choice(FAULT_SETS), default="none", help="Swarm: what goes wrong.")
@click.option(
    "--store-ms",
    type=click.FloatRange(*STORE_LIMITS_MS),
    default=5.0,
    callback=_milliseconds,
    help="Swarm: mean of a store call.  [default: 5]",
)
@click.option(
    "--staleness-ms",
    type=click.FloatRange(0, STALENESS_LIMIT_MS),
    default=100.0,
    show_default=True,
    callback=_milliseconds,
    help="How old a beacon is when it is heard.",
)
@click.option(
    "--parameters",
    "parameters_file",
    type=click.Path(path_type=Path),
    help="Another world: a TOML file of the shape of edgemind/simulation/parameters.toml.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write the result to this file as JSON, too.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer."
)
def simulate(
    policies: list[str],
    seeds: int | None,
    sites: list[int] | None,
    report: Path | None,
    output: str,
    swarm: bool,
    membership: bool,
    **others: Any,
) -> None:
    """Compare routing policies in virtual time: a flash crowd, a brownout and stale signals. Or, with --swarm, rounds
    of consensus between sites, with what can go wrong in them. Or, with --membership, how soon all sites know that one
    is down, and how often they are wrong.

    Every number is simulated: equal flags give equal numbers on every machine. docs/simulator.md and docs/swarm.md say
    how to read them. Progress goes to stderr.

    Exit codes: 0 done; 1 the report cannot be written, or an invariant of the swarm was violated; 2 wrong usage or
    parameters.
    """
    if swarm and membership:
        raise WrongUsage("--swarm and --membership are two simulations: choose one")
    _check_usage(SWARM if swarm else MEMBERSHIP if membership else ROUTING, sites)
    with exit_codes():
        parameters = read_parameters(others["parameters_file"])
    if report is not None:
        _check_place(report)
    if swarm:
        found = run_study(sites, (others["first_seed"], seeds), others["faults"], others["store_ms"], _progress)
        _answer(found.document(), study_text(found), report, output)
        if found.violations:
            raise Refused(f"{len(found.violations)} violations; each is listed with the line that shows it again")
        return
    if membership:
        seen = run_membership(sites, (others["first_seed"], seeds), _progress)
        _answer(seen.document(), membership_text(seen), report, output)
        return
    comparison = compare(
        policies,
        parameters,
        sites=sites[0] if sites else ROUTING_SITES,
        seeds=seeds or ROUTING_SEEDS,
        staleness_ms=others["staleness_ms"],
        progress=_progress,
    )
    _answer(comparison.document(), comparison_text(comparison), report, output)


def _progress(line: str) -> None:
    click.echo(line, err=True)


def _check_usage(simulated: str, sites: list[int] | None) -> None:
    """WrongUsage for a flag that the other simulation has, and for sizes that this one cannot take."""
    context = click.get_current_context()
    foreign = {
        option.name: option.opts[0]
        for option in context.command.params
        if simulated not in PLACES.get(option.name, (simulated,))
        and context.get_parameter_source(option.name) is not ParameterSource.DEFAULT
    }
    if foreign:
        beside = {place for name in foreign for place in PLACES[name]}
        place = f"not with {simulated}" if simulated else f"only with {' or '.join(sorted(beside, reverse=True))}"
        raise WrongUsage(f"{', '.join(foreign.values())}: {place}; leave it out")
    least = {SWARM: 3, MEMBERSHIP: 2}.get(simulated)
    if least and not all(least <= size <= SWARM_SITES_LIMIT for size in sites or ()):
        raise WrongUsage(f"--sites: a simulated {simulated.strip('-')} has {least} to {SWARM_SITES_LIMIT} sites")
    if simulated == ROUTING and sites and len(sites) > 1:
        raise WrongUsage(
            "--sites: routing policies are compared in one size of fleet; several are for --swarm and --membership"
        )


def _answer(document: dict[str, Any], text: str, report: Path | None, output: str) -> None:
    """To stdout, and to the report's file."""
    shown = json.dumps(document, indent=2)
    click.echo(shown if output == "json" else text)
    if report is not None:
        try:
            report.write_text(shown + "\n", encoding="utf-8")
        except OSError as exc:
            raise Refused(f"cannot write the report {report}: {exc.strerror}; choose another file") from exc


def _check_place(report: Path) -> None:
    """Say before the run, not after it, that a report has no place: a comparison takes a minute."""
    try:
        if report.is_dir():
            raise WrongUsage(f"--report: {report} is a folder; name a file")
        if not report.parent.is_dir():
            raise WrongUsage(f"--report: the folder {report.parent} does not exist; create it or choose another file")
    except OSError as exc:
        raise WrongUsage(f"--report: {exc.strerror}: {report}; choose another file") from exc


def comparison_text(comparison: Comparison) -> str:
    """A heading that says what was simulated, then one line per policy."""
    requests = max(summary.requests for summary in comparison.policies.values())
    head = (
        f"Simulated: {comparison.sites} sites, {comparison.seeds} seeds, {requests} requests per policy, beacons "
        f"{comparison.staleness_ms:g} ms stale.\n"
        "Latency is round trip + waiting + service, from the ingress; a shed request is not within 50 ms."
    )
    rows: list[list[Cell]] = [
        [
            name,
            f"{summary.within_50ms * 100:.1f} %",
            f"{summary.flash_within_50ms * 100:.1f} %",
            summary.p50_ms,
            summary.p99_ms,
            summary.shed,
        ]
        for name, summary in comparison.policies.items()
    ]
    return f"{head}\n\n{text_table(['POLICY', 'WITHIN 50 MS', 'IN THE FLASH', 'P50 MS', 'P99 MS', 'SHED'], rows)}"
