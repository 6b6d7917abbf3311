"""Both displays, from the same moment of a run."""

import io
from dataclasses import replace
from random import Random

import pytest
from rich.console import Console

from edgemind.domain.device_mixes import EVERYDAY
from edgemind.domain.swarm import summaries
from edgemind.entrypoints.demo.fleet_watch import SiteReading
from edgemind.entrypoints.demo.lines import PlainLines, line_of
from edgemind.entrypoints.demo.screen import LiveTable, table_of
from edgemind.entrypoints.demo.snapshot import Snapshot, snapshot_of, summary_of
from edgemind.services.demo_report import Event, RunFacts, Tally
from edgemind.services.devices.outcomes import Outcome, Result
from tests.support.round_records import round_record

FACTS = RunFacts("site-failure", "llama", "hybrid", ("site-a", "site-b", "site-c"), 1, 30.0, {})
READINGS = (
    SiteReading("site-a", "alive", 3, 13, 112.0, True),
    SiteReading("site-b", "suspected", 4, 13, None, False),
    SiteReading("site-c", "alive", 15, 13, 243.0, True),
)
RAN = {
    ("site-a", "table"): 2851, ("site-a", "session"): 1080, ("site-a", "override"): 410, ("site-a", "retry"): 4,
    ("site-b", "table"): 2310, ("site-c", "table"): 2441, ("simulated-cloud", "cloud"): 31,
}  # fmt: skip


@pytest.fixture
def tally() -> Tally:
    counted = Tally(FACTS.sites, 0.0, Random(1))
    for (site, reason), count in RAN.items():
        counted.ran[site, reason] += count - 1
        counted.results[Result.OK] += count - 1
        counted.on_outcome(Outcome(EVERYDAY[0], site, Result.OK, 311.0, 20.0, site, reason, "dec", 2.4))
    counted.sent = counted.results[Result.OK]
    return counted


@pytest.fixture
def snapshot(tally: Tally) -> Snapshot:
    return snapshot_of(FACTS, tally, READINGS, {"site-a": 24, "site-b": 0, "site-c": 48}, 312.0, None)


def drawn(snapshot: Snapshot, width: int) -> str:
    output = io.StringIO()
    Console(file=output, width=width, color_system=None).print(table_of(snapshot, width))
    return output.getvalue()


@pytest.mark.parametrize("width", [80, 119, 120, 200])
def test_the_table_fits_and_shows_everything(snapshot: Snapshot, width: int) -> None:
    text = drawn(snapshot, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for shown in (
        "site-failure",
        "p50 2.4 ms p99 2.4 ms (local)",
        "suspected",
        "simulated-cloud",
        "15/13",
        "2851",
        "243 ms",
    ):
        assert shown in text
    # A line a site, whatever the width.
    assert len(text.splitlines()) == 10


def test_a_wide_terminal_has_bars_and_devices(snapshot: Snapshot) -> None:
    assert "██░░░░░░░░" in drawn(snapshot, 120)
    assert "devices" in drawn(snapshot, 120)
    assert "devices" not in drawn(snapshot, 80)


def test_what_a_dead_site_reported_last_is_not_shown_as_its_load(snapshot: Snapshot) -> None:
    assert "4/13" not in drawn(snapshot, 80)


def test_the_plain_line_says_the_same(snapshot: Snapshot) -> None:
    line = line_of(snapshot)
    assert "\n" not in line
    for shown in (
        "312 s: ",
        "(local)",
        "ok 9127, shed 0, failed 0",
        "site-a 4345 (table 2851, session 1080",
        "site-c 15/13",
    ):
        assert shown in line
    assert line.endswith("oldest table 243 ms")


def test_before_the_first_request_there_is_something_to_show() -> None:
    empty = snapshot_of(FACTS, Tally(FACTS.sites, 0.0, Random(1)), (), {}, 0.0, 20.0)
    assert "0 of 20 s" in drawn(empty, 80)
    assert line_of(empty).startswith("0 s: 0.0 requests/s")


def test_a_line_every_few_seconds(tally: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines(every_s=5.0)
    for tenths in range(0, 160, 5):
        lines.show(snapshot_of(FACTS, tally, READINGS, {}, tenths / 10, None))
    lines.event(Event(12.3, "killed site-b"))
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == ["5 s", "10 s", "15 s", "12 s"]
    assert printed[-1] == "12 s: killed site-b"


def test_the_live_table_draws_and_lets_events_scroll_by(snapshot: Snapshot) -> None:
    output = io.StringIO()
    live = LiveTable(Console(file=output, width=120, force_terminal=True, color_system=None))
    live.show(snapshot)
    live.event(Event(12.3, "killed site-b"))
    live.close()
    assert "12 s: killed site-b" in output.getvalue()
    assert "simulated-cloud" in output.getvalue()


def test_the_summary(tally: Tally) -> None:
    tally.in_time = tally.sent
    assert summary_of(tally).splitlines()[0] == "sent 9127: ok 9127, shed 0, failed 0; 100.0% answered in time"
    assert "nothing answered" in summary_of(Tally(("a",), 0.0, Random(1)))


def with_rounds(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, rounds=2, last_round=summaries.summary_of(round_record()).line)


def test_both_displays_show_the_last_round_in_one_line(snapshot: Snapshot) -> None:
    told = "2 rounds; round 1.3: shift 100 % of site-a's llm to site-c, decided in 31 ms by 3 of 3, coordinator site-a"
    assert told in drawn(with_rounds(snapshot), 200)
    assert len(drawn(with_rounds(snapshot), 80).splitlines()) == 11
    assert told in line_of(with_rounds(snapshot))
    assert "round " not in line_of(snapshot)
