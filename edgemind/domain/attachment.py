"""Which ingress a device talks to: the nearest of its list that it has not found gone."""

from collections.abc import Iterator, Sequence


class Attachment:
    """`ingresses` are site names, nearest first; the first one is the device's home."""

    __slots__ = ("_gone", "_ingresses")

    def __init__(self, ingresses: Sequence[str]) -> None:
        self._ingresses = tuple(ingresses)
        self._gone: set[str] = set()

    @property
    def home(self) -> str:
        return self._ingresses[0]

    @property
    def current(self) -> str:
        return next(self.choices())

    @property
    def lost_ingresses(self) -> frozenset[str]:
        return frozenset(self._gone)

    def choices(self) -> Iterator[str]:
        """Every ingress once, in the order to try: those found gone come last, in case one is back."""
        here = [ingress for ingress in self._ingresses if ingress not in self._gone]
        return iter(here + [ingress for ingress in self._ingresses if ingress in self._gone])

    def lost(self, ingress: str) -> None:
        """It refused or cut a connection, or said that it is leaving."""
        self._gone.add(ingress)

    def found(self, ingress: str) -> None:
        """It answers again: a device goes back to the nearest one."""
        self._gone.discard(ingress)
