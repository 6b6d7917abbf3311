"""A metro for beacons alone: sites on a plane, so that who is near whom, and asks whom, is as uneven as in a city."""

from math import hypot
from random import Random

from edgemind.domain.fleet import Fleet, Site

WIDTH_MS = 10.0
"""Round trip across the metro."""


def metro_of(sites: int, rng: Random) -> Fleet:
    places = {f"site-{number:02}": (rng.random(), rng.random()) for number in range(sites)}

    def rtt_ms(one: str, other: str) -> float:
        (x, y), (u, v) = places[one], places[other]
        return WIDTH_MS * hypot(x - u, y - v)

    return Fleet(
        "simulated",
        tuple(
            Site(
                name,
                frozenset(),
                (),
                controller_url=f"http://{name}",
                rtt_ms={other: rtt_ms(name, other) for other in places if other != name},
            )
            for name in places
        ),
    )
