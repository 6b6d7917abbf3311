"""Text of unknown origin on a terminal: what could move the cursor, colour it or turn it round is shown escaped."""


def printable(text: object, limit: int | None = None) -> str:
    """One line of characters that only show themselves; what is longer than `limit` ends with dots."""
    safe = "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in str(text))
    return safe if limit is None or len(safe) <= limit else f"{safe[: limit - 4]} ..."
