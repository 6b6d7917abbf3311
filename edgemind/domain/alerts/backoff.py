"""When a notice that could not be told is tried again, and when it is given up."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling pauses from `first_s` to `longest_s`, shortened by up to a half at random, for `give_up_s` in all."""

    first_s: float = 1.0
    longest_s: float = 60.0
    give_up_s: float = 3600.0

    def pause_s(self, tries: int, waited_s: float, rng: Random, asked_s: float | None = None) -> float | None:
        """After so many tries; None: give up. `asked_s` is what the receiver itself asked to wait."""
        if waited_s >= self.give_up_s:
            return None
        pause_s = min(self.longest_s, self.first_s * 2.0 ** min(tries - 1, 30))
        return max(pause_s * (0.5 + rng.random() / 2.0), min(asked_s or 0.0, self.longest_s))
