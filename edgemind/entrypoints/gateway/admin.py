"""The admin listener of one gateway worker: health, metrics, its load, its table, and the reasons of its decisions.

It binds to its own port, away from devices. Decisions carry tenant names, so its reach belongs to operators.
"""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from edgemind.domain.site_tokens import SiteTokens
from edgemind.entrypoints.exposition import PROMETHEUS_TEXT
from edgemind.entrypoints.gateway.app import Parts
from edgemind.entrypoints.gateway.metrics import exposition, table_age_s
from edgemind.services.recent_decisions import explain
from edgemind.services.sync_gateway import GatewaySync


class AdminRoutes:
    """`ready` tells whether the worker takes new requests (it has a table and is not draining)."""

    def __init__(
        self,
        parts: Parts,
        sync: GatewaySync | None,
        ready: Callable[[], bool],
        site_tokens: Callable[[], SiteTokens],
    ) -> None:
        self._parts = parts
        self._sync = sync
        self._ready = ready
        self._site_tokens = site_tokens

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/healthz", self.healthz),
                Route("/readyz", self.readyz),
                Route("/metrics", self.metrics),
                Route("/edgemind/v1/load", self.load),
                Route("/edgemind/v1/table", self.table),
                Route("/edgemind/v1/decisions/{decision_id}", self.decision),
            ]
        )

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(self, _: Request) -> Response:
        ready = self._ready()
        return PlainTextResponse(
            "ready\n" if ready else "not ready: no routing table yet, or draining\n", 200 if ready else 503
        )

    async def metrics(self, _: Request) -> Response:
        return Response(exposition(self._parts), media_type=PROMETHEUS_TEXT)

    async def load(self, _: Request) -> Response:
        """Load of every candidate as this worker sees it, and how its exchange with the controller goes."""
        rows = [
            {
                "site": target.candidate.site.name,
                "model": target.candidate.model,
                "in_flight": target.candidate.in_flight,
                "own": target.candidate.own,
                "slots": target.candidate.slots,
                "service_ms": round(target.candidate.service_ms, 3),
                "rtt_ms": round(target.candidate.rtt_ms, 3),
                "expected_ms": round(target.candidate.expected_ms, 3),
                "fresh": target.candidate.fresh,
                "ready": target.candidate.ready,
                "circuit": target.health.circuit.value,
            }
            for target in self._parts.router.targets.values()
        ]
        return JSONResponse({"candidates": rows, "closed": self._parts.router.closed, "controller": self._controller()})

    async def table(self, _: Request) -> Response:
        table = self._parts.router.table
        return JSONResponse(
            {
                "version": table.version,
                "computed_at_ms": table.computed_at_ms,
                "age_s": table_age_s(self._parts),
                "weights": table.weights,
            }
        )

    async def decision(self, request: Request) -> Response:
        sent, tokens = request.headers.get("x-edgemind-site-token", ""), self._site_tokens()
        if tokens.current is not None and not tokens.accept(sent.encode()):
            return _error(401, "invalid_site_token", "Ask the fleet API, or send this fleet's site token.")
        record = self._parts.decisions.find(request.path_params["decision_id"])
        if record is None:
            return _error(404, "decision_not_found", "This worker does not hold that decision (any more).")
        return JSONResponse(explain(record, self._parts.router.ingress))

    def _controller(self) -> dict[str, Any] | None:
        sync = self._sync
        if sync is None:
            return None
        age_s = None if sync.last_success_s is None else self._parts.clock.monotonic_s() - sync.last_success_s
        return {"failures": sync.failures, "last_error": sync.last_error, "heard_s_ago": age_s}


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse(
        {"error": {"message": message, "type": "invalid_request_error", "code": code, "param": None}}, status
    )
