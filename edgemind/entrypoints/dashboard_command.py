"""`edgemind dashboard`: the dashboard of a fleet, in a process of its own.

The library imports no dashboard: where its script lies is found beside this package, as it is installed.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import click

import edgemind
from edgemind.entrypoints.demo.layout import HOST
from edgemind.entrypoints.demo.status_page import FLAGS
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.errors import ConfigurationError

SCRIPT = Path(edgemind.__file__).parents[1] / "dashboard" / "main.py"


@click.command()
@click.option("--fleet", metavar="URL", help="A controller's address.  [default: $EDGEMIND_FLEET_URL, or the demo's]")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The page's token: "
              "what everybody who opens the page may do.  [default: $EDGEMIND_FLEET_TOKEN]")  # fmt: skip
@click.option("--people-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Whose token is in which file, for people who sign in with an identity provider.")  # fmt: skip
@click.option("--listen", metavar="HOST", default=HOST, show_default=True, help="Listen at this address.")
@click.option("--port", type=click.IntRange(1, 65535), default=8600, show_default=True, help="Listen at this port.")
def dashboard(
    fleet: str | None, token_file: Path | None, people_file: Path | None, listen: str, port: int
) -> None:  # fmt: skip
    """Show a fleet in the browser: executive, operations and developer views.

    \b
    Exit codes: 0 it was stopped; 1 it could not start; 2 wrong usage, or it is not installed.
    """
    with exit_codes():
        if not SCRIPT.exists():
            raise ConfigurationError("the dashboard is not part of this installation; run it from a clone or its image")
        if find_spec("streamlit") is None:
            raise ConfigurationError('the dashboard needs streamlit; install it with: pip install "edgemind-mec[demo]"')
    command = dashboard_command(listen, port, fleet, token_file, people_file)
    click.echo(f"dashboard: http://{listen}:{port}")
    sys.stdout.flush()
    # Replaced by the page: signals and the exit code are its own.
    os.execv(sys.executable, command)


def dashboard_command(
    listen: str, port: int, fleet: str | None, token_file: Path | None, people_file: Path | None
) -> list[str]:
    """Streamlit's command line. Without `fleet` the page follows the environment, or the demo of this folder."""
    flags = (("--server.address", listen), ("--server.port", str(port)), *FLAGS)
    hosts = () if listen in {HOST, "localhost"} else (("--server.allowedHosts", listen),)
    own = (("--fleet", fleet), ("--token-file", token_file), ("--people-file", people_file))
    given = [word for name, value in own if value is not None for word in (name, str(value))]
    words = [word for flag in (*flags, *hosts) for word in flag]
    return [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *words, "--", *given]
