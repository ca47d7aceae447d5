"""What the active relay does beside relaying."""

from __future__ import annotations

from typing import Protocol


class Upkeep(Protocol):
    """Keeps the tables from growing for ever."""

    def run(self, term: int, position: int) -> bool:
        """Do what is due, a piece of it at most; whether a tick without changes would help it on.

        `position` is a change id that was drawn: where they come fast, more is due sooner.
        """
        ...


class Recognition(Protocol):
    """Recognises that the database was restored, or that Redis knows of a time that the database does not."""

    def settle(self, term: int) -> None:
        """Make Postgres and Redis fit each other. Raises Fenced where the lease has to be taken anew."""
        ...
