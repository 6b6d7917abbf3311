"""The fleet's secret is changed while controllers run: no site loses another in any step."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.controller_processes import ControllerFleet, model_server, request, until
from tests.support.serving import served
from tests.unit.domain.test_site_tokens import ROTATION

FILES = {"old": "secret", "new": "next-secret"}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[ControllerFleet]:
    (tmp_path / "next-secret").write_text("from-now-on", encoding="utf-8")
    with served(model_server) as url, ControllerFleet(tmp_path, url, sites=2).running() as running:
        yield running


def status_of_sync(fleet: ControllerFleet, token: str) -> int:
    """What a controller answers a gateway that shows this token: 400 means that it looked at the (empty) report."""
    headers = {"x-edgemind-site-token": token, "content-type": "application/json"}
    return request("POST", f"{fleet.url('site-b')}/edgemind/v1/gateways/sync", headers, {})[0]


def reloaded(fleet: ControllerFleet, times: int) -> bool:
    return all(fleet.log(name).count("configuration reloaded") == times for name in fleet.names)


@pytest.mark.slow
def test_a_secret_is_changed_in_three_steps_and_nobody_is_suspected(fleet: ControllerFleet) -> None:
    everybody = {"site-a": "alive", "site-b": "alive"}
    until(lambda: all(fleet.states(name) == everybody for name in fleet.names), "they know one another")
    for count, step in enumerate(ROTATION[1:], start=1):
        fleet.write_config(secret=FILES[str(step.current)], previous=tuple(FILES[secret] for secret in step.previous))
        until(partial(reloaded, fleet, count), f"everybody takes step {count}")
        accepted = {value: name in step.secrets for value, name in (("between-sites", "old"), ("from-now-on", "new"))}
        assert {token: status_of_sync(fleet, token) == 400 for token in accepted} == accepted
        until(lambda: all(fleet.states(name) == everybody for name in fleet.names), "they still know one another")

    for name in fleet.names:
        assert "suspected" not in fleet.log(name)
        assert "refused" not in fleet.log(name)


@pytest.mark.slow
def test_without_the_overlap_sites_lose_one_another(fleet: ControllerFleet) -> None:
    """What the three steps are for."""
    until(lambda: fleet.states("site-a") == {"site-a": "alive", "site-b": "alive"}, "they know one another")
    fleet.processes["site-b"].kill()
    fleet.processes["site-b"].wait()
    fleet.write_config(secret="next-secret")
    fleet.start("site-b")
    (fleet.folder / "secret").write_text("something-else", encoding="utf-8")
    until(lambda: "do both sites have the same fleet secret" in fleet.log("site-b"), "the new one is refused")
