import json
from pathlib import Path
from typing import Any

import pytest

from edgemind.entrypoints.decision_text import explanation_text
from edgemind.entrypoints.fleet_text import site_text
from edgemind.entrypoints.text_tables import Cell, show, show_ms, text_table

EXAMPLE = json.loads((Path(__file__).parents[2] / "support" / "explanation.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, "-"), ("", "-"), (0.0, "0"), (0.42, "0.42"), (7.31, "7.3"), (412.4, "412"), (5, "5"), ("site-a", "site-a")],
)
def test_numbers_have_as_many_decimals_as_people_read(cell: Cell, text: str) -> None:
    assert show(cell) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(None, "-"), (0.4, "0.40 ms"), (412, "412 ms"), (3210, "3.2 s"), (600_000, "10 min")]
)
def test_durations_have_the_unit_that_fits(ms: float | None, text: str) -> None:
    assert show_ms(ms) == text


def test_columns_are_aligned_and_numbers_stand_to_the_right() -> None:
    table = text_table(["NAME", "N"], [["a", 5], ["long-name", 120], ["none", None]])
    assert table.splitlines() == ["NAME         N", "a            5", "long-name  120", "none         -"]


def test_a_table_without_rows_is_its_headings() -> None:
    assert text_table(["NAME", "N"], []) == "NAME  N"


def test_an_explanation_reads_like_a_sentence_and_a_table() -> None:
    lines = explanation_text(EXAMPLE).splitlines()

    assert lines[0] == (
        "dec-site-a-0-00c0ffee00c0ffee: simulated-detector asked at site-a ran at site-b, because fresh reports "
        "made another site clearly cheaper than the routing table's choice (override)."
    )
    assert "predicted 21.3 ms, took 22.9 ms (first byte 22.7 ms), status 200" in lines[1]
    rows = [line.split() for line in lines[4:8]]
    assert rows[0][:3] == ["SITE", "TIER", "RTT"]
    assert rows[1] == ["chosen", "site-b", "edge", "6.1", "15.2", "0", "0", "21.3", "21.3", "-", "4", "20", "%"]
    assert rows[2] == ["runner-up", "site-a", "edge", "0", "15.2", "15.2", "0", "30.4", "60.8", "7", "4", "80", "%"]
    assert rows[3][:2] == ["site-d", "edge"]
    assert "report too old" in lines[7]
    assert "Left out: site-c (outside the residency)" in lines
    assert lines[-1].startswith("Asked with: deadline 100 ms, priority normal, residency de, device class xr")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"chosen": None, "reason": "overloaded", "status": 503}, "was refused, because every site is too full"),
        ({"chosen": "site-a", "reason": "table"}, "ran there itself, because the routing table chose it"),
        ({"reason": "a_newer_reason"}, "because a newer reason (a_newer_reason)"),
        ({"status": 0}, "still under way"),
        ({"candidates": []}, "There was no candidate."),
        (
            {"attempts": [{"site": "site-b", "outcome": "unreachable"}, {"site": "site-a", "outcome": "ok"}]},
            "tried site-b (unreachable), then site-a (ok)",
        ),
    ],
)
def test_every_ending_is_told(changes: dict[str, Any], says: str) -> None:
    assert says in explanation_text({**EXAMPLE, **changes})


def test_a_sparse_explanation_of_another_version_is_told_all_the_same() -> None:
    sparse = {"id": "x", "at_ms": 0, "site": "site-a", "model": "m", "reason": "table", "chosen": "site-a"}
    told = explanation_text(sparse)
    assert told.startswith("x: m asked at site-a ran there itself")


def test_a_site_tells_how_it_takes_part_in_rounds() -> None:
    site = {
        "name": "site-a", "state": "alive", "zones": [], "models": [], "requests_per_s": 0.0, "gateway_url": None,
        "controller_url": None, "rtt_ms": None, "beacon_age_ms": None, "heartbeat_age_ms": None, "table_version": None,
        "table_age_ms": None, "gateway": None, "store": None,
    }  # fmt: skip
    swarm = {"known": "1.7", "member": True, "roster": ["site-a", "site-b"], "store_ms": 4.256, "store_ok": True}
    assert "swarm           knows round 1.7, 2 members, a store call takes 4.26 ms\n" in site_text(
        {**site, "swarm": swarm}
    )
    troubled = swarm | {"member": False, "store_ok": False, "last_error": "no answer"}
    assert "this site is no member; in trouble: no answer" in site_text({**site, "swarm": troubled})
    assert "swarm           -" in site_text(site), "a controller of a version before rounds"
