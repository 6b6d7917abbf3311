"""Where the sites are and how long a message takes between them."""

from collections.abc import Sequence
from math import hypot
from random import Random

RttMs = Sequence[Sequence[float]]
"""rtt_ms[ingress][site]; symmetric, zero on the diagonal."""


def place_sites(sites: int, rtt_min_ms: float, rtt_max_ms: float, rng: Random) -> RttMs:
    """Scatter the sites over a square; the round trip grows linearly with the distance between two of them."""
    places = [(rng.random(), rng.random()) for _ in range(sites)]
    apart = [[hypot(a[0] - b[0], a[1] - b[1]) for b in places] for a in places]
    pairs = [apart[i][j] for i in range(sites) for j in range(i)]
    if not pairs:
        return [[0.0]]
    nearest, farthest = min(pairs), max(pairs)
    # Two sites have one distance: they are as close as sites get.
    per_distance = (rtt_max_ms - rtt_min_ms) / (farthest - nearest) if farthest > nearest else 0.0
    return [
        [0.0 if i == j else rtt_min_ms + (apart[i][j] - nearest) * per_distance for j in range(sites)]
        for i in range(sites)
    ]


def by_distance(rtt_ms: RttMs, site: int) -> list[int]:
    """All sites, the nearest first; the first is `site` itself."""
    return sorted(range(len(rtt_ms)), key=lambda other: (rtt_ms[site][other], other))
