"""Where sites lie, on the part of the world that holds them. Pure but for one bundled file, read once.

Places are in units of the picture (`WIDE` across); north is up, and a degree of longitude is as wide as it is there.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

WORLD = Path(__file__).parent / "world.json"
WIDE = 640.0
TALL = 400.0
LEAST_SPAN_DEG = 10.0
"""Of longitude: sites of one town are shown in their country."""
MARGIN_RATIO = 0.35
LEAST_STEP = 2.0
LABEL_TALL, LETTER_WIDE, SIGN_WIDE = 16.0, 7.6, 8.0
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the world in degrees, and the factors that turn it into a picture."""

    west: float
    south: float
    east: float
    north: float

    def place(self, longitude: float, latitude: float) -> Point:
        across = (longitude - self.west) / (self.east - self.west) * WIDE
        return across, (self.north - latitude) / (self.north - self.south) * TALL


def window_of(places: Sequence[Point]) -> Window:
    """The smallest window of the picture's proportions around all (longitude, latitude), with room at its edges."""
    longitudes, latitudes = [x for x, _ in places], [y for _, y in places]
    middle_x, middle_y = (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2
    squeeze = max(0.2, math.cos(math.radians(middle_y)))
    room = 1.0 + MARGIN_RATIO
    wide = max(LEAST_SPAN_DEG, (max(longitudes) - min(longitudes)) * room)
    wide = min(360.0, max(wide, (max(latitudes) - min(latitudes)) * room * WIDE / TALL / squeeze))
    tall = min(180.0, wide * squeeze * TALL / WIDE)
    west = min(max(-180.0, middle_x - wide / 2), 180.0 - wide)
    south = min(max(-90.0, middle_y - tall / 2), 90.0 - tall)
    return Window(west, south, west + wide, south + tall)


@lru_cache(maxsize=8)
def land_path(window: Window) -> str:
    """The outlines of the countries in it, as an SVG path with whole units; the same window is drawn once."""
    parts = []
    for ring in _world():
        inside = _clipped(ring, window)
        if len(inside) > 2:
            parts.append(_path([window.place(x, y) for x, y in inside]))
    return "".join(parts)


def labelled(places: Sequence[tuple[str, Point]]) -> set[str]:
    """The names for which there is room beside their places; the first have precedence."""
    # A name covers neither another name nor another site's sign.
    signs = [(name, (x - SIGN_WIDE, x + SIGN_WIDE, y)) for name, (x, y) in places]
    taken: list[tuple[float, float, float]] = []
    shown = set()
    for name, (x, y) in places:
        begin, end = x + 11, x + 13 + LETTER_WIDE * len(name)
        others = [sign for other, sign in signs if other != name]
        if all(
            end < left or right < begin or abs(y - middle) >= LABEL_TALL for left, right, middle in [*taken, *others]
        ):
            taken.append((begin, end, y))
            shown.add(name)
    return shown


@lru_cache(maxsize=1)
def _world() -> tuple[tuple[Point, ...], ...]:
    rings = json.loads(WORLD.read_text(encoding="utf-8"))["rings"]
    return tuple(tuple((x / 100.0, y / 100.0) for x, y in ring) for ring in rings)


def _path(points: Iterable[Point]) -> str:
    """Steps too short to be seen are left out, and what is no larger than a dot."""
    kept: list[Point] = []
    for x, y in points:
        if not kept or abs(x - kept[-1][0]) + abs(y - kept[-1][1]) >= LEAST_STEP:
            kept.append((x, y))
    return f"M{'L'.join(f'{x:.0f} {y:.0f}' for x, y in kept)}Z" if len(kept) > 2 else ""


def _clipped(ring: Sequence[Point], window: Window) -> list[Point]:
    """Sutherland-Hodgman: one edge of the window after another cuts off what lies beyond it."""
    points = list(ring)
    for axis, bound, sign in ((0, window.west, 1), (0, window.east, -1), (1, window.south, 1), (1, window.north, -1)):
        if not points:
            return []
        points = list(_cut([*points, points[0]], axis, bound, sign))
    return points


def _cut(points: Sequence[Point], axis: int, bound: float, sign: int) -> Iterable[Point]:
    for before, after in pairwise(points):
        inside, goes_on = sign * (before[axis] - bound) >= 0, sign * (after[axis] - bound) >= 0
        if inside:
            yield before
        if inside != goes_on:
            part = (bound - before[axis]) / (after[axis] - before[axis])
            yield before[0] + part * (after[0] - before[0]), before[1] + part * (after[1] - before[1])
