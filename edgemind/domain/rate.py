"""Token buckets: how fast a tenant may ask."""

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """`rate_per_s` tokens a second up to `burst`; times are monotonic seconds, passed in."""

    rate_per_s: float
    burst: float
    tokens: float
    updated_s: float

    @classmethod
    def full(cls, rate_per_s: float, burst: float, now_s: float) -> "TokenBucket":
        return cls(rate_per_s, burst, burst, now_s)

    def change(self, rate_per_s: float, burst: float) -> None:
        """Another share of the tenant's rate from now on; what was saved up under the old one is kept in proportion."""
        self.tokens *= burst / self.burst
        self.rate_per_s, self.burst = rate_per_s, burst

    def take(self, now_s: float) -> bool:
        tokens = self.tokens + (now_s - self.updated_s) * self.rate_per_s
        tokens = min(tokens, self.burst)
        self.updated_s = now_s
        taken = tokens >= 1.0
        self.tokens = tokens - 1.0 if taken else tokens
        return taken

    def next_token_s(self) -> float:
        """Seconds until the next token, as of the last `take`."""
        return max(0.0, (1.0 - self.tokens) / self.rate_per_s)

    def full_again_s(self) -> float:
        return (self.burst - self.tokens) / self.rate_per_s
