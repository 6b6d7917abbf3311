"""Where finished spans go. Offering one costs a note in a queue; the rest happens elsewhere, or not at all."""

from collections.abc import Callable, Sequence
from typing import Protocol

from edgemind.domain.spans import Span

MakeSpan = Callable[[], Span]
"""Called later, in another thread: what it reads must not change any more."""


class SpanSink(Protocol):
    """`dropped` counts spans that were offered and never arrived: no room for them, or their export failed."""

    @property
    def dropped(self) -> int: ...

    @property
    def exported(self) -> int: ...

    def offer(self, make: MakeSpan) -> None:
        """Returns at once, and raises nothing."""

    def close(self) -> None:
        """Export what waits, for a second at most."""


class SpanExporter(Protocol):
    """One way out of the process; it may take its time."""

    def export(self, spans: Sequence[Span]) -> bool:
        """Whether they arrived. Raises whatever it likes; that counts as no."""
