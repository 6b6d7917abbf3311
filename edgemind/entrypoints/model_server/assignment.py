"""What one model-server process has to serve, read off the configuration."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from edgemind.domain.fleet import Engine, ModelEndpoint
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings
from edgemind.settings.sites import ModelSettings


@dataclass(frozen=True, slots=True)
class Assignment:
    """Models of one engine and where to listen for them. `wan_ms` is the round trip to a simulated cloud, else 0."""

    site: str
    engine: Engine
    endpoints: tuple[ModelEndpoint, ...]
    addresses: tuple[tuple[str, int], ...]
    wan_ms: float


def assignment_of(settings: Settings, site: str, model: str | None) -> Assignment:
    """All simulated models of `site` (or of the cloud tier), or the one named. Raises ConfigurationError."""
    declared, wan_ms = _declared(settings, site)
    chosen = _simulated(site, declared) if model is None else _named(site, declared, model)
    engine = chosen[0].engine
    endpoints = tuple(entry.endpoint() for entry in chosen)
    return Assignment(
        site=site,
        engine=engine,
        endpoints=endpoints,
        addresses=tuple(dict.fromkeys(_address(endpoint) for endpoint in endpoints)),
        wan_ms=wan_ms if engine is Engine.SIMULATED else 0.0,
    )


def _declared(settings: Settings, name: str) -> tuple[Sequence[ModelSettings], float]:
    """Models as configured, not as endpoints: those would need the secrets of servers that run elsewhere."""
    if settings.cloud is not None and settings.cloud.name == name:
        return settings.cloud.models, settings.cloud.rtt_ms
    for site in settings.sites:
        if site.name == name:
            return site.models, 0.0
    names = [site.name for site in settings.sites] + ([settings.cloud.name] if settings.cloud else [])
    raise ConfigurationError(f"no site is called {name!r}; declared are {', '.join(names[:20])}")


def _simulated(site: str, declared: Sequence[ModelSettings]) -> list[ModelSettings]:
    chosen = [entry for entry in declared if entry.engine is Engine.SIMULATED]
    if chosen:
        return chosen
    others = [entry.name for entry in declared if entry.engine is Engine.LLAMA_CPP]
    hint = f"start {others[0]} by --model {others[0]}" if others else "add one with engine: simulated"
    raise ConfigurationError(f"{site} has no simulated model; {hint}")


def _named(site: str, declared: Sequence[ModelSettings], model: str) -> list[ModelSettings]:
    found = [entry for entry in declared if entry.name == model]
    if not found:
        names = ", ".join(entry.name for entry in declared)
        raise ConfigurationError(f"{site} has no model {model!r}; it has {names}")
    startable = [entry for entry in found if entry.engine is not Engine.EXTERNAL]
    if not startable:
        raise ConfigurationError(
            f"{model} of {site} is somebody else's server (engine: external); set engine: llama_cpp or simulated to "
            "start one here"
        )
    return startable[:1]


def _address(endpoint: ModelEndpoint) -> tuple[str, int]:
    url = urlsplit(endpoint.base_url)
    if url.scheme != "http":
        raise ConfigurationError(f"{endpoint.model} is served in plain http; write base_url: http://...")
    if url.path.rstrip("/") not in ("", "/v1"):
        raise ConfigurationError(f"base_url of {endpoint.model} may have no path but /v1, not {url.path}")
    return url.hostname or "127.0.0.1", url.port or 80
