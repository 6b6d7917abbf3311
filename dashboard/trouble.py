"""Why there is nothing new to show: what happened, and what to do about it."""

from edgemind.errors import EdgeMindError


class FleetTrouble(EdgeMindError):
    """`headline` is what happened in a few words; the message says what to do."""

    def __init__(self, headline: str, message: str) -> None:
        super().__init__(message)
        self.headline = headline


class Unreachable(FleetTrouble):
    """Nobody answers: nothing else of this fleet needs to be asked for just now."""


class NotOffered(FleetTrouble):
    """This fleet has no such thing, for it is of an older version: the rest of the page is none the worse."""
