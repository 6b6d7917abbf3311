"""`edgemind devices`: flags and configuration in, device traffic until somebody stops it."""

import asyncio
from pathlib import Path

import click

from edgemind import bootstrap
from edgemind.domain.scenarios import SCENARIOS
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.demo.report_file import check_writable
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings, load_settings

# The others also break something, which only the demo that started the processes can do.
HARMLESS = [name for name, scenario in SCENARIOS.items() if not scenario.faults]
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--config",
    type=FILE,
    help="The fleet's configuration.  [default: $EDGEMIND_CONFIG, edgemind.yaml, or a demo's in this folder]",
)
@click.option("--site", "sites", multiple=True, help="A site whose devices these are; may be repeated. Default: all.")
@click.option("--key-file", type=FILE, required=True, help="File with the API key that the devices send.")
@click.option("--rate", type=click.FloatRange(0.1, 1000.0), default=12.0, show_default=True,
              help="Requests a second, all these sites together.")  # fmt: skip
@click.option("--scenario", type=click.Choice(HARMLESS), default="normal", show_default=True, help="What devices do.")
@click.option("--duration", type=click.FloatRange(min=1.0), metavar="SECONDS", help="Default: until SIGTERM.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same requests.")
@click.option("--report", type=click.Path(path_type=Path), help="Keep what was measured so far in this file, as JSON.")
def devices(
    config: Path | None, sites: tuple[str, ...], key_file: Path, rate: float, scenario: str, duration: float | None,
    seed: int, report: Path | None,
) -> None:  # fmt: skip
    """Send what phones, headsets, vehicles and sensors send, to the gateways of a fleet.

    A device talks to its own site, and to the next one while that is gone.

    \b
    Exit codes: 0 ran until its end or SIGTERM; 2 wrong usage or configuration.
    """
    with exit_codes():
        settings = load_settings(configuration_file(config), resolve_secrets=False)
        if report is not None:
            check_writable(report)
        # Imported late: a wrong flag is told at once.
        from edgemind.entrypoints.devices.run import DeviceOptions, DeviceRun

        options = DeviceOptions(_chosen(settings, sites), SCENARIOS[scenario], rate, seed, duration, report)
        with asyncio.Runner(loop_factory=bootstrap.new_event_loop) as runner:
            runner.run(DeviceRun(options, settings, _key(key_file)).run())


def _chosen(settings: Settings, names: tuple[str, ...]) -> tuple[str, ...]:
    """The sites asked for, each with a gateway; without any, all that have one. Raises ConfigurationError."""
    gateways = {site.name: site.gateway for site in settings.sites}
    for name in names:
        if name not in gateways:
            raise ConfigurationError(f"no site is called {name!r}; declared are {', '.join(list(gateways)[:20])}")
    without = [name for name in names or gateways if gateways[name] is None]
    chosen = dict.fromkeys(name for name in names or gateways if name not in without)
    if (names and without) or not chosen:
        raise ConfigurationError(f"{', '.join(without)}: has no gateway for devices; add one in the configuration")
    return tuple(chosen)


def _key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"--key-file {path} cannot be read ({exc}); `edgemind keys create` makes one") from exc
