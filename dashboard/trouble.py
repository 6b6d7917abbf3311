"""Why there is nothing new to show: what happened, and what to do about it."""

from edgemind.errors import EdgeMindError


class FleetTrouble(EdgeMindError):
    """`headline` is what happened in a few words; the message says what to do."""

    def __init__(self, headline: str, message: str) -> None:
        super().__init__(message)
        self.headline = headline
