"""Waking the relay: capture notifies only while the relay says that it sleeps, for a notification takes a
lock at commit that writers would queue for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    import psycopg


class Wakeup:
    """The relay's bell: a connection that listens and nothing else."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._asleep: bool | None = None  # what capture believes; the relay before us may have died awake
        connection.execute(load("relay")["listen"])

    def sleep(self) -> None:
        """From now on capture rings. What was captured a moment before did not: look once more, then wait."""
        if not self._asleep:
            self._connection.execute(load("relay")["sleep"])
            self._asleep = True

    def wake(self) -> None:
        """From now on capture stays silent."""
        if self._asleep is not False:
            self._connection.execute(load("relay")["wake"])
            self._asleep = False

    def forget(self) -> None:
        """Another relay says from now on whether it sleeps."""
        self._asleep = None

    def wait(self, seconds: float) -> bool:
        """Wait for the bell, `seconds` at most; whether it rang."""
        return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))
