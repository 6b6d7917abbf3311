"""A round of three controller processes is one trace at a real OTLP receiver."""

from pathlib import Path

import pytest

from tests.support.controller_processes import ControllerFleet, model_server, until
from tests.support.otlp_receiver import OtlpReceiver, Received
from tests.support.serving import served

pytestmark = pytest.mark.slow


def test_a_round_is_one_trace_over_three_controllers(tmp_path: Path) -> None:
    with OtlpReceiver() as receiver, served(model_server) as url:
        fleet = ControllerFleet(tmp_path, url)
        with (tmp_path / "edgemind.yaml").open("a", encoding="utf-8") as config:
            config.write(f"telemetry: {{exporter: otlp, endpoint: '{receiver.url}'}}\n")
        with fleet.running():
            fleet.provision()
            until(lambda: all(fleet.sees_all(name) for name in fleet.names), "everybody sees everybody")

            def decided() -> str | None:
                fleet.post("site-a", "/rounds", {"model": "detector"})
                return next((one["fence"] for one in fleet.rounds("site-a") if one["outcome"]), None)

            def of_trace() -> list[Received]:
                return [span for span in receiver.spans if span.trace_id == trace]

            until(decided, "a round is decided")
            fence = next(one["fence"] for one in fleet.rounds("site-a") if one["outcome"])
            trace = fleet.get("site-a", f"/rounds/{fence}")[1]["trace_id"]
            until(lambda: {one.resource["edgemind.site"] for one in of_trace()} == set(fleet.names), "all sites' spans")
            until(lambda: any(one.name.startswith("round ") for one in of_trace()), "its root")
            spans = of_trace()
            shown = {fleet.get(name, f"/rounds/{fence}")[1]["trace_id"] for name in fleet.names}
    (root,) = (span for span in spans if span.name.startswith("round "))
    sites = [span for span in spans if span.name.startswith("at ")]
    assert {span.name for span in sites} == {"at site-a", "at site-b", "at site-c"}
    assert {span.parent_id for span in sites} == {root.span_id}
    assert {span.service for span in spans} == {"edgemind-controller"}
    ballots = [span for span in spans if span.name.startswith("ballot ")]
    assert ballots
    assert {span.parent_id for span in ballots} <= {span.span_id for span in sites}
    assert shown == {trace}
