"""Times as people write them, in UTC."""

from datetime import UTC, datetime

import click


def moment(wall_ms: int | None) -> str | None:
    if wall_ms is None:
        return None
    return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def given_moment(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    """`2026-05-01` or `2026-05-01T12:00:00Z` as wall milliseconds; BadParameter for anything else."""
    if value is None:
        return None
    try:
        told = datetime.fromisoformat(value)
    except ValueError as exc:
        raise click.BadParameter(f"{value!r} is no time; write one such as 2026-05-01 or 2026-05-01T12:00:00Z") from exc
    return round((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() * 1000)
