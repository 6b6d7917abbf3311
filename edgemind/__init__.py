"""EdgeMind's routing core: inference answered at the site that meets its deadline."""

__version__ = "0.1.0"
