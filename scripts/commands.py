"""The commands of `./run`, as a table. Each prepares the environment it needs, then hands over or runs its steps."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from scripts import archives, cdk
from scripts.archives import ARCHIVES
from scripts.environment import Environment
from scripts.groups import (
    AGENTS,
    AWS,
    BENCH,
    CERTS,
    CORE,
    DEMO,
    DEV,
    ENGINES,
    INFRA,
    PEERS,
    TESTED,
    TESTED_APART,
    Group,
)
from scripts.progress import Progress
from scripts.trouble import Trouble

NO_TESTS_COLLECTED = 5  # pytest's exit code
# The whole suite by several processes, a file as one piece. More than these would wait for each other's engines.
SIDE_BY_SIDE = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")


class House:
    """The tree and its environments."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._progress = Progress(sys.stdout)
        self.main = Environment(root, root / ".venv", self._progress)

    def prepare(self, *groups: Group) -> None:
        self.main.ensure(groups)

    def prepare_apart(self, group: Group) -> None:
        """An environment of its own for a group that drags versions."""
        Environment(self.root, self.root / ".venvs" / group.name, self._progress).ensure([group])

    def prepare_tests(self) -> None:
        """Everything the tests can get here; what is missing they skip with a reason."""
        self.prepare(*TESTED)
        for group in TESTED_APART:
            self.prepare_apart(group)
        for archive in ARCHIVES:
            archives.ensure(self.root, archive, self._progress)
        cdk.install_if_possible(self.root, self._progress)

    def prepare_cdk(self) -> None:
        """The CDK app and its command line; Trouble if either cannot be had."""
        self.prepare(INFRA)
        cdk.install(self.root, self._progress)

    def become(self, *arguments: str) -> NoReturn:
        """Replace this process by the environment's Python, so that signals and the exit code are its own."""
        sys.stdout.flush()
        python = str(self.main.python)
        os.execv(python, [python, *arguments])

    def call(self, *arguments: str) -> int:
        """Run the environment's Python to its end; its exit code."""
        with subprocess.Popen([self.main.python, *arguments]) as process:
            try:
                return process.wait()
            except KeyboardInterrupt as interrupt:
                # A terminal's Ctrl-C has reached it already, a signal to this process alone has not.
                if interrupt.args:
                    process.send_signal(signal.SIGINT)
                process.wait()
                raise


@dataclass(frozen=True, slots=True)
class Command:
    usage: str
    about: str
    run: Callable[[House, list[str]], int]


def groups_for_edgemind(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[Group, ...]:
    """What an `edgemind` command needs; servers and client commands need the core only, and boto3 for a store on AWS.

    Only the environment is asked where the state is kept: reading edgemind.yaml takes packages that are not here yet.
    """
    match arguments:
        case ["demo", *flags]:
            simulated = _last_value(flags, "--backend") == "simulated"
            return (DEMO, AGENTS) if simulated else (DEMO, AGENTS, *ENGINES)
        case ["model-server", *_]:
            return (CORE, *ENGINES)
        case ["dashboard", *_]:
            return (DEMO,)
        case ["mcp", *_] | ["advice", "run", *_]:
            return (AGENTS,)
        case ["check", *_] | ["bedrock-proxy", *_]:
            return (AWS,)
        case ["certs", *_]:
            return (CERTS,)
        case _:
            return (AWS if environ.get("EDGEMIND_STATE__STORE") == "dynamodb" else CORE,)


def _last_value(arguments: Sequence[str], flag: str) -> str:
    """What a flag was given, as `--flag value` or `--flag=value`, the last time if often; "" if never."""
    value = ""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if argument == flag:
            value = following
        elif argument.startswith(f"{flag}="):
            value = argument.partition("=")[2]
    return value


def edgemind(house: House, arguments: list[str]) -> int:
    house.prepare(*groups_for_edgemind(arguments, os.environ))
    house.become("-m", "edgemind", *arguments)


def cdk_app(house: House, arguments: list[str]) -> NoReturn:
    """What cdk.json names, so that a plain `cdk` works in a fresh clone."""
    _takes_no(arguments, "cdk-app")
    house.prepare(INFRA)
    os.environ.update(cdk.environment(house.root))
    house.become("app.py")


def run_cdk(house: House, arguments: list[str]) -> NoReturn:
    house.prepare_cdk()
    os.chdir(house.root)
    sys.stdout.flush()
    command = cdk.command(house.root, arguments)
    os.execve(command[0], command, cdk.environment(house.root))


def demo(house: House, arguments: list[str]) -> int:
    return edgemind(house, ["demo", *arguments])


def test(house: House, arguments: list[str]) -> int:
    house.prepare_tests()
    os.chdir(house.root)
    house.become("-m", "pytest", "-m", "not slow", *side_by_side(arguments), *arguments)


def side_by_side(arguments: Sequence[str]) -> tuple[str, ...]:
    """For the whole suite; who names a part of it, or has a debugger started, gets that in one process."""
    whole = all(argument.startswith("-") for argument in arguments) and "--pdb" not in arguments
    return SIDE_BY_SIDE if whole else ()


def lint(house: House, arguments: list[str]) -> int:
    from scripts.checks import run_all

    _takes_no(arguments, "lint")
    house.prepare(DEV, INFRA)
    return run_all(house.root, house.main.python)


def reformat(house: House, arguments: list[str]) -> int:
    house.prepare(DEV)
    os.chdir(house.root)
    fixed = house.call("-m", "ruff", "check", "--fix", "--quiet", *arguments)
    return house.call("-m", "ruff", "format", *arguments) or fixed


def ci(house: House, arguments: list[str]) -> int:
    """Everything. `--rest` leaves out what `./run test` ran just before."""
    rest = arguments == ["--rest"]
    _takes_no([] if rest else arguments, "ci")
    house.prepare_tests()
    linted = lint(house, [])
    os.chdir(house.root)
    quick = 0 if rest else house.call("-m", "pytest", "--no-skips", "-m", "not slow", *SIDE_BY_SIDE)
    # One after the other: they start fleets, browsers and containers, which are in each other's way.
    slow = house.call("-m", "pytest", "--no-skips", "-m", "slow", "--durations=20")
    modelled = model(house, [])
    return linted or modelled or quick or (0 if rest and slow == NO_TESTS_COLLECTED else slow)


def model(house: House, arguments: list[str]) -> int:
    from scripts.model import run

    return run(house.root, arguments)


def mutants(house: House, arguments: list[str]) -> int:
    """Each condition of each write taken from a real store: a check fails, and rounds in a storm break."""
    return _marked(house, "mutants", arguments)


def history(house: House, arguments: list[str]) -> int:
    """Recorded histories of the swarm's stores under many writers are linearizable."""
    return _marked(house, "history", arguments)


def _marked(house: House, marker: str, arguments: list[str]) -> NoReturn:
    house.prepare_tests()
    os.chdir(house.root)
    house.become("-m", "pytest", "-m", marker, *arguments)


def peers_apart(arguments: Sequence[str]) -> tuple[Group, ...]:
    """The peers asked for that live in environments of their own; big, so only on demand."""
    asked = _last_value(arguments, "--peers")
    return tuple(group for group in PEERS if asked == "all" or group.name.partition("-")[0] in asked)


def bench(house: House, arguments: list[str]) -> int:
    house.prepare(CORE, AGENTS if arguments[:1] == ["voter"] else BENCH)
    for peer in peers_apart(arguments):
        house.prepare_apart(peer)
    house.become("-m", "benchmarks", *arguments)


def compose(house: House, arguments: list[str]) -> int:
    from scripts.compose import run
    from scripts.containers import Fleet

    return run(Fleet(house.root), arguments)


def lock(house: House, arguments: list[str]) -> int:
    from scripts.locks import make

    make(house.root, [name for name in arguments if name != "--upgrade"], upgrade="--upgrade" in arguments)
    return 0


def hooks(house: House, arguments: list[str]) -> int:
    _takes_no(arguments, "hooks")
    house.prepare(DEV)
    code = subprocess.run(["git", "config", "core.hooksPath", ".githooks"], cwd=house.root, check=False).returncode
    print("hooks: on; `git config --unset core.hooksPath` turns them off" if code == 0 else "hooks: git refused")
    return code


def _takes_no(arguments: Sequence[str], name: str) -> None:
    if arguments:
        raise Trouble(f"./run {name} does not know {' '.join(arguments)}; see ./run help")


COMMANDS: dict[str, Command] = {
    "demo": Command("[flags]", "three sites, device traffic, a live table and a status page; Ctrl-C stops all", demo),
    "compose": Command(
        "[up|down|...]", "the fleet in containers: three sites, store, page, devices; needs Docker", compose
    ),
    "edgemind": Command("COMMAND ...", "the command line; after the first start also .venv/bin/edgemind", edgemind),
    "cdk-app": Command("", "the CDK app itself, for the CDK's command line to call (cdk.json)", cdk_app),
    "cdk": Command("COMMAND ...", "the CDK's command line, on the app of this tree: docs/aws.md", run_cdk),
    "test": Command("[pytest flags]", "the tests, without the slow ones (-m slow runs those)", test),
    "lint": Command("", "ruff, mypy, import contracts, locks and house rules", lint),
    "format": Command("[paths]", "let ruff mend what it can", reformat),
    "ci": Command("[--rest]", "what CI runs: lint and all tests; a skipped test is a failure", ci),
    "model": Command("[VARIANT ...]", "the formal model of the swarm's round and its mutants: docs/model/", model),
    "mutants": Command("[pytest flags]", "the swarm's stores without one condition each: every one is missed", mutants),
    "history": Command("[pytest flags]", "histories of the swarm's stores under 16 writers are linearizable", history),
    "bench": Command(
        "NAME [flags]",
        "benchmarks beside their peers: gateway, decision, memory, voter, rounds, audit; NAME --help has the flags",
        bench,
    ),
    "lock": Command("[--upgrade] [NAME ...]", "make requirements/*.lock from pyproject.toml", lock),
    "hooks": Command("", "check each commit before it is made (.githooks)", hooks),
}


def help_text() -> str:
    rows = [f"  ./run {name + ' ' + command.usage:<32}{command.about}" for name, command in COMMANDS.items()]
    return "\n".join(["EdgeMind runs inference where it meets its deadline.", "", *rows])


def dispatch(root: Path, arguments: list[str]) -> int:
    """Run one command; its exit code. Raises Trouble."""
    if not arguments or arguments[0] in ("help", "-h", "--help"):
        print(help_text())
        return 0
    command = COMMANDS.get(arguments[0])
    if command is None:
        print(f"run: there is no command {arguments[0]}\n\n{help_text()}", file=sys.stderr)
        return 2
    return command.run(House(root), arguments[1:])
