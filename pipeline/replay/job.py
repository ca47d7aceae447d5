"""Replays as rows of Postgres: begun, owned by one process at a time, counted, and brought to their end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec
from psycopg import errors

from pipeline.errors import ConfigurationError, Failure
from pipeline.person import person
from pipeline.postgres.queries import load
from pipeline.replay.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg


class Job(msgspec.Struct, frozen=True):
    """A replay and how far it has come. `applied`, `held` and `failed` count changes for each rule."""

    id: int
    created_at: str
    actor: str
    database_user: str
    selection: str  # as JSON
    force: bool
    first_change: int
    selected: int
    records: int
    done: int
    applied: int
    held: int
    failed: int
    state: str  # running | interrupted | finished

    @property
    def chosen(self) -> Selection:
        """Which changes are meant."""
        return msgspec.json.decode(self.selection.encode(), type=Selection)


class FailureView(msgspec.Struct, frozen=True):
    """A change that a replay could not apply."""

    change_id: int
    rule: str
    cause: str
    sqlstate: str | None
    message: str


def jobs(connection: psycopg.Connection, id_: int | None = None) -> list[Job]:
    """The last hundred replays, newest first; or one of them."""
    rows = connection.execute(load("replay")["job"], {"id": id_}).fetchall()
    names = Job.__struct_fields__
    return [msgspec.convert(dict(zip(names, row, strict=True)), Job) for row in rows]


def job(connection: psycopg.Connection, id_: int) -> Job:
    """A replay. Raises ConfigurationError where there is none of this number."""
    found = jobs(connection, id_)
    if not found:
        raise ConfigurationError(f"there is no replay {id_}. See: orgstream replay --list")
    return found[0]


def resumable(connection: psycopg.Connection, id_: int) -> Job:
    """A replay to go on with. Raises ConfigurationError where there is none, or the queue does not reach back
    to its beginning any more.
    """
    found = job(connection, id_)
    row = connection.execute(load("replay")["kept_from"]).fetchone()
    kept = int(row[0]) if row and row[0] is not None else 0
    if found.state != "finished" and found.first_change < kept:
        raise ConfigurationError(
            f"replay {id_} has to read changes from id {found.first_change} on, and those below {kept} are "
            "dropped by now (ORGSTREAM_RETENTION). Begin a new replay of what is left"
        )
    return found


def create(connection: psycopg.Connection, selection: Selection, *, force: bool) -> int:
    """Write down a replay, inside the transaction that selects its changes; its number."""
    row = connection.execute(
        load("replay")["create"],
        {
            "actor": person(),
            "selection": msgspec.json.encode(selection).decode(),
            "force": force,
        },
    ).fetchone()
    return int(row[0]) if row else 0


def failures(connection: psycopg.Connection, id_: int) -> list[FailureView]:
    """What a replay could not apply, a thousand at most."""
    rows = connection.execute(load("replay")["failures"], {"replay": id_}).fetchall()
    return [FailureView(*row) for row in rows]


@contextlib.contextmanager
def owned(connection: psycopg.Connection, id_: int) -> Iterator[None]:
    """Be the one process that works on a replay. Raises Failure where another is.

    It waits for ORGSTREAM_LOCK_TIMEOUT: Postgres may not know yet that one before us is gone.
    """
    try:
        connection.execute(load("replay")["own"], {"id": id_})
    except errors.LockNotAvailable as error:
        raise Failure(
            f"replay {id_} is being worked on by another process. See: orgstream replay --list"
        ) from error
    try:
        yield
    finally:
        if not connection.broken and not connection.closed:
            connection.execute(load("replay")["disown"], {"id": id_})
