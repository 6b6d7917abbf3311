"""A folder of certificates: `ca.pem`, `ca.key`, and `.pem` and `.key` of each site; only the owner reads them."""

import re
from collections.abc import Iterator
from pathlib import Path

from edgemind.adapters.certificates.issuing import Authority, Pair, read_certificate
from edgemind.adapters.state_store.durable_files import locked, replace_durably
from edgemind.domain.certificates import Certificate
from edgemind.errors import PermanentError

AUTHORITY = "ca"
LOCK_TIMEOUT_S = 5.0
_SITE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class CertificateFolder:
    """`metro` names the fleet; times are Unix seconds. Raises PermanentError, or StoreUnavailable for the disk."""

    def __init__(self, folder: Path, metro: str) -> None:
        self.folder = folder
        self._metro = metro

    def has(self, name: str) -> bool:
        return (self.folder / f"{name}.pem").exists()

    def create_authority(self, days: int, now_s: float) -> bool:
        """Make the authority unless there is one; whether it was made. A certificate without its key is left alone."""
        if self.has(AUTHORITY):
            return False
        with locked(self.folder, LOCK_TIMEOUT_S):
            self._write(AUTHORITY, Authority.create(self._metro, days, now_s))
        return True

    def issue(self, site: str, host: str, days: int, now_s: float) -> Certificate:
        """Make a site's certificate, for `host`, with a new key, in the place of the one it had."""
        if site == AUTHORITY or not _SITE.fullmatch(site):
            raise PermanentError(f"no site of a folder of certificates can be called {site!r}")
        authority = Authority(self._pair(AUTHORITY))
        pair = authority.issue(self._metro, site, host, days, now_s)
        with locked(self.folder, LOCK_TIMEOUT_S):
            self._write(site, pair)
        return read_certificate(pair.certificate)

    def read(self, name: str) -> Certificate:
        return read_certificate(self._bytes(name, "pem"))

    def list(self) -> Iterator[tuple[str, Certificate | str]]:
        """Name and certificate of each, the authority first; what cannot be read is its reason."""
        names = {path.stem for path in self.folder.glob("*.pem")}
        for name in sorted(names, key=lambda name: (name != AUTHORITY, name)):
            try:
                yield name, self.read(name)
            except PermanentError as exc:
                yield name, str(exc)

    def _write(self, name: str, pair: Pair) -> None:
        # The key first: a process that looks between the two finds a pair that does not fit, and keeps what it has.
        replace_durably(self.folder / f"{name}.key", pair.key)
        replace_durably(self.folder / f"{name}.pem", pair.certificate)

    def _pair(self, name: str) -> Pair:
        return Pair(self._bytes(name, "pem"), self._bytes(name, "key"))

    def _bytes(self, name: str, ending: str) -> bytes:
        path = self.folder / f"{name}.{ending}"
        try:
            return path.read_bytes()
        except FileNotFoundError as exc:
            raise PermanentError(f"{path} does not exist; edgemind certs create makes it") from exc
        except OSError as exc:
            raise PermanentError(f"{path} cannot be read: {(exc.strerror or str(exc)).lower()}") from exc
