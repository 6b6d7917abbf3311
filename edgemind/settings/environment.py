"""The environment: overrides of single settings, and what a command-line client needs. Nothing else reads it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path

from edgemind.domain.limits import Limits
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.domain.swarm.swarm_policy import SwarmPolicy
from edgemind.domain.thresholds import Thresholds
from edgemind.settings.document import plain_value
from edgemind.settings.findings import FieldPath, Finding, printable
from edgemind.settings.secret import Secret

PREFIX = "EDGEMIND_"
_GROUPS = {"limits": Limits, "thresholds": Thresholds, "routing": RoutingPolicy, "swarm": SwarmPolicy}
OVERRIDABLE: Mapping[str, tuple[str, ...]] = {
    **{group: tuple(item.name for item in fields(kind)) for group, kind in _GROUPS.items()},
    "state": ("store", "directory", "table", "endpoint_url"),
    "model_store": ("store", "directory", "bucket", "endpoint_url"),
    "aws": ("environment", "region"),
    "audit": ("enabled", "directory", "decision_sample_ratio", "keep_mib", "keep_days"),
    "metrics": ("emf", "agent", "log_group"),
}
"""Groups of single values, and their fields: `EDGEMIND_<GROUP>__<FIELD>` replaces one."""


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a command needs to find a fleet: `EDGEMIND_FLEET_URL`, `EDGEMIND_FLEET_TOKEN` and `EDGEMIND_CONFIG`."""

    fleet_url: str | None = None
    fleet_token: Secret | None = None
    config: Path | None = None


@dataclass(slots=True)
class Overrides:
    """Values from the environment by their place in the document, and the variables they came from."""

    values: dict[FieldPath, object] = field(default_factory=dict)
    variables: dict[FieldPath, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def apply(self, data: dict[str, object]) -> dict[str, object]:
        """The document with the overrides in it; a group that is not a mapping stays, and is refused as what it is."""
        result = dict(data)
        for (group, name), value in self.values.items():
            current = result.get(str(group), {})
            if isinstance(current, dict):
                result[str(group)] = {**current, name: value}
        return result


def process_environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ


def load_client_settings(environ: Mapping[str, str] | None = None) -> ClientSettings:
    """Read the client's variables; an empty one counts as not set."""
    environ = process_environment() if environ is None else environ
    url, token, config = (environ.get(PREFIX + name) or None for name in ("FLEET_URL", "FLEET_TOKEN", "CONFIG"))
    return ClientSettings(
        fleet_url=url,
        fleet_token=Secret(f"env:{PREFIX}FLEET_TOKEN", token) if token else None,
        config=Path(config) if config else None,
    )


def read_overrides(environ: Mapping[str, str]) -> Overrides:
    """Every `EDGEMIND_<GROUP>__<FIELD>`. An empty one counts as not set; one that fits no setting is a finding."""
    overrides = Overrides()
    for variable in sorted(environ):
        group, separator, name = variable.removeprefix(PREFIX).lower().partition("__")
        if not variable.startswith(PREFIX) or not separator or not environ[variable]:
            continue
        path: FieldPath = (group, name)
        overrides.variables[path] = variable
        if name not in OVERRIDABLE.get(group, ()):
            overrides.findings.append(Finding(path, f"is no setting; {_suggestion(variable)}"))
        elif not environ[variable].isprintable():
            overrides.findings.append(Finding(path, "is not plain text; set it to one line"))
        else:
            overrides.values[path] = plain_value(environ[variable])
    return overrides


def _suggestion(variable: str) -> str:
    known = [f"{PREFIX}{group}__{name}".upper() for group, names in OVERRIDABLE.items() for name in names]
    near = get_close_matches(variable.upper(), known, n=1)
    return f"did you mean {near[0]}?" if near else f"unset {printable(variable)}, or correct its name"
