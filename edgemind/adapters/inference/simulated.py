"""A simulated model: declared service times and answers that say what they are. It computes nothing about its input.

Equal inputs get equal answers (they derive from a hash), so that a caller can tell answers apart and test against them.
"""

import hashlib
import math
import struct
from random import Random

from edgemind.domain.fleet import ModelEndpoint, ServiceTime
from edgemind.domain.service_time import draw_ms

DEFAULT_DIMENSIONS = 64
LABELS = ("person", "vehicle", "bicycle", "animal", "package")
_QUOTED_CHARS = 80


class SimulatedModel:
    """One model of a site. `slowdown` multiplies the service times drawn from now on; 1.0 is as declared."""

    def __init__(self, endpoint: ModelEndpoint, rng: Random) -> None:
        self.name = endpoint.model
        self.slots = endpoint.slots
        self.max_replicas = endpoint.max_replicas
        self.load_ms = endpoint.load_ms
        self.service_ms = endpoint.service_ms
        self.slowdown = 1.0
        self._declared = endpoint.simulated or ServiceTime()
        self._rng = rng

    def draw_ms(self) -> float:
        """The service time of the next request, in milliseconds."""
        return self.slowdown * draw_ms(self._declared, self.service_ms, self._rng)

    def reply(self, prompt: str, max_tokens: int) -> list[str]:
        """At most `max_tokens` pieces of text (at least one) which joined are the answer."""
        quoted = " ".join(prompt.split())[:_QUOTED_CHARS]
        words = f"[{self.name}] This is a simulated answer, no model read the question: {quoted}".split(" ")
        pieces = [words[0], *(f" {word}" for word in words[1:])]
        return pieces[: max(1, max_tokens)]

    def embed(self, text: str, dimensions: int) -> list[float]:
        """A vector of length 1 that depends on the text's hash alone: near texts are not near each other."""
        stream = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(4 * dimensions)
        raw = [(value + 0.5) / 2**31 - 1 for value in struct.unpack(f"<{dimensions}I", stream)]
        length = math.sqrt(sum(value * value for value in raw))
        return [value / length for value in raw]

    def detect(self, payload: bytes) -> list[tuple[str, float, tuple[float, float, float, float]]]:
        """Made-up detections: label, score in [0, 1], box as (x, y, width, height), each a ratio of the frame."""
        rng = Random(hashlib.sha256(payload).digest())
        found = []
        for _ in range(rng.randint(1, 3)):
            width, height = rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.4)
            box = (rng.uniform(0, 1 - width), rng.uniform(0, 1 - height), width, height)
            found.append((rng.choice(LABELS), rng.uniform(0.5, 1), box))
        return found
