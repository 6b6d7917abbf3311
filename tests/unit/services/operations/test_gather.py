"""The metro as whoever is asked gathers it from the others."""

import asyncio
from typing import Any

import pytest

from edgemind.adapters.peers.in_process import InProcessPeers
from edgemind.domain.operations.metro import metro_kpis
from edgemind.errors import UpstreamUnreachable
from tests.support.watched_metro import WatchedMetro


def test_who_tells_of_its_requests_and_not_of_its_rounds_did_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = WatchedMetro()
    watched.seconds(4)

    async def rounds(of: InProcessPeers, site: str, *_: Any) -> list[Any]:
        if site == "site-c":
            raise UpstreamUnreachable("it is busy")
        return []

    gathering = watched.sites["site-a"].gathering
    assert asyncio.run(gathering.measures()).unreachable == []
    monkeypatch.setattr(InProcessPeers, "recent_rounds", rounds)
    watched.seconds(2)
    measures = asyncio.run(gathering.measures())
    assert measures.unreachable == ["site-c"]
    assert metro_kpis(measures)["consensus_success_ratio"].quiet is None
