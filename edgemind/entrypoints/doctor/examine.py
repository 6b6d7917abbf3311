"""The whole look at a fleet, and how it is told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgemind.domain.checkup import Observation, Standing, well
from edgemind.entrypoints.doctor import on_this_machine, over_the_network
from edgemind.entrypoints.doctor.probing import observe
from edgemind.entrypoints.text_tables import text_table
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings, load_settings

LIMIT_S = 15.0


def examine(file: Path, only: str | None, limit_s: float = LIMIT_S) -> list[Observation]:
    """Everything that can be looked at from here, in bounded time; `only` one site's processes if it is given."""
    settings, about_config = _configuration(file)
    if settings is None:
        return about_config
    if only is not None:
        settings = settings.model_copy(update={"sites": (settings.declared(only),)})
    return [*about_config, *observe([*on_this_machine.probes(settings), *over_the_network.probes(settings)], limit_s)]


def _configuration(file: Path) -> tuple[Settings | None, list[Observation]]:
    """The settings, without secrets if those cannot be read; None if the file is refused."""
    mend = "mend these lines: edgemind config validate lists them, docs/configuration.md explains them"
    try:
        settings = load_settings(file)
    except ConfigurationError as refused:
        try:
            settings = load_settings(file, resolve_secrets=False)
        except ConfigurationError:
            return None, [Observation("configuration", Standing.BAD, str(refused), mend)]
        return settings, [Observation("configuration", Standing.BAD, str(refused), mend)]
    return settings, [Observation("configuration", Standing.OK, f"{file}: {len(settings.sites)} sites")]


def document(found: Sequence[Observation]) -> dict[str, Any]:
    return {
        "ok": well(found),
        "findings": [
            {"subject": one.subject, "standing": one.standing.value, "found": one.found, "mend": one.mend or None}
            for one in found
        ],
    }


def text(found: Sequence[Observation]) -> str:
    rows = [[one.standing.value, one.subject, one.found.splitlines()[0] if one.found else ""] for one in found]
    table = text_table(["", "WHAT", "FOUND"], rows)
    mends = [f"  {one.subject}: {one.mend or one.found}" for one in found if one.standing is not Standing.OK]
    bad = sum(one.standing is Standing.BAD for one in found)
    head = f"{bad} things are wrong, {len(mends) - bad} may become so:" if mends else "All is well."
    return "\n".join([table, "", head, *mends])
