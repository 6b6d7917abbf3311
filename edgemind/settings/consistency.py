"""What spans several fields: names that must be unique, and names that must exist.

It looks at the plain document, not at validated groups, so that these findings stand beside all others in one run:
anything of the wrong type is passed over here, because its own finding is already made.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from edgemind.settings.findings import FieldPath, Finding, printable
from edgemind.settings.wording import closest

Entry = tuple[FieldPath, dict[str, object]]
_OWN_ADDRESSES = ("gateway", "admin", "controller")


def contradictions(data: dict[str, object]) -> list[Finding]:
    """Every contradiction in a document, in no particular order."""
    sites, tenants = _entries(data, "sites"), _entries(data, "tenants")
    cloud: list[Entry] = [(("cloud",), value)] if isinstance(value := data.get("cloud"), dict) else []
    bedrock = data.get("bedrock")
    models = [entry for path, site in sites + cloud for entry in _entries(site, "models", path)]
    return [
        *_repeated_names(sites + cloud, "site"),
        *_repeated_names(tenants, "tenant"),
        *_repeated_names(_entries(bedrock, "models", ("bedrock",)) if isinstance(bedrock, dict) else [], "model"),
        *_unknown_neighbours(sites),
        *_shared_addresses(sites, models),
        *_misplaced_simulation(models),
        *_unscalable(data, sites),
        *_unsatisfiable_tenants(tenants, sites + cloud, models),
        *_missing_access(data, sites),
        *_missing_place(data, "state", "dynamodb", "table"),
        *_missing_place(data, "model_store", "s3", "bucket"),
        *_missing_place(data, "memory", "agentcore", "memory_id", "kind"),
    ]


def _entries(parent: dict[str, object], key: str, path: FieldPath = ()) -> list[Entry]:
    items = parent.get(key)
    if not isinstance(items, list):
        return []
    return [((*path, key, position), item) for position, item in enumerate(items) if isinstance(item, dict)]


def _texts(entry: dict[str, object], key: str) -> list[tuple[int, str]]:
    items = entry.get(key)
    listed = items if isinstance(items, list) else []
    return [(position, item) for position, item in enumerate(listed) if isinstance(item, str)]


def _names(entries: list[Entry]) -> list[str]:
    return list(dict.fromkeys(name for _, entry in entries if isinstance(name := entry.get("name"), str)))


def _repeated_names(entries: list[Entry], noun: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, entry in entries:
        name = entry.get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield Finding((*path, "name"), f"another {noun} is called '{printable(name)}' already; rename one of them")
        seen.add(name)


def _unknown_neighbours(sites: list[Entry]) -> Iterator[Finding]:
    names = _names(sites)
    for path, site in sites:
        declared = site.get("rtt_ms")
        for neighbour in declared if isinstance(declared, dict) else ():
            if neighbour == site.get("name"):
                yield Finding((*path, "rtt_ms", neighbour), "is the site itself; remove it")
            elif neighbour not in names:
                others = [name for name in names if name != site.get("name")]
                yield Finding((*path, "rtt_ms", neighbour), f"no site has this name; {closest(neighbour, others)}")


def _origin(url: object) -> str | None:
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        return f"{parts.hostname}:{parts.port or {'https': 443}.get(parts.scheme, 80)}" if parts else None
    except ValueError:
        return None


def _shared_addresses(sites: list[Entry], models: list[Entry]) -> Iterator[Finding]:
    """Two listeners cannot share a port, and a model behind a gateway's own address would be asked in a circle."""
    owners: dict[str, str] = {}
    for path, site in sites:
        for role in _OWN_ADDRESSES:
            origin = _origin(site.get(role))
            if origin in owners:
                yield Finding((*path, role), f"is the address of {owners[origin]} too; give each its own port")
            elif origin:
                owners[origin] = f"sites[{path[1]}].{role}"
    for path, model in models:
        origin = _origin(model.get("base_url"))
        if origin in owners:
            yield Finding((*path, "base_url"), f"is the address of {owners[origin]}; write the model server's own")


def _misplaced_simulation(models: list[Entry]) -> Iterator[Finding]:
    for path, model in models:
        name, simulated = model.get("name"), model.get("engine") == "simulated"
        if simulated and isinstance(name, str) and not name.startswith("simulated-"):
            yield Finding((*path, "name"), f"a simulated model says so; call it 'simulated-{printable(name)}'")
        if "simulated" in model and not simulated:
            yield Finding((*path, "simulated"), "has no effect without engine: simulated; add that or remove this")


def _unscalable(data: dict[str, object], sites: list[Entry]) -> Iterator[Finding]:
    """A round asks for replicas of a model at a site: there has to be one thing that is scaled, by who can do it."""
    swarm = data.get("swarm")
    local = isinstance(swarm, dict) and swarm.get("scaler") == "local"
    for path, site in sites:
        models = _entries(site, "models", path)
        names = [model.get("name") for _, model in models]
        for model_path, model in models:
            if model.get("max_replicas", 1) == 1:
                continue
            place = (*model_path, "max_replicas")
            if names.count(model.get("name")) > 1:
                yield Finding(place, "has no effect while this site declares the model twice; declare it once")
            elif local and model.get("engine") != "simulated":
                yield Finding(place, "has no effect: swarm.scaler: local scales simulated models only; remove it")


def _unsatisfiable_tenants(tenants: list[Entry], places: list[Entry], models: list[Entry]) -> Iterator[Finding]:
    zones = sorted({zone for _, place in places for _, zone in _texts(place, "zones")})
    names = _names(models)
    for path, tenant in tenants:
        for position, zone in _texts(tenant, "residency"):
            if zone not in zones:
                yield Finding((*path, "residency", position), f"no site lies in this zone; {closest(zone, zones)}")
        for position, pattern in _texts(tenant, "models"):
            if not any(fnmatchcase(name, pattern) for name in names):
                hint = closest(pattern, names)
                yield Finding((*path, "models", position), f"matches no model of any site; {hint}")


def _missing_access(data: dict[str, object], sites: list[Entry]) -> Iterator[Finding]:
    controllers = sum("controller" in site for _, site in sites)
    gateways = sum("gateway" in site for _, site in sites)
    fleet = data.get("fleet", {})
    if (controllers or gateways > 1) and isinstance(fleet, dict) and "secret" not in fleet:
        yield Finding(
            ("fleet", "secret"), "is missing, and sites know one another by it; add secret: file:PATH or env:NAME"
        )
    if data.get("auth", "keys") == "keys" and "tenants" not in data:
        yield Finding(("tenants",), "is missing, and auth: keys lets in only tenants; declare one or write auth: off")


def _missing_place(
    data: dict[str, object], group: str, kind: str, place: str, field: str = "store"
) -> Iterator[Finding]:
    """A table, bucket or memory on AWS is named, or found through the stacks of an environment in a region."""
    settings, aws = data.get(group), data.get("aws", {})
    if not isinstance(settings, dict) or not isinstance(aws, dict):
        return
    if settings.get(field) != kind or place in settings:
        return
    if "environment" not in aws:
        yield Finding(
            (group, place),
            f"is missing, and {field}: {kind} needs it; add {place}: NAME, or "
            "aws: {environment: staging, region: eu-central-1} to find it by what was deployed",
        )
    elif "region" not in aws:
        yield Finding(
            ("aws", "region"),
            f"is missing, and the {place} is looked up there; add region: eu-central-1 or {group}.{place}",
        )
