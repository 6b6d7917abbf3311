"""`edgemind simulate`: routing policies compared in virtual time, in the same simulated world."""

import json
import math
from pathlib import Path

import click

from edgemind.entrypoints.exit_codes import Refused, WrongUsage, exit_codes
from edgemind.entrypoints.text_tables import Cell, text_table
from edgemind.simulation.comparison import Comparison, compare
from edgemind.simulation.parameters import read_parameters
from edgemind.simulation.policies import CHOOSERS

ALL = "all"
SITES_LIMIT, SEEDS_LIMIT, STALENESS_LIMIT_MS = 200, 1000, 60_000


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


def _milliseconds(_context: click.Context, _option: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise click.BadParameter("it must be a number of milliseconds")
    return value


@click.command()
@click.option(
    "--policy",
    "policies",
    default=ALL,
    show_default=True,
    metavar="all|NAME[,NAME...]",
    callback=_policies,
    help=f"What to compare, of {', '.join(CHOOSERS)}.",
)
@click.option("--seeds", type=click.IntRange(1, SEEDS_LIMIT), default=3, show_default=True, help="How many runs each.")
@click.option("--sites", type=click.IntRange(1, SITES_LIMIT), default=10, show_default=True, help="Size of the fleet.")
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
    seeds: int,
    sites: int,
    staleness_ms: float,
    parameters_file: Path | None,
    report: Path | None,
    output: str,
) -> None:
    """Compare routing policies in virtual time: a flash crowd, a brownout and stale signals.

    Every number is simulated: equal flags give equal numbers on every machine. docs/simulator.md says how to read
    them. Progress goes to stderr.

    Exit codes: 0 done; 1 the report cannot be written; 2 wrong usage or parameters.
    """
    with exit_codes():
        parameters = read_parameters(parameters_file)
    if report is not None:
        _check_place(report)
    comparison = compare(
        policies,
        parameters,
        sites=sites,
        seeds=seeds,
        staleness_ms=staleness_ms,
        progress=lambda line: click.echo(line, err=True),
    )
    document = json.dumps(comparison.document(), indent=2)
    click.echo(document if output == "json" else comparison_text(comparison))
    if report is not None:
        try:
            report.write_text(document + "\n", encoding="utf-8")
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
