"""What Prometheus has to scrape of a fleet: a job for its gateways, and one for its controllers."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from edgemind.domain.fleet import Fleet, Site
from edgemind.domain.monitoring.metrics import AT, METRO
from edgemind.domain.monitoring.rules import EVALUATED_EVERY

Document = dict[str, Any]


def scrape_document(fleet: Fleet, rules_file: str, token_file: str | None, workers: int = 1) -> Document:
    """A prometheus.yaml. `token_file` holds a viewer's token, which controllers want; gateways ask for none.

    A gateway has `workers` processes, each with an admin listener of its own, one port after another. A site without
    a declared admin listener is left out: it listens on loopback there.
    """
    gateways = [(site, place) for site in fleet.sites for place in _admin_places(site, workers)]
    jobs = [_job("edgemind-gateways", "http", fleet.metro, gateways)]
    for scheme in ("http", "https"):
        controllers = list(_controllers(fleet.sites, scheme))
        if controllers:
            name = "edgemind-controllers" if scheme == "http" else "edgemind-controllers-tls"
            jobs.append({**_job(name, scheme, fleet.metro, controllers), **_authorization(token_file)})
    return {
        "global": {"scrape_interval": EVALUATED_EVERY, "evaluation_interval": EVALUATED_EVERY},
        "rule_files": [rules_file],
        "scrape_configs": jobs,
    }


def _admin_places(site: Site, workers: int) -> Iterable[str]:
    parts = urlsplit(site.admin_url or "")
    if parts.hostname is not None and parts.port is not None:
        for worker in range(workers):
            yield f"{_bracketed(parts.hostname)}:{parts.port + worker}"


def _controllers(sites: Iterable[Site], scheme: str) -> Iterable[tuple[Site, str]]:
    for site in sites:
        parts = urlsplit(site.controller_url or "")
        if parts.scheme == scheme:
            yield site, parts.netloc


def _job(name: str, scheme: str, metro: str, places: Iterable[tuple[Site, str]]) -> Document:
    targets = [{"targets": [place], "labels": {METRO: metro, AT: site.name}} for site, place in places]
    return {"job_name": name, "scheme": scheme, "static_configs": targets}


def _authorization(token_file: str | None) -> Document:
    return {} if token_file is None else {"authorization": {"credentials_file": token_file}}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
