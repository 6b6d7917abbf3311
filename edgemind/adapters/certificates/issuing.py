"""The authority of a fleet: its own certificate, and those that it issues to sites. P-256, as every TLS 1.3 has it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edgemind.domain.certificates import Certificate, site_uri
from edgemind.errors import PermanentError

BACKDATED = timedelta(hours=1)
"""Clocks of sites differ: a certificate must not be one of tomorrow anywhere."""
NAME_CHARS = 64
"""X.509's bound for a common name."""


@dataclass(frozen=True, slots=True)
class Pair:
    """PEM texts of a certificate and its private key."""

    certificate: bytes
    key: bytes


class Authority:
    """Issues certificates of one metro. `now_s` is Unix time."""

    def __init__(self, pair: Pair) -> None:
        """Raises PermanentError if the two cannot be read, or do not belong together."""
        try:
            self._certificate = x509.load_pem_x509_certificate(pair.certificate)
            key = serialization.load_pem_private_key(pair.key, password=None)
        except (ValueError, TypeError) as exc:
            raise PermanentError(f"the authority's certificate or key cannot be read: {exc}") from exc
        if not isinstance(key, ec.EllipticCurvePrivateKey) or self._certificate.public_key() != key.public_key():
            raise PermanentError("the authority's certificate and key do not belong together")
        self._key = key

    @classmethod
    def create(cls, metro: str, days: int, now_s: float) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"EdgeMind fleet authority of {metro}")
        made = (
            _begun(name, name, key.public_key(), days, now_s)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return Pair(made.public_bytes(serialization.Encoding.PEM), _pem(key))

    def issue(self, metro: str, site: str, host: str, days: int, now_s: float) -> Pair:
        """For a site whose controller others reach at `host`. Ends with the authority at the latest."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.UniformResourceIdentifier(site_uri(metro, site)), _host_name(host)]
        left = self._certificate.not_valid_after_utc - datetime.fromtimestamp(now_s, UTC)
        if left <= timedelta(0):
            raise PermanentError("the authority's certificate has ended: make a new authority, and renew all sites")
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = (
            _begun(_name(site), self._certificate.subject, key.public_key(), min(days, left.days), now_s)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Pair(made.public_bytes(serialization.Encoding.PEM), _pem(key))


def read_certificate(pem: bytes) -> Certificate:
    """The first certificate of a PEM file. Raises PermanentError."""
    try:
        found = x509.load_pem_x509_certificate(pem)
    except ValueError as exc:
        raise PermanentError(f"it is no PEM certificate: {exc}") from exc
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    hosts = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return Certificate(tuple(uris), tuple(hosts), found.not_valid_after_utc.timestamp())


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int, now_s: float
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(now_s, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:NAME_CHARS])])


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
