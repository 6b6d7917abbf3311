"""The picture of `edgemind top` for any width, any fleet and any string."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemind.entrypoints.operations.lines import Line, as_text, cells, cut, padded, plain
from edgemind.entrypoints.operations.listing import alerts_text, kpis_text
from edgemind.entrypoints.operations.top import rich_text
from edgemind.entrypoints.operations.top_view import LEAST_WIDTH, Told, old_after_s, picture

HOSTILE = "\x1b[31mred\x07\u202edlrow\nnext [bold]x[/bold]"


def site(name: str, in_flight: int = 1, state: str = "alive", **counters: int) -> dict[str, Any]:
    counted = {"shed": 0, "failed": 0, "late": 0, "added_ms_p99": 3.2, **counters}
    return {
        "name": name, "state": state, "requests_per_s": 12.5, "models": [{"in_flight": in_flight, "slots": 4}],
        "gateway": {"counters": counted} if state == "alive" else None,
    }  # fmt: skip


def kpi(name: str, value: float | None, level: str = "ok") -> dict[str, Any]:
    return {
        "name": name, "title": name.capitalize(), "unit": "ratio", "good": "above", "value": value, "target": 0.99,
        "level": level, "why": None if value is not None else "nobody measured it", "window_s": 300,
    }  # fmt: skip


def alert(name: str, level: str = "critical", state: str = "firing") -> dict[str, Any]:
    return {
        "name": name, "level": level, "state": state, "site": "site-b", "text": f"{name} is wrong.", "since_ms": 1000,
        "ended_ms": None, "runbook": f"runbooks/{name}.md",
    }  # fmt: skip


def told(**changes: Any) -> Told:
    sites = [site("site-a", 4), site("site-b", 0, "gone"), site("site-c", 3, shed=7)]
    fleet = {"metro": "demo", "asked": "site-a", "requests_per_s": 37.5, "sites": sites}
    kpis = {"tier": "local", "kpis": [kpi("availability", 0.98, "critical"), kpi("spend", None, "unknown")]}
    alerts = {"alerts": [alert("site-down"), alert("slow", "warning", "pending"), alert("old", state="resolved")]}
    rounds = {"rounds": [{"fence": "1.3", "told": "shift 50 % to site-c", "decided_ms": 31.0}]}
    return Told(**{"fleet": fleet, "kpis": kpis, "alerts": alerts, "rounds": rounds, "age_s": 0.5, **changes})


def text(told_: Told, width: int = 110, height: int | None = None) -> str:
    return as_text(picture(told_, "http://fleet:8200", width, height))


def test_everything_is_on_it() -> None:
    shown = text(told())
    assert shown.splitlines()[0] == "metro demo: 37.5 requests/s, 2 of 3 sites in service   seen from site-a"
    assert "[##########] 100%" in shown
    assert "[..........]   0%" in shown
    assert "CRITICAL  site-down is wrong.  docs/runbooks/site-down.md" in shown
    assert "pending   slow is wrong." in shown
    assert "old is wrong" not in shown
    assert "not measured here: Spend" in shown
    assert "1.3: shift 50 % to site-c, decided in 31.0 ms" in shown


def test_a_fleet_that_went_away_is_said_with_the_age_of_what_is_shown() -> None:
    shown = text(told(age_s=42.3, trouble="the fleet cannot be reached"))
    assert shown.splitlines()[1] == "THE DATA IS 42 s OLD: the fleet cannot be reached"
    assert "site-c" in shown
    assert "NO DATA YET: connection refused" in text(Told(trouble="connection refused"))
    assert "THE DATA IS 7 s OLD: the fleet is slow to answer" in text(told(age_s=7.0))
    assert "OLD" not in text(told(age_s=5.0))


@pytest.mark.parametrize(("interval_s", "fine_s", "old_s"), [(0.5, 5.9, 6.0), (2.0, 5.9, 6.0), (30.0, 89.0, 90.0)])
def test_data_is_old_when_three_refreshes_brought_nothing(interval_s: float, fine_s: float, old_s: float) -> None:
    limit_s = old_after_s(interval_s)
    assert "OLD" not in as_text(picture(told(age_s=fine_s), "http://fleet:8200", 110, None, limit_s))
    assert "OLD" in as_text(picture(told(age_s=old_s), "http://fleet:8200", 110, None, limit_s))


def test_an_older_fleet_without_kpis_and_alerts_is_shown_as_far_as_it_goes() -> None:
    shown = text(told(kpis=None, alerts=None, rounds=None))
    assert "site-a" in shown
    assert "KPIS" not in shown


def test_a_fleet_without_sites_or_gateways_is_no_trouble() -> None:
    bare = {"name": "x", "state": "declared", "requests_per_s": 0.0, "models": []}
    fleet = {"metro": "demo", "asked": "x", "requests_per_s": 0.0, "sites": []}
    assert "0 of 0 sites" in text(told(fleet=fleet))
    assert "1 of 1 sites" in text(told(fleet={**fleet, "sites": [bare]}))


def test_where_there_is_no_room_the_worst_sites_stay_and_the_rest_is_counted() -> None:
    sites = [site(f"site-{at:02}", at % 4) for at in range(40)] + [site("site-zz", 0, "gone")]
    shown = text(told(fleet={"metro": "demo", "asked": "a", "requests_per_s": 1.0, "sites": sites}), height=30)
    lines = shown.splitlines()
    assert len(lines) <= 30
    assert "site-zz" in shown
    assert any(line.startswith("... ") and line.endswith("more sites") for line in lines)
    assert "CRITICAL" in shown


@pytest.mark.parametrize("width", [10, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for line in picture(told(trouble="t" * 300), "http://fleet:8200", width):
        assert sum(cells(span.text) for span in line) <= max(LEAST_WIDTH, width)


def test_no_string_of_the_network_moves_the_cursor() -> None:
    named = [site(HOSTILE), site("b")]
    fleet = {"metro": HOSTILE, "asked": HOSTILE, "requests_per_s": 1.0, "sites": named}
    alerts = {"alerts": [alert(HOSTILE)]}
    lines = picture(told(fleet=fleet, alerts=alerts, trouble=HOSTILE), HOSTILE, 200)
    assert all(span.text.isprintable() for line in lines for span in line)
    assert "[bold]" in as_text(lines)
    page = {"alerts": [alert(HOSTILE)], "unreachable": [HOSTILE], "sinks": []}
    listing = alerts_text(page, 5000.0)
    assert all(line.isprintable() for line in listing.splitlines())
    document = {"tier": HOSTILE, "asked": HOSTILE, "measured": HOSTILE, "kpis": [kpi(HOSTILE, None)]}
    assert all(line.isprintable() for line in kpis_text(document).splitlines())


@settings(max_examples=30)
@given(st.text(max_size=20), st.integers(0, 30))
def test_what_is_cut_fits_and_what_is_padded_fills(word: str, width: int) -> None:
    shown = plain(word)
    assert cells(cut(shown, width)) <= width
    assert cells(padded(shown, width)) == width
    assert shown.isprintable()


def test_wide_letters_take_two_cells() -> None:
    assert (cells("東京"), cells(cut("東京都", 5)), cells("e\u0301")) == (4, 5, 1)


def test_tables_say_what_is_missing() -> None:
    document = {"tier": "local", "asked": "site-a", "measured": "live", "kpis": told().kpis["kpis"]}  # type: ignore[index]
    lines = kpis_text(document).splitlines()
    assert lines[0] == "tier local, measured by site-a: live"
    assert lines[3].split() == ["availability", "98", "%", ">", "99", "%", "CRITICAL", "5", "min", "-"]
    assert lines[4].endswith("nobody measured it")
    sink = {"name": "pager", "ok": False, "waiting": 3, "lost": 1, "last_error": "refused with 404"}
    page = {"alerts": [], "unreachable": ["site-b"], "sinks": [sink]}
    shown = alerts_text(page, 0.0)
    assert "No alert is pending" in shown
    assert "without what site-b would tell" in shown
    assert "alerts do not reach pager (3 waiting, 1 lost): refused with 404" in shown


def test_rich_draws_the_same_text() -> None:
    lines: list[Line] = picture(told(trouble=HOSTILE), "http://fleet:8200", 110)
    assert [line.rstrip() for line in rich_text(lines).plain.splitlines()] == as_text(lines).splitlines()
