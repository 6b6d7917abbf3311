"""Errors are named by what the caller can do about them, not by where they arose."""


class EdgeMindError(Exception):
    """Any failure EdgeMind reports. The message is one a person can act on."""


class PermanentError(EdgeMindError):
    """Trying again unchanged cannot help: the input or the configuration has to change."""


class TemporaryError(EdgeMindError):
    """Trying again after `retry_after_s` may help."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ConfigurationError(PermanentError):
    """A configuration file or flag is wrong; the message lists every finding with its place."""


class StateCorrupt(PermanentError):
    """A stored record cannot be read; the message names the file or item and how to recover."""


class StoreUnavailable(TemporaryError):
    """The state store cannot be reached or written just now (disk full, no permission, throttled)."""


class ModelStoreUnavailable(TemporaryError):
    """The model store cannot be reached, or the disk not written, just now; a transfer goes on from where it was."""


class ModelDamaged(PermanentError):
    """What is stored of a model is not what was published; the message names the object and how to recover."""


class UpstreamFailed(TemporaryError):
    """A model server or neighbour failed before the first body byte: the request may be tried elsewhere."""


class UpstreamUnreachable(UpstreamFailed):
    """No connection to the upstream can be had: nothing was sent, and nothing listens there now."""


class UpstreamCut(TemporaryError):
    """The upstream died after the first body byte: what was relayed so far cannot be taken back."""
