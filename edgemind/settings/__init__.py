"""The configuration of EdgeMind: the only reader of the environment and of edgemind.yaml.

Everything else gets what it needs as an argument: domain objects (`settings.fleet()`, `settings.limits`,
`settings.routing`, `settings.thresholds`) or single values.
"""

from edgemind.settings.changes import Change, changes, effective_config
from edgemind.settings.environment import ClientSettings, load_client_settings
from edgemind.settings.groups import AuthMode, ModelStoreKind, Store
from edgemind.settings.joined import declaration_text, newcomers_config, read_declaration, with_joined_sites
from edgemind.settings.loading import load_settings, read_secret, with_telemetry_secrets
from edgemind.settings.memory import MemoryStore
from edgemind.settings.root import Settings
from edgemind.settings.schema import config_schema
from edgemind.settings.secret import Secret
from edgemind.settings.telemetry import Exporter, LogFormat, TelemetrySettings
from edgemind.settings.watch import ConfigWatcher, Reload

__all__ = [
    "AuthMode",
    "Change",
    "ClientSettings",
    "ConfigWatcher",
    "Exporter",
    "LogFormat",
    "MemoryStore",
    "ModelStoreKind",
    "Reload",
    "Secret",
    "Settings",
    "Store",
    "TelemetrySettings",
    "changes",
    "config_schema",
    "declaration_text",
    "effective_config",
    "load_client_settings",
    "load_settings",
    "newcomers_config",
    "read_declaration",
    "read_secret",
    "with_joined_sites",
    "with_telemetry_secrets",
]
