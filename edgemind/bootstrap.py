"""The composition root: the only place where adapters are chosen."""

import asyncio
import socket
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never
from urllib.parse import urlsplit

import uvloop

from edgemind.adapters.clock import SystemClock
from edgemind.adapters.inference.connection import ClientLimits
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.deployment import PLACES
from edgemind.domain.fleet import Site
from edgemind.domain.limits import Limits
from edgemind.domain.swarm.swarm_policy import ScalerKind
from edgemind.errors import ConfigurationError
from edgemind.ports.clock import Clock
from edgemind.ports.model_store import ModelStore
from edgemind.ports.state_store import StateStore
from edgemind.ports.swarm_store import SwarmStore
from edgemind.settings import ModelStoreKind, Settings, Store

if TYPE_CHECKING:
    import ssl

    from edgemind.adapters.certificates.folder import CertificateFolder
    from edgemind.adapters.fleet_tls import FleetTls
    from edgemind.domain.swarm.envelopes import MessageNumbers
    from edgemind.ports.cloud_account import CloudAccount
    from edgemind.ports.effect_journal import EffectJournal
    from edgemind.ports.round_journal import RoundJournal
    from edgemind.ports.scaler import Scaler
    from edgemind.ports.swarm_store import SwarmStore
    from edgemind.services.site_controller import SiteLinks


def open_state_store(settings: Settings) -> StateStore:
    """The store that `state.store` names. Nothing is touched until its first call."""
    match settings.state.store:
        case Store.JSON:
            return JsonFileStateStore(settings.state.directory)
        case Store.MEMORY:
            return MemoryStateStore()
        case Store.DYNAMODB:
            return _dynamodb_store(settings)
        case other:
            assert_never(other)


def open_swarm_store(settings: Settings) -> SwarmStore:
    """Where rounds and the roster are kept: beside the state. Nothing is touched until its first call."""
    match settings.state.store:
        case Store.JSON:
            return JsonFileSwarmStore(settings.state.directory, settings.metro)
        case Store.MEMORY:
            return MemorySwarmStore(settings.metro)
        case Store.DYNAMODB:
            from edgemind.adapters.aws_calls import require_boto3
            from edgemind.adapters.swarm_store.dynamodb import DynamoDbSwarmStore

            require_boto3("state.store: dynamodb")
            table = partial(_state_table, settings)
            return DynamoDbSwarmStore(table, settings.metro, settings.aws.region, settings.state.endpoint_url)
        case other:
            assert_never(other)


def make_scratch_table(name: str, region: str, endpoint_url: str) -> None:
    """A table made anew at a DynamoDB that is not AWS's. Blocks."""
    # Imported here: only a demo asks for it.
    from edgemind.adapters.aws_calls import require_boto3
    from edgemind.adapters.deployment.scratch_table import make_table_anew

    require_boto3("--state-store dynamodb")
    make_table_anew(name, region, endpoint_url)


def cloud_account() -> "CloudAccount":
    """The AWS account of the credentials that boto3 finds, at the endpoints that it finds."""
    # Imported here: processes at a site ask no account.
    from edgemind.adapters.aws_calls import require_boto3
    from edgemind.adapters.cloud_account.aws import AwsAccount

    require_boto3("the check of an AWS account")
    return AwsAccount()


def _dynamodb_store(settings: Settings) -> StateStore:
    # Imported here: other stores need none of it, and it is a third of what a gateway weighs.
    from edgemind.adapters.aws_calls import require_boto3
    from edgemind.adapters.state_store.dynamodb import DynamoDbStateStore
    from edgemind.adapters.state_store.dynamodb_table import DynamoDbTable, TableAddress

    require_boto3("state.store: dynamodb")
    address = TableAddress(partial(_state_table, settings), settings.aws.region, settings.state.endpoint_url)
    return DynamoDbStateStore(DynamoDbTable(address), settings.metro)


def _state_table(settings: Settings) -> str:
    """The configured name, or the one that the environment's stacks tell. Blocks in the second case."""
    return settings.state.table or _deployed(settings, "state_table")


def _deployed(settings: Settings, what: str) -> str:
    """What the stacks of `aws.environment` tell; one of `PLACES`. Blocks."""
    from edgemind.adapters.deployment.cloudformation import CloudFormationStacks

    aws = settings.aws
    # Held by the settings: without a name for the place itself there are both.
    assert aws.environment is not None
    assert aws.region is not None
    return CloudFormationStacks(aws.region).find(PLACES[what], aws.environment)


def open_model_store(settings: Settings) -> ModelStore:
    """Where `model_store` says that model files are published. Blocks when the bucket has to be looked up."""
    # Imported here: only the commands for model files need it.
    from edgemind.adapters.model_store.local_directory import DirectoryObjects
    from edgemind.adapters.model_store.published import PublishedModels

    published = settings.model_store
    match published.store:
        case ModelStoreKind.DIRECTORY:
            return PublishedModels(DirectoryObjects(published.directory))
        case ModelStoreKind.S3:
            from edgemind.adapters.aws_calls import require_boto3
            from edgemind.adapters.model_store.s3 import S3Objects

            require_boto3("model_store.store: s3")
            bucket = published.bucket or _deployed(settings, "model_bucket")
            return PublishedModels(S3Objects(bucket, settings.aws.region, published.endpoint_url))
        case other:
            assert_never(other)


def system_clock() -> Clock:
    return SystemClock()


def client_limits(limits: Limits) -> ClientLimits:
    """What a gateway's limits mean for its connections to upstreams."""
    return ClientLimits(first_byte_s=limits.first_byte_timeout_s, silence_s=limits.idle_timeout_s)


def upstream_pools(limits: Limits, tls: Mapping[str, "ssl.SSLContext"] | None = None) -> UpstreamPools:
    """Keep-alive connections to every upstream of one process; `tls` as `controller_contexts` makes it."""
    return UpstreamPools(client_limits(limits), tls)


def open_round_journal(settings: Settings, site: str) -> "RoundJournal":
    """Where the controller of `site` keeps its records of rounds: beside the state, if that is a directory."""
    # Imported here: only controllers need it.
    from edgemind.adapters.round_journal.json_lines import JsonLinesRoundJournal
    from edgemind.adapters.round_journal.memory import MemoryRoundJournal

    if settings.state.store is Store.JSON:
        return JsonLinesRoundJournal(settings.state.directory, site)
    return MemoryRoundJournal()


def open_effect_journal(settings: Settings, site: str) -> "EffectJournal":
    """Where the controller of `site` keeps what it still has to do: beside the state, if that is a directory."""
    # Imported here: only controllers need it.
    from edgemind.adapters.effect_journal.json_file import JsonFileEffectJournal
    from edgemind.adapters.effect_journal.memory import MemoryEffectJournal

    if settings.state.store is Store.JSON:
        return JsonFileEffectJournal(settings.state.directory, site)
    return MemoryEffectJournal()


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


def certificate_folder(folder: Path, metro: str) -> "CertificateFolder":
    """Where an operator keeps the authority's key and what it issued. ConfigurationError without the extra `certs`."""
    if find_spec("cryptography") is None:
        raise ConfigurationError(
            'certificates are made with cryptography, which is not installed: pip install "edgemind-mec[certs]"'
        )
    # Imported here: processes at a site make none.
    from edgemind.adapters.certificates.folder import CertificateFolder

    return CertificateFolder(folder, metro)


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
    settings: Settings, site: Site, pools: UpstreamPools, numbers: "MessageNumbers", journal: "RoundJournal"
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
        journal,
    )


def new_event_loop() -> asyncio.AbstractEventLoop:
    loop = uvloop.new_event_loop()
    loop.set_exception_handler(_on_loop_error)
    return loop


def _on_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # uvloop leaves behind a look-up that outlives the time to connect. Whoever connected has been told; while a network
    # is cut, this would fill the log.
    if not isinstance(context.get("exception"), socket.gaierror):
        loop.default_exception_handler(context)
