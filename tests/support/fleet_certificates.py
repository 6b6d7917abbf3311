"""A fleet's authority and site certificates in a folder, as `edgemind certs` makes them."""

import time
from pathlib import Path

from edgemind.adapters.certificates.folder import CertificateFolder
from edgemind.adapters.fleet_tls import FleetTls, TlsFiles

HOST = "127.0.0.1"
METRO = "test"


class Certificates:
    def __init__(self, folder: Path, metro: str = METRO) -> None:
        self.path = folder
        folder.mkdir(exist_ok=True)
        self.folder = CertificateFolder(folder, metro)
        self.folder.create_authority(30, time.time())

    def issue(self, site: str, host: str = HOST, days: float = 20) -> TlsFiles:
        """`days` may be in the past: then it was made that long ago, to end today."""
        now_s = time.time()
        if days > 0:
            self.folder.issue(site, host, int(days), now_s)
        else:
            self.folder.issue(site, host, 1, now_s + (days - 1) * 86_400)
        return self.files(site)

    def files(self, site: str) -> TlsFiles:
        return TlsFiles(self.path / "ca.pem", self.path / f"{site}.pem", self.path / f"{site}.key")

    def tls(self, site: str) -> FleetTls:
        return FleetTls(self.issue(site), HOST)
