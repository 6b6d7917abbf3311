"""`edgemind audit verify|residency|list|show|export|erase|accept`."""

import click

from edgemind.entrypoints.audit.changing import accept, erase
from edgemind.entrypoints.audit.looking import export, list_entries, show_entry
from edgemind.entrypoints.audit.residency import residency
from edgemind.entrypoints.audit.verify import verify


@click.group()
def audit() -> None:
    """Prove what the fleet did: verify, read, export and erase what its sites' journals keep."""


for _command in (verify, residency, list_entries, show_entry, export, erase, accept):
    audit.add_command(_command)
