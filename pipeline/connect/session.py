"""The stand-in's own session: its `xmlbinary` is hex, by which the triggers know Heroku Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self, TypeVar

import psycopg
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

if TYPE_CHECKING:
    from collections.abc import Callable

#: How often a transaction that Postgres chose as the victim of a deadlock is run again.
ATTEMPTS: Final = 10
_OPTIONS: Final = "-c xmlbinary=hex -c search_path=public -c timezone=UTC -c datestyle=ISO"

T = TypeVar("T")


class Session:
    """One connection, opened when it is first needed and again after it was lost."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._connection: psycopg.Connection | None = None

    def run(self, work: Callable[[psycopg.Connection], T]) -> T:
        """Run `work` in one transaction, and again when it met a deadlock. Raises what `work` raises."""
        retry = Retrying(
            retry=retry_if_exception_type(psycopg.errors.DeadlockDetected),
            stop=stop_after_attempt(ATTEMPTS),
            reraise=True,
        )
        result: T = retry(self._once, work)
        return result

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _once(self, work: Callable[[psycopg.Connection], T]) -> T:
        connection = self._open()
        with connection.transaction():
            return work(connection)

    def _open(self) -> psycopg.Connection:
        if self._connection is not None and self._connection.closed:
            self.close()  # it was lost: its client side goes too
        if self._connection is None:
            self._connection = psycopg.connect(
                self._url, autocommit=True, options=_OPTIONS, application_name=f"heroku connect {self._name}"
            )
        return self._connection
