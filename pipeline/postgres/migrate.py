"""Migrations: the files of `sql/migrations` in the order of their names, each once, in one transaction.

A file whose first line is `-- no-transaction` holds one statement that Postgres refuses inside one.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final, LiteralString

import msgspec

from pipeline.errors import MigrationEdited
from pipeline.postgres.queries import load, sql_folder

if TYPE_CHECKING:
    import psycopg

_OUTSIDE: Final = "-- no-transaction"


class Migration(msgspec.Struct, frozen=True):
    """One migration file."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The fingerprint that an applied file must keep."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def available() -> list[Migration]:
    """The migrations this version brings, oldest first."""
    folder = sql_folder() / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    )
    return [Migration(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")) for file in files]


def migrate(connection: psycopg.Connection, migrations: list[Migration] | None = None) -> list[str]:
    """Apply what is missing; the names applied now. Safe to run twice and at the same time.

    The connection must be in autocommit. Raises MigrationEdited when an applied file was changed since;
    then nothing is applied.
    """
    queries = load("migrate")
    connection.execute(queries["lock"])
    try:
        connection.execute(queries["prepare"])
        applied: dict[str, str] = dict(connection.execute(queries["applied"]).fetchall())
        wanted = available() if migrations is None else migrations
        for migration in wanted:
            if applied.get(migration.name, migration.sha256) != migration.sha256:
                raise MigrationEdited(migration.name)
        missing = [migration for migration in wanted if migration.name not in applied]
        for migration in missing:
            _apply(connection, migration)
        return [migration.name for migration in missing]
    finally:
        connection.execute(queries["unlock"])


def is_current(connection: psycopg.Connection) -> bool:
    """Whether every migration of this version is applied."""
    if connection.execute(load("migrate")["exists"]).fetchone() != (True,):
        return False
    applied: dict[str, str] = dict(connection.execute(load("migrate")["applied"]).fetchall())
    return all(migration.name in applied for migration in available())


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    began = time.monotonic()
    text: LiteralString = migration.text  # our own file; without parameters it may hold many statements
    if migration.text.startswith(_OUTSIDE):
        connection.execute(text)
        _record(connection, migration, began)
    else:
        with connection.transaction():
            connection.execute(text)
            _record(connection, migration, began)


def _record(connection: psycopg.Connection, migration: Migration, began: float) -> None:
    milliseconds = round((time.monotonic() - began) * 1000)
    connection.execute(load("migrate")["record"], [migration.name, migration.sha256, milliseconds])
