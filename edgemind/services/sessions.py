"""Which site answered a session last: bounded, forgotten after a while, known to one worker."""

from collections import OrderedDict


class Sessions:
    """The last site per (session, model). Past `limit` the longest unused is forgotten; after `keep_s` each is."""

    def __init__(self, limit: int = 10_000, keep_s: float = 600.0) -> None:
        self._limit = limit
        self._keep_s = keep_s
        self._sites: OrderedDict[tuple[bytes, str], tuple[str, float]] = OrderedDict()

    def site_of(self, session: bytes, model: str, now_s: float) -> str | None:
        known = self._sites.get((session, model))
        return known[0] if known is not None and now_s - known[1] <= self._keep_s else None

    def remember(self, session: bytes, model: str, site: str, now_s: float) -> None:
        key = (session, model)
        self._sites[key] = (site, now_s)
        self._sites.move_to_end(key)
        if len(self._sites) > self._limit:
            self._sites.popitem(last=False)
