"""The same gateway with its telemetry on, in front of receivers on good and bad days."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from benchmarks.peers.base import Bench, Launch, Peer
from benchmarks.peers.edgemind_gateway import EDGEMIND

OFF, EVERY_SPAN = "telemetry-off", "otlp-100%"


def _with(telemetry: Mapping[str, Any]) -> Callable[[Bench], Launch]:
    def prepare(bench: Bench) -> Launch:
        launch = EDGEMIND.prepare(bench)
        file = bench.directory / "edgemind.yaml"
        file.write_text(json.dumps({**json.loads(file.read_text()), "telemetry": dict(telemetry)}, indent=2))
        return launch

    return prepare


def telemetry_peers(sink: str, hung: str, dead: str) -> list[Peer]:
    """`sink` takes spans, `hung` takes requests and never answers, at `dead` nobody listens. The first peer is off."""

    def peer(name: str, about: str, endpoint: str, ratio: float) -> Peer:
        settings = {"exporter": "otlp", "endpoint": endpoint, "sample_ratio": ratio}
        return replace(EDGEMIND, name=name, about=about, prepare=_with(settings))

    return [
        replace(EDGEMIND, name=OFF, about="no telemetry"),
        peer("otlp-1%", "1 % of the traces, errors and slow ones, to a receiver that takes them", sink, 0.01),
        peer(EVERY_SPAN, "every request's span", sink, 1.0),
        peer("dead", "every request's span, and nobody listens", dead, 1.0),
        peer("hung", "every request's span, and a receiver that never answers", hung, 1.0),
    ]
