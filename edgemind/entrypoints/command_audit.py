"""Commands that write to the fleet's stores themselves are kept in a journal of their host: `cli-<host>`."""

import os
import pwd
import re
import socket
from collections.abc import Mapping

import click

from edgemind.adapters.clock import SystemClock
from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.audit.subjects import operator_subject
from edgemind.settings import Settings

NAME_CHARS = 60


def command_journal() -> str:
    """Its name among the sites' journals."""
    host = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().lower()).strip("-")
    return f"cli-{host or 'host'}"[:NAME_CHARS]


def record_command(settings: Settings, body: Mapping[str, object]) -> None:
    """Keep what was done, and by whom; a journal that cannot be written is told, and nothing is undone for it."""
    if not settings.audit.enabled:
        return
    # Imported here: most commands change nothing.
    from edgemind.bootstrap.audit import open_command_journal

    name, login = command_journal(), _login()
    entry = AuditEntry(
        EntryKind.ADMIN_ACTION, SystemClock().wall_ms(), name, {**body, "role": "host", "outcome": "done"},
        operator_subject(login), {"login": login},
    )  # fmt: skip
    journal = open_command_journal(settings, name)
    journal.record(entry)
    journal.close()
    if (trouble := journal.status.trouble) is not None:
        click.echo(f"Warning: this may not be in the audit journal: {trouble}", err=True)


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
