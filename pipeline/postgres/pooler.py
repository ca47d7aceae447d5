"""Whether a connection has a session of its own, or shares sessions with others, transaction by transaction.

An idle pooler may well give a client the same session each time; so others take part, each of which keeps
the session it got.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Final

import psycopg

from pipeline.errors import NoSession
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable

_OTHERS: Final = 2
_LOOKS: Final = 8


_MESSAGE: Final = (
    "DATABASE_URL leads to a pooler in transaction mode (such as PgBouncer), which gives each transaction "
    "another session; Orgstream needs one that lasts, for LISTEN, its limits and its locks. Set DATABASE_URL "
    "to the database itself: on Heroku that is DATABASE_URL and not DATABASE_CONNECTION_POOL_URL, elsewhere "
    "the address without the pooler's port or `-pooler` in its name. A pooler in session mode will do. "
    "Nothing was changed."
)


def require_session(connection: psycopg.Connection, connect: Callable[[], psycopg.Connection]) -> None:
    """Raises NoSession where transactions of an autocommit `connection` run in different sessions.

    `connect` opens others like it.
    """
    token = secrets.token_hex(8)
    home = _ask(connection, "mark", token)
    with contextlib.ExitStack() as others:
        for _ in range(_OTHERS):
            other = others.enter_context(contextlib.closing(connect()))
            try:
                others.enter_context(other.transaction())
                shared = _ask(other, "look")[0] == home[0]
            except psycopg.errors.ProtocolViolation:  # not even transactions: a pool of statements
                raise NoSession(_MESSAGE) from None
            if shared or any(_ask(connection, "look") != home for _ in range(_LOOKS)):
                raise NoSession(_MESSAGE)


def _ask(connection: psycopg.Connection, query: str, token: str = "") -> tuple[int, str | None]:
    parameters = {"token": token} if token else None
    row = connection.execute(load("session")[query], parameters, prepare=False).fetchone()
    return (row[0], row[1]) if row else (0, None)
