import logging
import shutil
import time
from pathlib import Path

import pytest

from edgemind.adapters.certificates.folder import CertificateFolder
from edgemind.adapters.fleet_tls import FleetTls, TlsFiles
from edgemind.domain.certificates import DAY_S, Standing, site_uri
from edgemind.errors import ConfigurationError, PermanentError
from tests.support.fleet_certificates import HOST, METRO, Certificates


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certs")


def test_a_sites_certificate_says_what_site_it_is_of_and_where_it_listens(certificates: Certificates) -> None:
    certificate = FleetTls(certificates.issue("site-a"), HOST).certificate
    assert certificate.uris == (site_uri(METRO, "site-a"),)
    assert certificate.hosts == (HOST,)
    assert 19 < certificate.days_left(time.time()) <= 20
    # What the library says of the file is what a connection shows.
    assert certificate == certificates.folder.read("site-a")


@pytest.mark.parametrize("host", ["mec-a.example.org", "::1"])
def test_hosts_are_names_or_addresses(certificates: Certificates, host: str) -> None:
    assert FleetTls(certificates.issue("site-a", host), host).certificate.hosts


def test_keys_are_for_their_owner_only(certificates: Certificates) -> None:
    certificates.issue("site-a")
    assert {path.stat().st_mode & 0o777 for path in certificates.path.glob("*.*")} == {0o600}


def broken(files: TlsFiles, how: str) -> None:
    match how:
        case "no certificate":
            files.certificate.unlink()
        case "text for a certificate":
            files.certificate.write_text("hello", encoding="utf-8")
        case "text for an authority":
            files.ca.write_text("hello", encoding="utf-8")
        case "another key":
            shutil.copy(files.key.with_name("site-b.key"), files.key)
        case "another authority":
            other = Certificates(files.ca.parent / "other")
            shutil.copy(other.files("ca").certificate, files.ca)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("no certificate", "site-a.pem cannot be read: no such file"),
        ("text for a certificate", "site-a.pem with .* cannot be used"),
        ("text for an authority", "fleet.tls.ca: .*ca.pem cannot be used"),
        ("another key", "key_values_mismatch|key values mismatch"),
        ("another authority", "unable to get local issuer|self-signed|signature failure|unknown"),
    ],
)
def test_what_cannot_be_used_is_said_at_the_start(certificates: Certificates, how: str, words: str) -> None:
    certificates.issue("site-b")
    files = certificates.issue("site-a")
    broken(files, how)
    with pytest.raises(ConfigurationError, match=words):
        FleetTls(files, HOST)


def test_a_certificate_for_another_host_is_not_good(certificates: Certificates) -> None:
    files = certificates.issue("site-a", "mec-a.example.org")
    with pytest.raises(ConfigurationError, match=r"at 127\.0\.0\.1: .*mismatch"):
        FleetTls(files, HOST)
    # A gateway's process is not asked at that host; it shows the same certificate.
    FleetTls(files, None)


def test_one_that_has_ended_is_not_good(certificates: Certificates) -> None:
    with pytest.raises(ConfigurationError, match="expired"):
        FleetTls(certificates.issue("site-a", days=-1), HOST)


def test_a_renewed_certificate_is_taken_up_once_both_files_are_there(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    files, now_s = certificates.issue("site-a"), time.time()
    tls = FleetTls(files, HOST)
    before, contexts = tls.certificate, (tls.server, tls.client)
    old_key = files.key.read_bytes()
    certificates.issue("site-a", days=25)
    new_key = files.key.read_bytes()
    with caplog.at_level(logging.INFO):
        files.key.write_bytes(old_key)
        for _ in range(3):
            tls.look(now_s)
        assert tls.certificate == before
        files.key.write_bytes(new_key)
        for _ in range(3):
            tls.look(now_s)

    assert tls.certificate.not_after_s > before.not_after_s
    assert (tls.server, tls.client) == contexts
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "the old certificate stays in force",
        "certificate renewed",
    ]


def test_an_end_that_comes_near_is_told_once_a_day(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    tls = FleetTls(certificates.issue("site-a"), HOST)
    with caplog.at_level(logging.WARNING):
        tls.look(time.time())
        assert not caplog.records
        soon_s = tls.certificate.not_after_s - 13 * DAY_S
        for later_s in (0, 60, DAY_S - 1, DAY_S + 1):
            tls.look(soon_s + later_s)
    assert [record.message.split(" ends ")[1] for record in caplog.records] == [
        "in 13.0 days: edgemind certs renew",
        "in 12.0 days: edgemind certs renew",
    ]


def test_the_standing_of_a_certificate(certificates: Certificates) -> None:
    certificate = FleetTls(certificates.issue("site-a"), HOST).certificate
    end_s = certificate.not_after_s
    standings = [certificate.standing(end_s - days * DAY_S) for days in (15, 13, -1)]
    assert standings == [Standing.GOOD, Standing.EXPIRING, Standing.EXPIRED]


def test_no_certificate_outlives_its_authority(certificates: Certificates) -> None:
    certificates.issue("site-a", days=300)
    assert certificates.folder.read("site-a").not_after_s <= certificates.folder.read("ca").not_after_s
    with pytest.raises(PermanentError, match="has ended"):
        certificates.folder.issue("site-a", HOST, 10, time.time() + 40 * DAY_S)


@pytest.mark.parametrize("name", ["ca", "../site-a", "Site"])
def test_no_site_takes_the_authoritys_place(certificates: Certificates, name: str) -> None:
    with pytest.raises(PermanentError, match="can be called"):
        certificates.folder.issue(name, HOST, 10, time.time())


def test_an_authority_without_its_key_issues_nothing_and_is_not_replaced(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certs")
    (certificates.path / "ca.key").unlink()
    assert not certificates.folder.create_authority(30, time.time())
    with pytest.raises(PermanentError, match=r"ca\.key does not exist"):
        certificates.issue("site-a")


def test_a_folder_lists_what_it_holds_and_what_it_cannot_read(certificates: Certificates) -> None:
    certificates.issue("site-b")
    (certificates.path / "site-a.pem").write_text("hello", encoding="utf-8")
    listed = dict(CertificateFolder(certificates.path, METRO).list())
    assert list(listed) == ["ca", "site-a", "site-b"]
    assert "no PEM certificate" in str(listed["site-a"])
