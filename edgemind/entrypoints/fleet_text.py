"""The fleet API's answers as tables for people."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from edgemind.entrypoints.text_tables import show, show_ms, text_table

Document = Mapping[str, Any]
_DECISION_WIDTHS = (12, 30, 18, 12, 22, 9, 9, 6)
_DECISION_HEADINGS = ("TIME", "ID", "MODEL", "SITE", "REASON", "PREDICTED", "ACTUAL", "STATUS")


def fleet_text(fleet: Document) -> str:
    """`edgemind sites list`."""
    headings = ["SITE", "STATE", "REQ/S", "BUSY", "ADDED P50", "ADDED P99", "FAILED", "SHED", "RTT", "TABLE AGE"]
    rows = [_site_row(site) for site in fleet["sites"]]
    head = f"metro {fleet['metro']}, seen from {fleet['asked']}: {show(float(fleet['requests_per_s']))} requests/s"
    return f"{head}\n\n{text_table(headings, rows)}"


def site_text(site: Document) -> str:
    """`edgemind sites show NAME`."""
    gateway, store = site["gateway"], site["store"]
    facts = [
        ("state", site["state"]),
        ("zones", ", ".join(site["zones"])),
        ("requests/s", show(float(site["requests_per_s"]))),
        ("gateway", site["gateway_url"]),
        ("controller", site["controller_url"]),
        ("round trip", show_ms(site["rtt_ms"])),
        ("last beacon", _ago(site["beacon_age_ms"])),
        ("last heartbeat", _ago(site["heartbeat_age_ms"])),
        ("table", f"version {site['table_version']}, {_ago(site['table_age_ms'])}" if site["table_version"] else None),
        ("state store", _store(store)),
        ("swarm", _swarm(site.get("swarm"))),
    ]
    if gateway is not None:
        counted = gateway["counters"]
        facts += [
            ("workers", show(gateway["workers"])),
            ("answered", "{ok} ok, {shed} shed, {failed} failed of {requests}".format(**counted)),
            ("added latency", f"p50 {show_ms(counted['added_ms_p50'])}, p99 {show_ms(counted['added_ms_p99'])}"),
            ("ran at", _shares(counted["by_site"])),
            ("because of", _shares(counted["by_reason"])),
        ]
    lines = [f"{name:15} {value or '-'}" for name, value in facts]
    models = [
        [one["model"], "yes" if one["ready"] else "no", one["in_flight"], one["slots"], float(one["service_ms"]),
         float(one["arrivals_per_s"])]
        for one in site["models"]
    ]  # fmt: skip
    table = text_table(["MODEL", "READY", "IN FLIGHT", "SLOTS", "SERVICE MS", "ASKED/S"], models)
    return "\n".join([site["name"], *lines, "", table])


def models_text(document: Document) -> str:
    """`edgemind models list`: one line for each place that holds a model."""
    rows: list[list[str | float | None]] = []
    for model in document["models"]:
        for held in model["held_at"]:
            ready = "yes" if held["ready"] else "no"
            numbers = [held["in_flight"], held["slots"], float(held["service_ms"]), float(held["arrivals_per_s"])]
            rows.append([model["model"], held["site"], held["state"], ready, *numbers])
        if model["in_cloud"]:
            rows.append([model["model"], "(cloud)", None, None, None, None, None, None])
    headings = ["MODEL", "SITE", "STATE", "READY", "IN FLIGHT", "SLOTS", "SERVICE MS", "ASKED/S"]
    return text_table(headings, rows) if rows else "No site holds a model."


def page_text(page: Document) -> str:
    """`edgemind decisions list`."""
    lines = [decision_headings(), *(decision_line(decision) for decision in page["decisions"])]
    if not page["decisions"]:
        lines = ["No decisions yet: send a request to a gateway."]
    if page["unreachable"]:
        lines += ["", f"Not asked, because they cannot be reached: {', '.join(page['unreachable'])}"]
    if page["next_cursor"]:
        lines += ["", f"Older: --cursor {page['next_cursor']}"]
    return "\n".join(lines)


def decision_headings() -> str:
    return _columns(_DECISION_HEADINGS)


def decision_line(decision: Document) -> str:
    """One decision in columns of fixed width: a list that grows cannot be measured beforehand."""
    return _columns(
        (
            clock_time(decision["at_ms"]),
            decision["id"],
            decision["model"],
            decision["site"] or "(nobody)",
            decision["reason"],
            show_ms(decision["predicted_ms"]),
            show_ms(decision["actual_ms"]) if decision["actual_ms"] is not None else "-",
            show(decision["status"] or None),
        )
    )


def clock_time(wall_ms: int) -> str:
    """Time of day in UTC with milliseconds."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:12]


def _columns(cells: tuple[str, ...]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, _DECISION_WIDTHS, strict=True))
    return "  ".join(padded).rstrip()


def _site_row(site: Document) -> list[str | float | None]:
    counted = site["gateway"]["counters"] if site["gateway"] else {}
    busy = sum(one["in_flight"] for one in site["models"])
    slots = sum(one["slots"] for one in site["models"])
    return [
        site["name"],
        site["state"],
        float(site["requests_per_s"]),
        f"{busy}/{slots}",
        show_ms(counted.get("added_ms_p50")),
        show_ms(counted.get("added_ms_p99")),
        counted.get("failed"),
        counted.get("shed"),
        show_ms(site["rtt_ms"]),
        show_ms(site["table_age_ms"]),
    ]


def _ago(age_ms: float | None) -> str | None:
    return None if age_ms is None else f"{show_ms(age_ms)} ago"


def _swarm(swarm: Document | None) -> str | None:
    if swarm is None:
        return None
    part = (
        f"knows round {swarm['known']}, {len(swarm['roster'])} members, a store call takes {swarm['store_ms']:.3g} ms"
    )
    member = "" if swarm["member"] else "; this site is no member"
    return part + member + ("" if swarm["store_ok"] else f"; in trouble: {swarm['last_error']}")


def _store(store: Document | None) -> str | None:
    if store is None:
        return None
    trouble = "" if store["ok"] else f": {store['last_error']}"
    return f"{'ok' if store['ok'] else 'in trouble'} ({store['failures']} failures){trouble}"


def _shares(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))
