"""A simulated metro whose sites run different versions: every message and every stored record is really encoded.

`N`: this version. `N-1`: lacks the fields in LACKS, whoever wrote them. `N+1`: adds a field to every object that it
writes.
"""

import json
from typing import Any

from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.adapters.swarm_store.records import current_record, read_current
from edgemind.domain.swarm.documents import message_document, parse_message
from edgemind.domain.swarm.protocol import Send
from edgemind.domain.swarm.records import CurrentRound
from edgemind.domain.wire import DocumentInvalid
from edgemind.simulation.swarm_process import Process
from tests.support.swarm_scenes import SwarmScene

LACKS = {"decision_nonce", "voters", "claims", "timed_out"}
"""Fields that a reader defaults, and that the version before could have been without."""
BY_NAME = {"claims"}


def without(document: Any, names: set[str]) -> Any:
    if isinstance(document, list):
        return [without(each, names) for each in document]
    if isinstance(document, dict):
        return {name: without(each, names) for name, each in document.items() if name not in names}
    return document


def with_more(document: Any, *, named: bool = False) -> Any:
    if isinstance(document, list):
        return [with_more(each) for each in document]
    if isinstance(document, dict):
        more = {name: with_more(each, named=name in BY_NAME) for name, each in document.items()}
        return more if named else {**more, "a_later_field": 1}
    return document


class LaterStore(MemorySwarmStore):
    """As if a site of N+1 had written every record."""

    def _present(self) -> CurrentRound:
        return read_current(json.loads(json.dumps(with_more(current_record(super()._present())))))


class VersionedScene(SwarmScene):
    def __init__(self, sites: int, seed: int, lacks: set[str] | None = None) -> None:
        super().__init__(sites, seed)
        self.versions = dict.fromkeys(self.sites, "N")
        self.unread = 0
        self._lacks = LACKS if lacks is None else lacks
        store = LaterStore("simulated")
        store._current = self.table._store.read_current()
        self.table._store = store

    def restart(self, site: str, version: str, when_ms: float) -> None:
        """An upgrade, or its rollback: the process dies as it is, and another one starts."""
        self.at(when_ms, self._restart, site, version)

    def _restart(self, site: str, version: str) -> None:
        self.versions[site] = version
        self.start_anew(site)

    def _send(self, process: Process, effect: Send, depth: int) -> None:
        document = self._as_of(self.versions[process.site], message_document(effect.message))
        self._network.send(process.site, effect.to, json.dumps(document), depth)  # type: ignore[arg-type]

    def _deliver(self, to: str, message: Any, depth: int) -> None:
        document = json.loads(message)
        if self.versions[to] == "N-1":
            document = without(document, self._lacks)
        try:
            parsed = parse_message(document)
        except DocumentInvalid:
            self.unread += 1
            return
        super()._deliver(to, parsed, depth)

    def _as_of(self, version: str, document: Any) -> Any:
        if version == "N-1":
            return without(document, self._lacks)
        return with_more(document) if version == "N+1" else document
