"""Alerts, KPIs and series of real controllers: the first of them dies, is told of by the next, and comes back."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.controller_processes import ROOT, ControllerFleet, model_server, until
from tests.support.hook_receiver import HookReceiver, hook_receiver
from tests.support.serving import served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
OPERATIONS = (
    "operations:",
    "  dwell_s: {site_report_age_ms: 1, config_refused: 1, availability_ratio: 1}",
    "  recovery_s: {site_report_age_ms: 2}",
    "  webhooks: [{name: pager, url: 'file:hook-url', secret: 'file:hook-secret', levels: {info: true}}]",
)
DEAD = ("site_report_age_ms", "site-a")


@contextmanager
def watched(folder: Path, sites: int) -> Iterator[tuple[ControllerFleet, HookReceiver]]:
    """A fleet whose alerts go to a receiver, once all its sites see one another."""
    with served(model_server) as url, hook_receiver() as receiver:
        fleet = ControllerFleet(folder, url, sites)
        (folder / "hook-url").write_text(receiver.url, encoding="utf-8")
        (folder / "hook-secret").write_text("between-us", encoding="utf-8")
        fleet.more_config = OPERATIONS
        fleet.write_config()
        with fleet.running():
            until(lambda: all(fleet.sees_all(name) for name in fleet.names), "all see all")
            yield fleet, receiver


def shows(fleet: ControllerFleet, asked: str, alert: tuple[str, str | None], state: str) -> bool:
    status, page = fleet.get(asked, "/alerts")
    return status == 200 and state in {one["state"] for one in page["alerts"] if (one["name"], one["site"]) == alert}


def waits(fleet: ControllerFleet, asked: str, alert: tuple[str, str | None], state: str) -> None:
    until(partial(shows, fleet, asked, alert, state), f"{asked} shows {alert} {state}")


def edgemind(fleet: ControllerFleet, asked: str, *arguments: str) -> tuple[int, str]:
    """(exit code, output) of a command line that asks a site."""
    command = [sys.executable, "-m", "edgemind", *arguments, "--fleet", fleet.url(asked), "--token", "look"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def told(receiver: HookReceiver) -> list[tuple[str, str, str | None]]:
    return [one.told for one in receiver.received if one.told[1] == "site_report_age_ms"]


def test_a_site_that_dies_is_told_once_and_its_return_too(tmp_path: Path) -> None:
    with watched(tmp_path, 3) as (fleet, receiver):
        until(lambda: fleet.get("site-c", "/alerts")[1]["teller"] == "site-a", "site-a tells")
        fleet.signal("site-a", signal.SIGKILL)
        fleet.processes["site-a"].wait()
        for name in ("site-b", "site-c"):
            waits(fleet, name, DEAD, "firing")
        until(lambda: told(receiver) == [("fired", *DEAD)], "it is told")
        code, text = edgemind(fleet, "site-c", "alerts", "list", "--fail-on", "critical")
        assert code == 4
        assert "docs/runbooks/site-report-age-ms.md" in text
        code, text = edgemind(fleet, "site-c", "top", "--once")
        assert code == 0
        assert "CRITICAL  site-a has told nothing" in text
        assert edgemind(fleet, "site-a", "top", "--once")[0] == 3
        fleet.start("site-a")
        for name in fleet.names:
            waits(fleet, name, DEAD, "resolved")
        until(lambda: len(told(receiver)) == 2, "its end is told")
        assert told(receiver) == [("fired", *DEAD), ("resolved", *DEAD)]
        assert len({one.document["alert"]["id"] for one in receiver.received if one.told[1:] == DEAD}) == 1


def test_counts_of_all_sites_are_the_metros_and_few_enough_wake_somebody(tmp_path: Path) -> None:
    with watched(tmp_path, 2) as (fleet, _):
        fleet.stats["site-b"] = {"requests": 100}
        until(lambda: _series(fleet, "site-a", "site-b", "in_flight"), "a step of the other site is over")
        fleet.stats["site-b"] = {"requests": 1100, "ok": 800, "late": 100, "failed": 150, "shed": 50}
        until(lambda: _kpi(fleet, "availability_ratio")["value"] == 0.8, "the metro's availability")
        slo, spend = _kpi(fleet, "slo_attainment_ratio"), _kpi(fleet, "spend_ratio")
        assert (slo["value"], slo["window_s"], slo["level"]) == (0.7, 300, "warning")
        assert (spend["value"], spend["level"]) == (None, "unknown")
        assert "bill" in spend["why"]
        waits(fleet, "site-b", ("availability_ratio", None), "firing")
        code, text = edgemind(fleet, "site-b", "kpis", "--fail-on", "critical")
        assert code == 4
        assert "80 %" in text


def test_a_refused_configuration_is_an_alert_of_each_site_until_it_is_mended(tmp_path: Path) -> None:
    with watched(tmp_path, 2) as (fleet, receiver):
        config = tmp_path / "edgemind.yaml"
        good = config.read_text(encoding="utf-8")
        config.write_text("version: 1\nsites: 7\n", encoding="utf-8")
        for name in fleet.names:
            waits(fleet, "site-a", ("config_refused", name), "firing")
        config.write_text(good, encoding="utf-8")
        for name in fleet.names:
            waits(fleet, "site-b", ("config_refused", name), "resolved")
        until(lambda: len(receiver.received) >= 4, "all are told")


def _kpi(fleet: ControllerFleet, name: str) -> dict[str, Any]:
    _, document = fleet.get("site-a", "/kpis")
    (found,) = (kpi for kpi in document["kpis"] if kpi["name"] == name)
    return dict(found)


def _series(fleet: ControllerFleet, asked: str, site: str, name: str) -> list[float]:
    _, page = fleet.get(asked, "/series?step_ms=2000")
    return [value for one in page["sites"] if one["site"] == site for value in one["values"][name] if value is not None]
