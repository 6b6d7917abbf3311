"""What a fleet stands on that can be looked at from here alone: stores, certificates, files, disks."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from edgemind import bootstrap
from edgemind.adapters.clock import SystemClock
from edgemind.adapters.state_store.durable_files import try_to_write
from edgemind.domain.certificates import Standing as CertificateStanding
from edgemind.domain.checkup import Observation, Standing
from edgemind.domain.fleet import Engine
from edgemind.entrypoints.doctor.probing import Probe
from edgemind.errors import ConfigurationError
from edgemind.services.rounds.measure_store import measure_store
from edgemind.settings import ModelStoreKind, Settings, Store

GIB = 1 << 30
LOW_BYTES, EMPTY_BYTES = 2 * GIB, 200 << 20
NOBODY = "edgemind-check"
"""A site that there is not: taking away its drain changes nothing, and is a request like any other write."""
LOCK_S = 5.0
"""How long a writer waits for the others of its machine."""
SLOW_MS = 50.0


def probes(settings: Settings) -> list[Probe]:
    found = [
        Probe("state store", partial(_state_store, settings), _reach(settings)),
        Probe("swarm", partial(_swarm, settings), _reach(settings)),
        Probe("model files", partial(_model_files, settings), "create model_store.directory, or name another place"),
        Probe("disk", partial(_disks, settings)),
    ]
    if settings.access.tls is not None:
        found.append(Probe("certificates", partial(_certificates, settings), "edgemind certs create"))
    return found


def _reach(settings: Settings) -> str:
    if settings.state.store is Store.DYNAMODB:
        return "look at the network, the credentials and the table: edgemind check store tells more"
    return f"look at {settings.state.directory} and who may write there"


def _state_store(settings: Settings) -> Sequence[Observation]:
    if settings.state.store is Store.MEMORY:
        found = "state.store is memory: each process has its own, and there are no rounds"
        return [Observation("state store", Standing.WARNING, found, "set state.store to json or dynamodb")]
    directory = settings.state.directory
    if settings.state.store is Store.JSON and not directory.is_dir():
        mend = "correct state.directory, or start a process of the fleet: the first one makes it"
        return [Observation("state store", Standing.BAD, f"{directory} is not there", mend)]
    store, clock = bootstrap.open_state_store(settings), SystemClock()
    store.keys_version()
    began_s = clock.monotonic_s()
    store.drained_sites()
    read_ms = (clock.monotonic_s() - began_s) * 1000.0
    began_s = clock.monotonic_s()
    if settings.state.store is Store.JSON:
        # What changes nothing is not written there.
        try_to_write(directory, LOCK_S)
    else:
        store.set_drain(NOBODY, None)
    write_ms = (clock.monotonic_s() - began_s) * 1000.0
    found = f"{settings.state.store.value}: read {read_ms:.1f} ms, write {write_ms:.1f} ms"
    return [Observation("state store", Standing.OK, found)]


def _swarm(settings: Settings) -> Sequence[Observation]:
    if settings.state.store is Store.MEMORY or not settings.swarm.enabled:
        return [
            Observation("swarm", Standing.OK, "no rounds are decided: swarm.enabled, or state.store, is against it")
        ]
    times = measure_store(bootstrap.open_swarm_store(settings), SystemClock(), 10)
    if not times.provisioned:
        found = f"the metro {settings.metro} is not provisioned, so no round is decided"
        return [Observation("swarm", Standing.BAD, found, "edgemind swarm provision")]
    p50_ms = times.p50_ms
    if p50_ms is None or p50_ms > SLOW_MS:
        told = "none of 10 reads was answered" if p50_ms is None else f"a call takes {p50_ms:.0f} ms"
        return [Observation("swarm", Standing.WARNING, told, "edgemind check store tells what that means for rounds")]
    return [Observation("swarm", Standing.OK, f"provisioned, a call takes {p50_ms:.1f} ms")]


def _model_files(settings: Settings) -> Sequence[Observation]:
    kept = settings.model_store
    needed = any(model.engine is Engine.LLAMA_CPP for site in settings.sites for model in site.models)
    if kept.store is ModelStoreKind.DIRECTORY and not kept.directory.is_dir():
        if not needed:
            return [Observation("model files", Standing.OK, "none are published, and no model here is llama_cpp")]
        found = f"{kept.directory} is not there; servers that were given their file by a flag do not need it"
        return [
            Observation("model files", Standing.WARNING, found, "edgemind models publish, once the folder is there")
        ]
    published = bootstrap.open_model_store(settings).list_models()
    names = ", ".join(f"{one.model} {one.version}" for one in published) or "none"
    return [Observation("model files", Standing.OK, f"published: {names}")]


def _disks(settings: Settings) -> Sequence[Observation]:
    places: dict[str, Path] = {}
    if settings.state.store is Store.JSON:
        places["state"] = settings.state.directory
    if settings.audit.enabled:
        places["journal"] = settings.audit.directory
    return [_disk(f"disk of the {what}", _existing(place)) for what, place in places.items()]


def _existing(place: Path) -> Path:
    """It, or the nearest folder above it that is there."""
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def _disk(subject: str, place: Path) -> Observation:
    free = shutil.disk_usage(place).free
    found = f"{free / GIB:.1f} GiB free at {place}"
    if free >= LOW_BYTES:
        return Observation(subject, Standing.OK, found)
    standing = Standing.BAD if free < EMPTY_BYTES else Standing.WARNING
    return Observation(subject, standing, found, "free some space there, or lower audit.keep_mib")


def _certificates(settings: Settings) -> Sequence[Observation]:
    tls = settings.access.tls
    assert tls is not None
    here = [site.name for site in settings.sites if site.controller is not None and tls.of(site.name)[1].exists()]
    found = [_certificate(settings, site) for site in here]
    if found:
        return found
    told = "no site's certificate is on this machine, so none was looked at"
    return [Observation("certificates", Standing.WARNING, told, "run this where a controller runs")]


def _certificate(settings: Settings, site: str) -> Observation:
    subject = f"certificate of {site}"
    try:
        tls = bootstrap.fleet_tls(settings, site)
    except ConfigurationError as exc:
        return Observation(subject, Standing.BAD, str(exc), f"edgemind certs renew {site}")
    assert tls is not None
    now_s = SystemClock().wall_ms() / 1000.0
    standing = {
        CertificateStanding.GOOD: Standing.OK,
        CertificateStanding.EXPIRING: Standing.WARNING,
        CertificateStanding.EXPIRED: Standing.BAD,
    }[tls.certificate.standing(now_s)]
    mend = "" if standing is Standing.OK else f"edgemind certs renew {site}"
    return Observation(subject, standing, f"good for {tls.certificate.days_left(now_s):.0f} days", mend)
