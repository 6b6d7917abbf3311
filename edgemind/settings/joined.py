"""Sites that joined while the metro ran: their declarations checked, and laid over this host's own edgemind.yaml."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edgemind.errors import ConfigurationError
from edgemind.settings.changes import effective_config
from edgemind.settings.consistency import contradictions
from edgemind.settings.findings import Finding, Places, refusal
from edgemind.settings.root import Settings
from edgemind.settings.sites import SiteSettings
from edgemind.settings.wording import explain

DECLARATION_LIMIT_BYTES = 16_384
_TLS_FILES = {"ca": "certs/ca.pem", "certificate": "certs/{site}.pem", "key": "certs/{site}.key"}
"""Where the configuration of a newcomer expects what `edgemind certs` makes for it."""


def read_declaration(document: object, settings: Settings) -> SiteSettings:
    """A declaration in the shape of an entry of `sites`, as a site of this fleet.

    ConfigurationError lists everything that is wrong with it, and what contradicts the sites that there are. It must
    name a gateway and a controller: the others reach its models through the one and vote with the other.
    """
    if not isinstance(document, Mapping):
        raise ConfigurationError("the declaration is not a mapping; write it as an entry of `sites` in edgemind.yaml")
    # Upstream keys are the site's own affair: references to them lead nowhere on another host.
    plain = {**document, "models": [_without_key(model) for model in _listed(document.get("models"))]}
    site, findings = _validated(plain)
    findings += [
        Finding((role,), "is missing, and a site that joins needs it; add it")
        for role in ("gateway", "controller")
        if role not in plain
    ]
    if findings or site is None:
        raise refusal(findings, Places("the declaration"))
    if len(declaration_text(site)) > DECLARATION_LIMIT_BYTES:
        raise ConfigurationError(f"the declaration exceeds {DECLARATION_LIMIT_BYTES} bytes as JSON; declare less")
    _check_among_others(site, settings)
    return site


def declaration_text(site: SiteSettings) -> str:
    """As JSON, equal for equal sites, without what is left at its default."""
    plain = site.model_dump(mode="json", exclude_defaults=True)
    plain |= {name: sorted(plain[name]) for name in ("zones", "device_classes") if name in plain}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def with_joined_sites(settings: Settings, declarations: Iterable[str]) -> tuple[Settings, tuple[str, ...]]:
    """The settings with the sites that joined, and why some of them could not be taken.

    A site that edgemind.yaml declares itself is as it says there.
    """
    refused: list[str] = []
    for text in declarations:
        try:
            document = json.loads(text)
            names = {site.name for site in settings.sites}
            if document.get("name") in names:
                continue
            # Its distance to a site that this host has not heard of is of no use here, and no fault either.
            near = {name: ms for name, ms in document.get("rtt_ms", {}).items() if name in names}
            site = read_declaration({**document, "rtt_ms": near}, settings)
        except (ValueError, AttributeError, ConfigurationError) as exc:
            refused.append(str(exc))
            continue
        settings = settings.model_copy(update={"sites": (*settings.sites, site)})
    return settings, tuple(refused)


def newcomers_config(settings: Settings, site: SiteSettings) -> dict[str, Any]:
    """What the host of a site that joined writes into its edgemind.yaml: this one's, with that site.

    No secret is in it, and no key of another site's servers. The fleet's secret goes the way it always went: as a file
    or variable that an operator puts there.
    """
    others = [_keyless(one) for one in settings.sites if one.name != site.name]
    sites = [json.loads(declaration_text(one)) for one in (*others, site)]
    fleet: dict[str, object] = {"secret": "file:fleet.secret"}
    if settings.access.tls is not None:
        fleet["tls"] = dict(_TLS_FILES)
    # The proxy to Bedrock, with its key, runs where it is; a newcomer's gateway only has its address.
    everything = {name: group for name, group in effective_config(settings).items() if name != "bedrock"}
    # Web hooks need secrets that are not there: without them others tell what concerns the metro.
    everything["operations"] = {**everything["operations"], "webhooks": []}
    return {**everything, "fleet": fleet, "sites": sites}


def _keyless(site: SiteSettings) -> SiteSettings:
    return site.model_copy(update={"models": tuple(model.model_copy(update={"key": None}) for model in site.models)})


def _without_key(model: object) -> object:
    return {name: value for name, value in model.items() if name != "key"} if isinstance(model, dict) else model


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _validated(plain: dict[str, object]) -> tuple[SiteSettings | None, list[Finding]]:
    try:
        return SiteSettings.model_validate_json(json.dumps(plain)), []
    except ValidationError as exc:
        return None, [_explained(error) for error in exc.errors(include_url=False)]


def _explained(error: ErrorDetails) -> Finding:
    """In the words for an entry of `sites`, whose path it has there."""
    finding = explain({**error, "loc": ("sites", 0, *error["loc"])})
    return Finding(finding.path[2:], finding.message)


def _check_among_others(site: SiteSettings, settings: Settings) -> None:
    """ConfigurationError for what spans several sites: names, addresses, distances to sites that there are not."""
    held = next((one for one in settings.sites if one.name == site.name), site)
    if held.controller is None:
        message = "is declared in edgemind.yaml, without a controller; add it there, or choose another name"
        raise refusal([Finding(("name",), message)], Places("the declaration"))
    before = effective_config(settings)
    others = [entry for entry in before["sites"] if entry["name"] != site.name]
    declared = {**before, "sites": [*others, json.loads(declaration_text(site))]}
    mine = ("sites", len(others))
    found = [finding for finding in contradictions(declared) if finding.path[:2] == mine]
    if found:
        relative = [Finding(finding.path[2:], finding.message) for finding in found]
        raise refusal(relative, Places("the declaration"))
