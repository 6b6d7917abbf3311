"""How a process reaches its peers, gateways, model servers and whoever runs those, and who it takes them for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, assert_never
from urllib.parse import urlsplit

from edgemind.adapters.inference.connection import ClientLimits
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.domain.fleet import Site
from edgemind.domain.limits import Limits
from edgemind.domain.swarm.swarm_policy import ScalerKind
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings

if TYPE_CHECKING:
    import ssl

    from edgemind.adapters.fleet_tls import FleetTls
    from edgemind.domain.swarm.envelopes import MessageNumbers
    from edgemind.ports.audit_journal import SiteAudit
    from edgemind.ports.round_journal import RoundJournal
    from edgemind.ports.scaler import Scaler
    from edgemind.services.site_controller import SiteLinks


def client_limits(limits: Limits) -> ClientLimits:
    """What a gateway's limits mean for its connections to upstreams."""
    return ClientLimits(first_byte_s=limits.first_byte_timeout_s, silence_s=limits.idle_timeout_s)


def upstream_pools(limits: Limits, tls: Mapping[str, "ssl.SSLContext"] | None = None) -> UpstreamPools:
    """Keep-alive connections to every upstream of one process; `tls` as `controller_contexts` makes it."""
    return UpstreamPools(client_limits(limits), tls)


def open_scaler(settings: Settings, site: Site, pools: UpstreamPools) -> "Scaler":
    """Who runs the model servers of `site`, as `swarm.scaler` says."""
    # Imported here: only controllers need it.
    from edgemind.adapters.http_calls import HttpCalls
    from edgemind.adapters.scaler.cluster_api import ClusterApi
    from edgemind.adapters.scaler.kubernetes import KubernetesScaler
    from edgemind.adapters.scaler.local_process import LocalProcessScaler
    from edgemind.adapters.scaler.none import NoScaler

    match settings.swarm.scaler:
        case ScalerKind.NONE:
            return NoScaler()
        case ScalerKind.LOCAL:
            return LocalProcessScaler(HttpCalls(pools), site.endpoints)
        case ScalerKind.KUBERNETES:
            return KubernetesScaler(ClusterApi(), site.endpoints)
        case other:
            assert_never(other)


def fleet_tls(settings: Settings, site: str) -> "FleetTls | None":
    """TLS between the fleet's processes, for one of this site, if it is configured. Raises ConfigurationError."""
    declared, url = settings.access.tls, urlsplit(settings.declared(site).controller or "")
    if declared is None:
        return None
    # Imported here: a fleet in a private network has none.
    from edgemind.adapters.fleet_tls import FleetTls, TlsFiles
    from edgemind.domain.certificates import site_uri

    host = url.hostname if url.scheme == "https" else None
    files = TlsFiles(*declared.of(site))
    tls = FleetTls(files, host)
    wanted = site_uri(settings.metro, site)
    if wanted not in tls.certificate.uris:
        raise ConfigurationError(
            f"fleet.tls.certificate: {files.certificate} is not this site's: it does not name {wanted}"
        )
    return tls


def controller_contexts(settings: Settings, tls: "FleetTls | None") -> dict[str, "ssl.SSLContext"]:
    """With which context each controller's https address is asked; without TLS of the fleet, as any other server."""
    urls = [site.controller for site in settings.sites if site.controller and site.controller.startswith("https:")]
    return dict.fromkeys(urls, tls.client) if tls is not None else {}


def site_links(
    settings: Settings,
    site: Site,
    pools: UpstreamPools,
    numbers: "MessageNumbers",
    journals: "tuple[RoundJournal, SiteAudit]",
) -> "SiteLinks":
    """How the controller of `site` reaches its peers, its gateway's workers and the model servers, and is reached."""
    # Imported here: gateways and the keys commands need none of it.
    from edgemind.adapters.http_calls import HttpCalls
    from edgemind.adapters.peers.http import HttpPeers
    from edgemind.adapters.site_servers.http import HttpGatewayAdmin, HttpModelServerProbe
    from edgemind.domain.swarm.envelopes import MessageGate, Sender
    from edgemind.domain.swarm.signing import FleetKeys
    from edgemind.services.receive_messages import MessageInbox
    from edgemind.services.site_controller import SiteLinks

    tokens = settings.access.site_tokens()
    token = tokens.current or ""
    calls = HttpCalls(pools)
    urls = {one.name: one.controller_url for one in settings.fleet().sites if one.controller_url}
    keys = FleetKeys(tokens.secrets)
    return SiteLinks(
        HttpPeers(calls, urls, token, Sender(settings.metro, site.name, numbers), keys),
        HttpGatewayAdmin(calls, site, token),
        HttpModelServerProbe(calls),
        MessageInbox(keys, MessageGate(settings.metro, site.name, lambda: urls)),
        *journals,
    )
