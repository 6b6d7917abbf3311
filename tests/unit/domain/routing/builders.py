"""Small fleets for the tests of routing, and hypothesis strategies for arbitrary ones."""

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from edgemind.domain.fleet import DeviceClass, Site, Tier
from edgemind.domain.requests import Constraints, Demand
from edgemind.domain.routing.candidates import Candidate, CandidateSet, compile_candidates

MODEL = "detector"
ANYTHING = Constraints(MODEL)
PATIENT = Demand(deadline_ms=30_000.0)
ZONES = ("de", "fr", "eu")


def candidate(
    site: str = "site-a", rtt_ms: float = 0.0, *, slots: int = 4, service_ms: float = 10.0, load_ms: float = 0.0,
    in_flight: int = 0, zones: Sequence[str] = (), tier: Tier = Tier.EDGE, key: str = "",
    device_classes: frozenset[DeviceClass] = frozenset(),
) -> Candidate:  # fmt: skip
    """One place; `in_flight` is what others have there."""
    place = Site(site, frozenset(zones), (), tier=tier, device_classes=device_classes)
    made = Candidate(key or f"{site}/{MODEL}", place, MODEL, slots, service_ms, rtt_ms, load_ms)
    made.know_others(in_flight)
    return made


def compiled(
    *candidates: Candidate,
    weights: Mapping[str, float] | None = None,
    constraints: Constraints = ANYTHING,
    ingress: str = "site-a",
    closed: Mapping[str, str] | None = None,
) -> CandidateSet:
    return compile_candidates(candidates, constraints, ingress, weights or {}, closed or {})


def fleets(min_size: int = 1) -> st.SearchStrategy[list[Candidate]]:
    """Up to eight places with any load, in any zones, fresh or not, some of them in the cloud or out of order."""
    return st.lists(_candidates(), min_size=min_size, max_size=8)


@st.composite
def _candidates(draw: st.DrawFn) -> Candidate:
    made = candidate(
        f"site-{draw(st.sampled_from('abcdef'))}",
        draw(st.floats(0, 200)),
        slots=draw(st.integers(1, 16)),
        service_ms=draw(st.floats(0.1, 5_000)),
        load_ms=draw(st.sampled_from([0.0, 2_000.0])),
        in_flight=draw(st.integers(0, 100)),
        zones=draw(st.lists(st.sampled_from(ZONES), unique=True)),
        tier=draw(st.sampled_from([Tier.EDGE, Tier.EDGE, Tier.EDGE, Tier.CLOUD])),
    )
    made.own = draw(st.integers(0, 40))
    made.fresh = draw(st.booleans())
    made.ready = draw(st.sampled_from([True, True, True, False]))
    made.available = draw(st.sampled_from([True, True, True, False]))
    made.refresh()
    return made
