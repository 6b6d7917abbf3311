"""The root of `edgemind`: a table of commands, each imported only when it is called, and one line for every failure."""

import sys
import traceback
from dataclasses import dataclass
from importlib import import_module

import click

import edgemind
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.entrypoints.fleet_options import root_fleet_options


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command is (`module:attribute`), its line in the help, and the extra that brings what it imports."""

    place: str
    summary: str
    extra: str | None = None


_HERE = "edgemind.entrypoints"
COMMANDS = {
    "demo": LazyCommand(f"{_HERE}.demo.command:demo", "Run a fleet on this machine, with device traffic.", "demo"),
    "dashboard": LazyCommand(
        f"{_HERE}.dashboard_command:dashboard", "Show a fleet in the browser: executive, operations, developer.", "demo"
    ),
    "gateway": LazyCommand(f"{_HERE}.gateway.command:gateway", "Serve the devices of one site."),
    "controller": LazyCommand(f"{_HERE}.controller.command:controller", "Run a site's controller and fleet API."),
    "model-server": LazyCommand(
        f"{_HERE}.model_server.command:model_server", "Serve a site's simulated models, or one real one.", "llama"
    ),
    "bedrock-proxy": LazyCommand(
        f"{_HERE}.bedrock_proxy.command:bedrock_proxy", "Serve models of Amazon Bedrock as the cloud tier.", "aws"
    ),
    "sites": LazyCommand(
        f"{_HERE}.fleet_commands:sites", "List, show, drain and undrain sites; let them join and leave."
    ),
    "models": LazyCommand(
        f"{_HERE}.model_files_commands:models", "List models; publish, fetch and roll back their files."
    ),
    "decisions": LazyCommand(f"{_HERE}.fleet_commands:decisions", "List, explain and follow routing decisions."),
    "rounds": LazyCommand(f"{_HERE}.rounds.command:rounds", "List, show, explain and replay the swarm's rounds."),
    "top": LazyCommand(f"{_HERE}.operations.command:top", "Watch the fleet: load, KPIs, alerts, rounds."),
    "kpis": LazyCommand(f"{_HERE}.operations.command:kpis", "Show every KPI against its target."),
    "alerts": LazyCommand(f"{_HERE}.operations.command:alerts", "List what is wrong in the fleet."),
    "advice": LazyCommand(
        f"{_HERE}.advice.command:advice", "Run the advisor; list, accept and roll back changes of policy."
    ),
    "agents": LazyCommand(f"{_HERE}.agents_commands:agents", "List and follow the tool calls of the sites' agents."),
    "swarm": LazyCommand(f"{_HERE}.swarm_commands:swarm", "Prepare a metro for the rounds in which its sites decide."),
    "keys": LazyCommand(f"{_HERE}.keys_commands:keys", "Create, list and revoke API keys."),
    "certs": LazyCommand(f"{_HERE}.certs_commands:certs", "Make, renew and check certificates of controllers."),
    "config": LazyCommand(f"{_HERE}.config_commands:config_group", "Validate, show and compare configuration files."),
    "kpi": LazyCommand(f"{_HERE}.kpi.command:kpi", "Print KPIs, their limits, and rules and dashboards of them."),
    "audit": LazyCommand(f"{_HERE}.audit.command:audit", "Verify, read, export and erase what is kept for audits."),
    "check": LazyCommand(
        f"{_HERE}.check_commands:check", "Look at a fleet, and at what a deploy on AWS will lack.", "aws"
    ),
    "devices": LazyCommand(f"{_HERE}.devices.command:devices", "Send device traffic to a fleet."),
    # By name only: the library never imports its applications.
    "mcp": LazyCommand("mcp_tools.command:mcp", "Serve tools over the fleet to an MCP client.", "agents"),
    "simulate": LazyCommand(
        f"{_HERE}.simulate_command:simulate", "Simulate routing policies, or the swarm, in virtual time."
    ),
}


class RootGroup(click.Group):
    """Lists its commands without importing them: `edgemind --help` takes as long as click does."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        lazy = COMMANDS.get(cmd_name)
        return load_command(cmd_name, lazy) if lazy else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        with exit_codes():
            return super().invoke(ctx)


def load_command(name: str, lazy: LazyCommand) -> click.Command:
    """Import a command. ClickException names the extra to install when one of its imports is missing."""
    module, _, attribute = lazy.place.partition(":")
    try:
        command: click.Command = getattr(import_module(module), attribute)
    except ModuleNotFoundError as exc:
        missing = exc.name or "a module"
        how = f'install it with: pip install "edgemind-mec[{lazy.extra}]"' if lazy.extra else "install EdgeMind again"
        raise click.ClickException(f"`edgemind {name}` needs {missing}, which is not installed; {how}") from exc
    return command


@click.group(cls=RootGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(edgemind.__version__, prog_name="edgemind")
@root_fleet_options
def cli() -> None:
    """Inference at the edge site that meets its deadline.

    \b
    Exit codes: 0 done; 1 refused, not found, or not possible just now; 2 wrong usage or configuration;
    3 the fleet cannot be reached. EDGEMIND_DEBUG=1 shows the traceback of a failure.
    """


def main() -> None:
    """Run the command line: every failure is one line on stderr, and a traceback only if EDGEMIND_DEBUG asks for it."""
    try:
        # Commands return nothing. What comes is the code of an Exit: click catches it, and hands it over here only.
        code = cli(standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as exc:
        _show_traceback()
        exc.show()
        sys.exit(exc.exit_code)
    except BrokenPipeError:
        # Whoever read our output has had enough (`edgemind decisions list | head`).
        sys.stderr.close()
        sys.exit(1)
    except Exception as exc:  # noqa: BLE001 - the edge of the process: a defect is told in one line, too
        _show_traceback()
        click.echo(f"Error: unexpected {type(exc).__name__}: {exc}. EDGEMIND_DEBUG=1 shows where.", err=True)
        sys.exit(1)
    if code:
        sys.exit(code)


def _show_traceback() -> None:
    # Imported here: reading settings takes longer than everything else the root does.
    from edgemind.settings.environment import process_environment

    if process_environment().get("EDGEMIND_DEBUG"):
        traceback.print_exc()
