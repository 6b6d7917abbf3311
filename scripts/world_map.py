"""`python -m scripts.world_map countries-50m.json`: writes dashboard/world.json, the page's map of the world.

The input is a file of the npm package world-atlas 2.0.2: TopoJSON made from Natural Earth's public-domain vectors. What
is written are the countries' outlines as lists of [longitude, latitude], in hundredths of a degree and simplified.
"""

import json
import sys
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

TOLERANCE_DEG = 0.04
SMALLEST_DEG = 0.2
"""Islands below this extent are left out."""
OUTPUT = Path(__file__).resolve().parents[1] / "dashboard" / "world.json"
Point = tuple[float, float]


def main(source: str) -> None:
    topology = json.loads(Path(source).read_text(encoding="utf-8"))
    arcs = [simplified(arc) for arc in decoded(topology)]
    rings = [ring(indices, arcs) for indices in ring_indices(topology["objects"]["countries"])]
    kept = [[[round(100 * x), round(100 * y)] for x, y in one] for one in rings if extent(one) >= SMALLEST_DEG]
    document = {
        "source": "Natural Earth (public domain), through the npm package world-atlas 2.0.2, countries-50m.json",
        "unit": "hundredths of a degree, [longitude, latitude]",
        "rings": kept,
    }
    OUTPUT.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{OUTPUT}: {len(kept)} outlines, {sum(map(len, kept))} points")


def decoded(topology: dict[str, Any]) -> list[list[Point]]:
    """TopoJSON stores each arc as differences of whole numbers."""
    (scale_x, scale_y), (move_x, move_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    return [
        [
            (x * scale_x + move_x, y * scale_y + move_y)
            for x, y in zip(accumulate(p[0] for p in arc), accumulate(p[1] for p in arc), strict=True)
        ]
        for arc in topology["arcs"]
    ]


def ring_indices(node: dict[str, Any]) -> list[list[int]]:
    """Outer outlines only: lakes and enclaves are too small to tell."""
    if node["type"] == "GeometryCollection":
        return [one for child in node["geometries"] for one in ring_indices(child)]
    polygons = [node["arcs"]] if node["type"] == "Polygon" else node.get("arcs", [])
    return [polygon[0] for polygon in polygons]


def ring(indices: Sequence[int], arcs: Sequence[Sequence[Point]]) -> list[Point]:
    """Arcs one after another; a negative index is the arc ~index, backwards."""
    points: list[Point] = []
    for index in indices:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += arc[1:] if points else arc
    return points


def simplified(points: Sequence[Point]) -> list[Point]:
    """Douglas-Peucker: neighbours share their arcs, so their borders stay together."""
    if len(points) < 3:
        return list(points)
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    if length:
        apart = [abs((y1 - y0) * x - (x1 - x0) * y + x1 * y0 - y1 * x0) / length for x, y in points]
    else:
        apart = [((x - x0) ** 2 + (y - y0) ** 2) ** 0.5 for x, y in points]
    far = max(range(len(points)), key=apart.__getitem__)
    if apart[far] <= TOLERANCE_DEG:
        return [points[0], points[-1]]
    return [*simplified(points[: far + 1])[:-1], *simplified(points[far:])]


def extent(points: Sequence[Point]) -> float:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return max(max(xs) - min(xs), max(ys) - min(ys))


if __name__ == "__main__":
    main(sys.argv[1])
