"""Which configuration a command reads where nobody names one."""

from pathlib import Path

from edgemind.settings import load_client_settings

HERE = Path("edgemind.yaml")
OF_DEMO = Path(".edgemind", "demo", "edgemind.yaml")
"""What `edgemind demo` writes in this folder, for as long as it runs and after."""


def named_file(given: Path | None) -> Path | None:
    """A flag's, or $EDGEMIND_CONFIG."""
    return given or load_client_settings().config


def configuration_file(given: Path | None) -> Path:
    """Whether it is there, who reads it finds out."""
    return named_file(given) or (OF_DEMO if OF_DEMO.exists() and not HERE.exists() else HERE)
