"""One gateway with fake model servers behind it, and short ways to ask it things."""

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import FleetFolder, GatewayProcess
from tests.support.wire import Answer, Wire, ask, request_bytes

CHAT = "/v1/chat/completions"
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Call:
    """One request ready to be sent, with the marker under which upstreams remember it."""

    marker: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def raw(self) -> bytes:
        return request_bytes("POST", self.path, self.body, self.headers)


@dataclass(slots=True)
class House:
    """`models` of a group are given out once each, so that what a test does to a model's health stays its own."""

    gateway: GatewayProcess
    folder: FleetFolder
    upstreams: FakeUpstreams
    keys: dict[str, str]
    """One live key per tenant."""
    _given: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.keys["demo"]

    def model(self, group: str) -> str:
        number = self._given.get(group, 0)
        self._given[group] = number + 1
        return f"{group}-{number}"

    def call(
        self,
        model: str,
        *,
        fake: dict[str, dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
        path: str = CHAT,
        key: str | None = None,
        marker: str | None = None,
        **fields: Any,
    ) -> Call:
        """A chat request. `fake` is what each upstream does with it, by name; a header of None is left out."""
        marker = marker or f"mark-{next(_NUMBERS)}"
        payload = {"model": model, "messages": [{"role": "user", "content": "hi"}], "marker": marker, **fields}
        if fake is not None:
            payload["fake"] = fake
        sent = {"authorization": f"Bearer {key or self.key}", "content-type": "application/json", **(headers or {})}
        return Call(marker, path, sent, json.dumps(payload).encode())

    def ask(self, call: Call) -> Answer:
        return ask(self.gateway.port, "POST", call.path, call.body, call.headers)

    def chat(self, model: str, **options: Any) -> Answer:
        return self.ask(self.call(model, **options))

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return ask(self.gateway.port, "GET", path, headers={"authorization": f"Bearer {self.key}", **(headers or {})})

    def wire(self, **options: Any) -> Wire:
        return Wire(self.gateway.port, **options)

    def begin(self, call: Call, **options: Any) -> Wire:
        """Send a request on a connection of its own and leave its answer to be read."""
        wire = self.wire(**options)
        wire.send(call.raw)
        return wire

    def explain(self, answer: Answer) -> dict[str, Any]:
        """The gateway's own account of the decision behind an answer."""
        found = self.gateway.decision(answer["x-request-id"])
        assert found.status == 200, found
        document: dict[str, Any] = found.json()
        return document

    def reached(self, marker: str) -> list[str]:
        """The upstreams that got a request, in order, each once.

        A kept connection that dies with the first request on it looks like one that was stale, so the gateway may send
        the request to the same upstream once more on a new connection before it goes elsewhere.
        """
        return list(dict.fromkeys(seen.upstream for seen in self.upstreams.seen(marker)))
