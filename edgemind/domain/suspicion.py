"""Who is up, as sites tell each other: suspicions spread with beacons, and whoever is suspected refutes them itself.

After SWIM (Das, Gupta, Motivala, 2002), without timers of its own. Every site has a number that only it raises: a
suspicion names the number it is about, counts until a higher one is heard, and makes the site raise it. So what an old
process, or an old message, says about a site cannot overrule what is newer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SUSPECTS_LIMIT = 100
"""Suspicions in one beacon: as many as a roster has members."""
NUMBER_LIMIT = 2**53 - 1
"""Whole numbers up to here survive every JSON reader."""


@dataclass(frozen=True, slots=True)
class Rumours:
    """What one beacon says of who is up. `refutation` is the sender's own number; 0 if it knows nothing of this.

    `suspects`: sites with the number under which they are suspected. `refuted`: to the receiver alone, the newer
    numbers of sites that it suspects under older ones.
    """

    refutation: int = 0
    suspects: Mapping[str, int] = field(default_factory=dict)
    refuted: Mapping[str, int] = field(default_factory=dict)


class Suspicions:
    """One site's view. `first` is its number to begin with: higher with every start, so that a start refutes, too."""

    def __init__(self, me: str, first: int, sites: Iterable[str] = ()) -> None:
        self.refutation = first
        self._me = me
        self._sites = frozenset(sites)
        self._numbers: dict[str, int] = {}
        """The highest number heard of each site."""
        self._suspected: dict[str, int] = {}
        """Sites under suspicion, by whomever, with that number."""
        self._answering: Mapping[str, bool] = {}
        self._noted: set[str] = set()
        """Whose present silence is accounted for. It is told of once, or two sites that only do not reach each other
        would accuse and refute for ever."""
        self._owed: dict[str, dict[str, int]] = {}

    def know(self, sites: Iterable[str]) -> None:
        """Who can be spoken of: nothing is kept about anybody else."""
        self._sites = frozenset(sites)
        for kept in (self._numbers, self._suspected, self._owed):
            for site in [site for site in kept if site not in self._sites]:
                del kept[site]

    def observe(self, answering: Mapping[str, bool], fell_silent: Iterable[str] = (), *, trusted: bool = True) -> None:
        """What this site finds itself: whether those that it asks answer, and who has ceased to ask it.

        Not `trusted` are the findings of a site that hears hardly anybody: it is more likely to be cut off itself than
        everybody else to be down, so that it accuses nobody, nor later of a silence that began meanwhile.
        """
        self._answering = answering
        silent = {site for site, answers in answering.items() if not answers}
        self._noted &= silent
        if trusted:
            for site in (silent - self._noted) | set(fell_silent):
                self._suspect(site, self._numbers.get(site, 0))
        self._noted |= silent

    def hear(self, sender: str, number: int, rumours: Rumours) -> None:
        """A beacon of `sender`, under its number."""
        self._is_up(sender, number)
        owed: dict[str, int] = {}
        for site, about in rumours.suspects.items():
            if site == self._me:
                self.refutation = max(self.refutation, about + 1)
            elif about < self._numbers.get(site, 0):
                owed[site] = self._numbers[site]
            else:
                self._suspect(site, about)
        for site, newer in rumours.refuted.items():
            self._is_up(site, newer)
        if sender in self._sites:
            self._owed[sender] = owed

    def rumours(self, to: str) -> Rumours:
        """What a beacon to this site says. Whom this site hears itself it suspects to nobody's face but their own."""
        suspects = [site for site in self._suspected if site == to or not self._answering.get(site, False)]
        # The receiver first: it is the one who can refute.
        suspects = sorted(suspects, key=lambda site: (site != to, site))[:SUSPECTS_LIMIT]
        return Rumours(self.refutation, {site: self._suspected[site] for site in suspects}, self._owed.get(to, {}))

    def suspected(self) -> frozenset[str]:
        """Of those this site asks, who does not answer; of all others, who is suspected by anybody."""
        silent = {site for site, answers in self._answering.items() if not answers}
        return frozenset(silent | {site for site in self._suspected if site not in self._answering}) - {self._me}

    def _suspect(self, site: str, number: int) -> None:
        if site in self._sites and site != self._me and number >= self._numbers.get(site, 0):
            self._numbers[site] = self._suspected[site] = number

    def _is_up(self, site: str, number: int) -> None:
        if site not in self._sites or number <= self._numbers.get(site, -1):
            return
        self._numbers[site] = number
        self._suspected.pop(site, None)


def usable(numbers: Mapping[str, int]) -> dict[str, int]:
    """What a beacon says by site, cut to what it may say; a number that could not be passed on is dropped."""
    kept = [(site, number) for site, number in numbers.items() if number < NUMBER_LIMIT]
    return dict(kept[:SUSPECTS_LIMIT])
