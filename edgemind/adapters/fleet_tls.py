"""TLS between the processes of a fleet, with the fleet's own authority: both sides show a certificate.

The contexts stay the same objects for the life of a process: a renewed certificate is loaded into them, and holds for
every connection that is made from then on.
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.domain.certificates import DAY_S, Certificate, Standing, names_of
from edgemind.errors import ConfigurationError
from edgemind.ports.clock import Clock

LOOK_EVERY_S = 5.0
HANDSHAKE_STEPS = 10
"""TLS 1.3 needs three; an endless exchange with oneself would be a defect."""

log = logging.getLogger(__name__)
Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the authorities that are trusted (one or more), the own certificate, its private key."""

    ca: Path
    certificate: Path
    key: Path

    def stamp(self) -> Stamp:
        """Follows links. Raises OSError."""
        found = [path.stat() for path in (self.ca, self.certificate, self.key)]
        return tuple((status.st_mtime_ns, status.st_ino, status.st_size) for status in found)


class FleetTls:
    """`server` takes connections without a certificate too (people have tokens), and refuses those with a wrong one.

    `host` is where others reach this process, if they do. Raises ConfigurationError if they could not connect there.
    """

    def __init__(self, files: TlsFiles, host: str | None) -> None:
        self.files = files
        self._host = host
        self._stamp = _stamped(files)
        self.server, self.client = _contexts(files)
        self.certificate = own_certificate(files, host)
        self._refused: str | None = None
        self._told_s: float | None = None

    async def run(self, clock: Clock) -> None:
        """Look at the files again and again until cancelled."""
        while True:
            await asyncio.to_thread(self.look, clock.wall_ms() / 1000.0)
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self, now_s: float) -> None:
        """Take up renewed files, and warn once a day of a certificate that ends soon. Reads files: may block."""
        try:
            stamp = self.files.stamp()
            if stamp != self._stamp:
                self._take_up()
                self._stamp, self._refused = stamp, None
                log.info("certificate renewed: good for %.0f days", self.certificate.days_left(now_s))
        except (OSError, ConfigurationError) as exc:
            # Tried at each look: a certificate and its key are two files, and may be replaced one after the other.
            if str(exc) != self._refused:
                self._refused = str(exc)
                log.warning("the old certificate stays in force: %s", exc)
        self._warn(now_s)

    def _take_up(self) -> None:
        # First into contexts of their own: half a change must not get into those that serve.
        self.certificate = own_certificate(self.files, self._host)
        for context in (self.server, self.client):
            _load(context, self.files)

    def _warn(self, now_s: float) -> None:
        if self.certificate.standing(now_s) is Standing.GOOD:
            return
        if self._told_s is None or now_s - self._told_s >= DAY_S:
            self._told_s = now_s
            left = self.certificate.days_left(now_s)
            log.warning("%s ends in %.1f days: edgemind certs renew", self.files.certificate, left)


def own_certificate(files: TlsFiles, host: str | None) -> Certificate:
    """What the other side of a connection to `host` sees of us. ConfigurationError if there could be none."""
    server, client = _contexts(files)
    client.check_hostname = host is not None
    try:
        seen_by_client, seen_by_server = _handshake(server, client, host)
    except ssl.SSLCertVerificationError as exc:
        place = f" at {host}" if host else ""
        why = f"{files.certificate} cannot be used{place}: {exc.verify_message or exc.reason}"
        raise ConfigurationError(f"fleet.tls: {why}; make one with: edgemind certs create, or renew") from exc
    except ssl.SSLError as exc:
        raise ConfigurationError(f"fleet.tls: {files.certificate} cannot be used: {exc.reason or exc}") from exc
    if not seen_by_server:
        raise ConfigurationError(f"fleet.tls: {files.certificate} is not one that can be shown to a server")
    return Certificate(
        names_of(seen_by_client, "URI"),
        names_of(seen_by_client, "DNS", "IP Address"),
        ssl.cert_time_to_seconds(str(seen_by_client["notAfter"])),
    )


def _contexts(files: TlsFiles) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for context in (server, client):
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        _load(context, files)
    server.verify_mode = ssl.CERT_OPTIONAL
    return server, client


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Raises ConfigurationError."""
    try:
        context.load_verify_locations(files.ca)
    except (ssl.SSLError, OSError) as exc:
        raise ConfigurationError(f"fleet.tls.ca: {files.ca} cannot be used: {_reason(exc)}") from exc
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as exc:
        why = f"{files.certificate} with {files.key} cannot be used: {_reason(exc)}"
        raise ConfigurationError(f"fleet.tls.certificate: {why}") from exc


def _no_password() -> str:
    """Without it OpenSSL would ask at the terminal, and a process without one would wait."""
    raise ValueError("the key has a password; write it without one, readable to this user only")


def _stamped(files: TlsFiles) -> Stamp:
    try:
        return files.stamp()
    except OSError as exc:
        raise ConfigurationError(f"fleet.tls: {exc.filename} cannot be read: {_reason(exc)}") from exc


def _reason(exc: Exception) -> str:
    return str(getattr(exc, "reason", None) or getattr(exc, "strerror", None) or exc).lower()


def _handshake(
    server: ssl.SSLContext, client: ssl.SSLContext, host: str | None
) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """A connection with oneself, in memory: what each side sees of the other. Raises SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_side = client.wrap_bio(to_client, to_server, server_hostname=host)
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client_side, server_side]
    for _ in range(HANDSHAKE_STEPS):
        for side in list(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
        if not waiting:
            break
    seen = client_side.getpeercert()
    assert seen is not None
    return seen, server_side.getpeercert()
