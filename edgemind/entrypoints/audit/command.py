"""`edgemind audit verify|residency|list|show|export|erase|accept`."""

import click

from edgemind.entrypoints.audit.verify import verify


@click.group()
def audit() -> None:
    """Prove what the fleet did: verify, read, export and erase what its sites' journals keep."""


for _command in (verify,):
    audit.add_command(_command)
