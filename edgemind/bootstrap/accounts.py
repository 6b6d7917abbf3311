"""What an operator's own commands reach: an AWS account, and the folder of the fleet's certificates."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from edgemind.errors import ConfigurationError

if TYPE_CHECKING:
    from edgemind.adapters.certificates.folder import CertificateFolder
    from edgemind.ports.cloud_account import CloudAccount


def cloud_account() -> "CloudAccount":
    """The AWS account of the credentials that boto3 finds, at the endpoints that it finds."""
    # Imported here: processes at a site ask no account.
    from edgemind.adapters.aws_calls import require_boto3
    from edgemind.adapters.cloud_account.aws import AwsAccount

    require_boto3("the check of an AWS account")
    return AwsAccount()


def certificate_folder(folder: Path, metro: str) -> "CertificateFolder":
    """Where an operator keeps the authority's key and what it issued. ConfigurationError without the extra `certs`."""
    if find_spec("cryptography") is None:
        raise ConfigurationError(
            'certificates are made with cryptography, which is not installed: pip install "edgemind-mec[certs]"'
        )
    # Imported here: processes at a site make none.
    from edgemind.adapters.certificates.folder import CertificateFolder

    return CertificateFolder(folder, metro)
