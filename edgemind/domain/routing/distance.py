"""How far sites are from one another as declared, before anything is measured, and which are near."""

from collections.abc import Iterable, Sequence

from edgemind.domain.fleet import Site

DEFAULT_RTT_MS = 5.0
"""Between two sites of a metro of which nothing is declared."""


def declared_rtt_ms(one: Site | None, other: Site | None) -> float:
    """The declared round trip between two sites, by whichever of them declares it."""
    if one is None or other is None:
        return DEFAULT_RTT_MS
    if one.name == other.name:
        return 0.0
    there = one.rtt_ms.get(other.name)
    back = other.rtt_ms.get(one.name)
    if there is not None:
        return there
    return DEFAULT_RTT_MS if back is None else back


def nearest_sites(own: Site, order: Sequence[Site], candidates: Iterable[Site], limit: int) -> list[Site]:
    """At most `limit` of the candidates, nearest first.

    Equally near ones are taken as they follow `own` in `order`, around: if all took the first of the list, the first
    ones would hear everybody and the last ones nobody.
    """
    position = {site.name: index for index, site in enumerate(order)}
    here = position.get(own.name, 0)

    def distance(site: Site) -> tuple[float, int]:
        return declared_rtt_ms(own, site), (position.get(site.name, 0) - here) % max(1, len(order))

    return sorted(candidates, key=distance)[:limit]
