"""Exit codes of every command: 0 done, 1 refused or not possible just now, 2 wrong usage or configuration."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from edgemind.errors import ConfigurationError, EdgeMindError


class Refused(click.ClickException):
    """Printed as one "Error: ..." line on stderr."""

    exit_code = 1


class WrongUsage(Refused):
    exit_code = 2


@contextmanager
def exit_codes() -> Iterator[None]:
    """Ends the command with one clear line, and the code that tells a script whose turn it is."""
    try:
        yield
    except ConfigurationError as exc:
        raise WrongUsage(str(exc)) from exc
    except EdgeMindError as exc:
        raise Refused(str(exc)) from exc
