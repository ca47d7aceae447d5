"""How a port refuses: a later holder has taken over, or Redis is not what it was."""

from __future__ import annotations


class Fenced(Exception):
    """Raised when a later holder has taken over: this one must stop."""


class LeaseLost(Exception):
    """Raised when a partition of the batch is no longer ours; nothing of the batch was done."""


class StreamsLost(Exception):
    """Raised when Redis no longer holds what was published as it was: the relay publishes it again."""


class StreamsFull(Exception):
    """Raised when Redis has no memory left for what was to be added: workers make room."""


class Stolen(Exception):
    """Raised when another consumer read entries of a partition before us: it is to be taken over again."""
