"""Wall time in the reader's own time zone."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def readers_zone() -> tzinfo:
    """The browser's; UTC if it does not tell, or tells one that is not known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def moment(wall_ms: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000.0, zone)
