"""`edgemind demo`: flags in, a running fleet, everything gone at the end."""

import asyncio
import math
import time
from pathlib import Path

import click

from edgemind import bootstrap
from edgemind.domain.routing.policy_settings import PolicyName
from edgemind.domain.scenarios import SCENARIOS, Scenario
from edgemind.entrypoints.demo.configuration import demo_configuration
from edgemind.entrypoints.demo.folder import claimed_folder
from edgemind.entrypoints.demo.layout import MAX_SITES, PORTS_USED, demo_fleet
from edgemind.entrypoints.demo.options import DemoOptions
from edgemind.entrypoints.demo.ports import check_ports
from edgemind.entrypoints.demo.report_file import check_writable
from edgemind.entrypoints.demo.state_place import REGION, TABLE, StatePlace, state_place
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.errors import ConfigurationError
from edgemind.settings.environment import process_environment

BACKENDS = ("auto", "llama", "simulated")
LONGEST_S = 7 * 86_400.0


def _number(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """`nan` lies in every range."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("nan is not a number", param=option)
    return value


@click.command()
@click.option("--sites", type=click.IntRange(1, MAX_SITES), default=3, show_default=True, help="MEC sites.")
@click.option("--duration", type=click.FloatRange(1.0, LONGEST_S), callback=_number, metavar="SECONDS",
              help="End by itself; default: at Ctrl-C.")  # fmt: skip
@click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True,
              help="llama: every site runs a real small LLM. auto: if this machine can.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(1.0, 1000.0), default=30.0, callback=_number, show_default=True,
              help="Device requests a second, all sites together.")  # fmt: skip
@click.option("--scenario", type=click.Choice(list(SCENARIOS)), default="normal", show_default=True,
              help="What the devices are and what happens to them.")  # fmt: skip
@click.option("--policy", type=click.Choice([name.value for name in PolicyName]), default="hybrid", show_default=True,
              help="How gateways choose a site.")  # fmt: skip
@click.option("--no-dashboard", is_flag=True, help="Without the dashboard.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same requests.")
@click.option("--report", type=click.Path(path_type=Path), help="Write what was measured to this file, as JSON.")
@click.option("--state-store", type=click.Choice(["json", "dynamodb"]), default="json", show_default=True,
              help="Where the sites keep what they share: files, or a table of the demo's own.")  # fmt: skip
@click.option("--endpoint-url", metavar="URL", help="dynamodb: its address, such as http://127.0.0.1:8000 of DynamoDB "
              "Local.  [default: $AWS_ENDPOINT_URL_DYNAMODB]")  # fmt: skip
@click.option("--base-port", type=click.IntRange(1024, 65536 - PORTS_USED), default=8100, show_default=True,
              help="First of the ports; all others follow it.")  # fmt: skip
def demo(  # noqa: PLR0913, PLR0917 - click passes each option as an argument
    sites: int, duration: float | None, backend: str, rate: float, scenario: str, policy: str, no_dashboard: bool,
    seed: int, report: Path | None, state_store: str, endpoint_url: str | None, base_port: int,
) -> None:  # fmt: skip
    """Run a fleet on this machine: gateways, controllers and model servers of several sites, and devices that use them.

    Everything it writes is in .edgemind/ of this folder. Ctrl-C stops all of it.

    \b
    Exit codes: 0 it ran, until its end or Ctrl-C; 1 it could not start, or never became ready; 2 wrong usage;
    130 stopped before it was ready.
    """
    started_s = time.monotonic()
    with exit_codes():
        chosen = _scenario(scenario, sites)
        place = state_place(state_store, endpoint_url, process_environment())
        if report is not None:
            check_writable(report)
        llama, why = choose_backend(backend)
        taken = "llama" if llama else "simulated"
        options = DemoOptions(taken, chosen, policy, rate, seed, duration, not no_dashboard, report)
        click.echo(f"{chosen.name}: {chosen.text}")
        click.echo(f"backend {taken}: {why}")
        _run(options, place, sites, base_port, started_s)


def choose_backend(asked: str) -> tuple[bool, str]:
    """Whether to run the real model, and why (one line for people). ConfigurationError if it is asked for in vain."""
    if asked == "simulated":
        return False, "as asked; every model is simulated"
    from edgemind.adapters.inference.llama_wheels import llama_available

    available, why = llama_available()
    if asked == "llama" and not available:
        raise ConfigurationError(f"--backend llama is not possible here: {why}; --backend simulated needs nothing")
    return available, why


def _scenario(name: str, sites: int) -> Scenario:
    scenario = SCENARIOS[name]
    if sites < scenario.min_sites:
        raise ConfigurationError(f"--scenario {name} needs --sites {scenario.min_sites} or more")
    return scenario


def _run(options: DemoOptions, place: StatePlace, sites: int, base_port: int, started_s: float) -> None:
    # Imported late: a wrong flag or a taken port is told at once.
    from edgemind.entrypoints.demo.session import DemoSession

    layout = demo_fleet(sites, base_port, llama=options.backend == "llama")
    with claimed_folder() as folder:
        check_ports(layout, page=options.page)
        if place.endpoint_url is not None:
            bootstrap.make_scratch_table(TABLE, REGION, place.endpoint_url)
        settings = folder.fill(demo_configuration(layout, options.policy, place))
        key = folder.issue_key(settings)
        folder.provision(settings)
        session = DemoSession(options, layout, folder, settings, key, started_s)
        with asyncio.Runner(loop_factory=bootstrap.new_event_loop) as runner:
            runner.run(session.run())
