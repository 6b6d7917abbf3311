"""The processes of a fleet, asked from here: controllers and their clocks, gateways, model servers, journals."""

import ssl
from collections.abc import Sequence
from functools import partial
from typing import Any

from edgemind import bootstrap
from edgemind.domain.checkup import Observation, Standing
from edgemind.entrypoints.doctor.asking import Answer, get
from edgemind.entrypoints.doctor.probing import Probe
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings

SKEW_WARNING_MS, SKEW_BAD_MS = 500.0, 2500.0
"""The registry counts a heartbeat that is 5 s old as gone: half of that may be the clocks'."""


def probes(settings: Settings) -> list[Probe]:
    found: list[Probe] = []
    for site in settings.sites:
        if site.controller is not None:
            tls = _context(settings, site.name)
            found.append(Probe(f"controller of {site.name}", partial(_controller, settings, site.name, tls)))
        if site.gateway is not None:
            found.append(Probe(f"gateway of {site.name}", partial(_gateway, site.name, site.gateway)))
        for model in site.models:
            key = model.key.reveal() if model.key is not None and model.key.known else None
            look = partial(_model_server, site.name, model.name, model.base_url, key)
            found.append(Probe(f"{model.name} at {site.name}", look))
    return found


def _context(settings: Settings, site: str) -> ssl.SSLContext | None:
    """As the fleet's own processes ask, if this machine has a certificate of it; else as anybody asks."""
    tls = settings.access.tls
    if tls is None:
        return None
    for one in (site, *(other.name for other in settings.sites)):
        if tls.of(one)[1].exists():
            try:
                found = bootstrap.fleet_tls(settings, one)
            except ConfigurationError:
                continue
            return found.client if found is not None else None
    return None


def _controller(settings: Settings, site: str, tls: ssl.SSLContext | None) -> Sequence[Observation]:
    subject, url = f"controller of {site}", settings.declared(site).controller
    answer = get(f"{url}/edgemind/v1/healthz", tls=tls)
    start = f"start it: edgemind controller --site {site}; or correct its address, {url}"
    if isinstance(answer, str):
        return [Observation(subject, Standing.BAD, f"does not answer at {url}: {answer}", start)]
    told = answer.document or {}
    if answer.status != 200 or told.get("site") != site:
        found = f"{url} answers {answer.status} as {told.get('site', 'something else')}"
        return [Observation(subject, Standing.BAD, found, f"correct `controller` of {site} in edgemind.yaml")]
    found = f"answers in {answer.took_ms:.0f} ms"
    return [Observation(subject, Standing.OK, found), *_clock(site, answer), *_own_story(settings, site, tls)]


def _clock(site: str, answer: Answer) -> Sequence[Observation]:
    """Its clock against the one here. A controller of an older version does not tell."""
    at_ms = (answer.document or {}).get("at_ms")
    if not isinstance(at_ms, int | float):
        return []
    off_ms = at_ms - (answer.sent_ms + answer.received_ms) / 2
    # What the way took there and back is uncertain by as much.
    off_ms = max(0.0, abs(off_ms) - answer.took_ms / 2) * (1 if off_ms > 0 else -1)
    size = abs(off_ms)
    standing = Standing.OK if size < SKEW_WARNING_MS else Standing.WARNING if size < SKEW_BAD_MS else Standing.BAD
    found = f"{size:.0f} ms {'ahead of' if off_ms > 0 else 'behind'} this machine's"
    mend = "" if standing is Standing.OK else "let both machines' clocks be set by NTP"
    return [Observation(f"clock of {site}", standing, found, mend)]


def _own_story(settings: Settings, site: str, tls: ssl.SSLContext | None) -> Sequence[Observation]:
    """What the controller tells of its own site, if the viewer's token is known here."""
    tokens = settings.access.tokens
    token = next((one.reveal() for one in (tokens.viewer, tokens.operator, tokens.admin) if one and one.known), None)
    url = settings.declared(site).controller
    answer = get(f"{url}/edgemind/v1/sites/{site}", token, tls)
    if isinstance(answer, str) or answer.document is None or answer.status != 200:
        why = answer if isinstance(answer, str) else f"it answers {answer.status}"
        mend = "have the viewer's token here, as fleet.tokens.viewer names it"
        return [Observation(f"journal of {site}", Standing.WARNING, f"is not known: {why}", mend)]
    return [*_store(site, answer.document), *_journal(site, answer.document)]


def _store(site: str, told: dict[str, Any]) -> Sequence[Observation]:
    store = told.get("store") or {}
    if store.get("ok", True):
        return []
    return [
        Observation(f"store, from {site}", Standing.BAD, str(store.get("last_error")), "look at its host's network")
    ]


def _journal(site: str, told: dict[str, Any]) -> Sequence[Observation]:
    subject, audit = f"journal of {site}", told.get("audit")
    if audit is None:
        return [Observation(subject, Standing.WARNING, "its controller is of an older version", "upgrade it")]
    if not audit["enabled"]:
        return [
            Observation(subject, Standing.WARNING, "audit.enabled is false", "nothing can be proven; set it to true")
        ]
    if not audit["ok"]:
        return [Observation(subject, Standing.BAD, str(audit["trouble"]), f"edgemind audit verify --site {site}")]
    if audit["records"] and not audit["anchored"]:
        found = f"{audit['records']} records, none of them anchored"
        return [Observation(subject, Standing.WARNING, found, "set fleet.secret; after a start look again in 5 s")]
    found = f"{audit['records']} records, anchored at {audit['anchored']}, {audit['dropped']} dropped"
    if audit["dropped"]:
        mend = "a disk that is too slow, or a controller that was away: its log tells"
        return [Observation(subject, Standing.WARNING, found, mend)]
    return [Observation(subject, Standing.OK, found)]


def _gateway(site: str, url: str) -> Sequence[Observation]:
    subject, answer = f"gateway of {site}", get(f"{url}/v2/health/ready")
    if isinstance(answer, str):
        mend = f"start it: edgemind gateway --site {site}; or correct its address"
        return [Observation(subject, Standing.BAD, f"does not answer at {url}: {answer}", mend)]
    if answer.status != 200:
        return [Observation(subject, Standing.BAD, f"{url} answers {answer.status}", "is that a gateway?")]
    return [Observation(subject, Standing.OK, f"answers in {answer.took_ms:.0f} ms")]


def _model_server(site: str, model: str, base_url: str, key: str | None) -> Sequence[Observation]:
    # Imported here: the library's own probe knows the paths of both protocols.
    from edgemind.adapters.site_servers.http import probe_url

    subject, answer = f"{model} at {site}", get(probe_url(base_url), key)
    if isinstance(answer, str):
        mend = "start that model server, or correct its base_url"
        return [Observation(subject, Standing.BAD, f"does not answer at {base_url}: {answer}", mend)]
    if answer.status in {502, 503, 504}:
        return [Observation(subject, Standing.WARNING, f"is not ready: {answer.status}", "wait until it has loaded")]
    if answer.status in {401, 403}:
        return [Observation(subject, Standing.WARNING, f"refuses its key: {answer.status}", "correct its `key`")]
    return [Observation(subject, Standing.OK, f"answers in {answer.took_ms:.0f} ms")]
