"""Connections to Postgres: nothing waits for ever, and Heroku Connect sees an application."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pipeline.errors import ConfigurationError, NotMigrated, ServerTooOld, ServerUnreachable
from pipeline.postgres.migrate import is_current
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from pipeline.settings import Settings

OLDEST_SERVER: Final = 15
# A peer that vanished without a word is noticed after about this long, not after the system's two hours.
_KEEPALIVE: Final[dict[str, Any]] = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def connect(settings: Settings, purpose: str) -> psycopg.Connection:
    """An autocommit connection that Postgres lists as `orgstream-<purpose>`.

    Raises ConfigurationError for a missing or malformed URL, ServerUnreachable, ServerTooOld.
    """
    url = settings.database_url
    if not url:
        raise ConfigurationError(
            "DATABASE_URL is not set. Set it to the Postgres that holds the orgs' tables, "
            "as in DATABASE_URL=postgresql://user@host/database"
        )
    try:
        parameters = conninfo_to_dict(url)
        connection = psycopg.connect(
            url,
            autocommit=True,
            application_name=f"orgstream-{purpose}",
            connect_timeout=max(2, round(settings.connect_timeout)),
            **({} if str(parameters.get("host", "")).startswith("/") else _KEEPALIVE),
        )
    except psycopg.ProgrammingError as error:
        raise ConfigurationError(f"DATABASE_URL is not a Postgres URL: {_without_values(error)}") from None
    except psycopg.OperationalError as error:
        raise ServerUnreachable(
            f"cannot connect to Postgres at DATABASE_URL: {_first_line(error)}. "
            "Check the address, the credentials and that the server runs."
        ) from error
    prepare(connection, settings)
    return connection


def prepare(connection: psycopg.Connection, settings: Settings) -> None:
    """Give the session its limits and its search path. Raises ServerTooOld."""
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        connection.close()
        raise ServerTooOld(
            f"the Postgres at DATABASE_URL is version {version}; Orgstream needs {OLDEST_SERVER} or newer."
        )
    connection.execute(
        load("session")["prepare"],
        {
            "statement_timeout": _milliseconds(settings.statement_timeout),
            "lock_timeout": _milliseconds(settings.lock_timeout),
            "idle_timeout": _milliseconds(settings.lease_seconds),
        },
    )
    with contextlib.suppress(psycopg.errors.InvalidParameterValue):
        connection.execute(load("session")["notice_the_end"])


def require_migrated(connection: psycopg.Connection) -> None:
    """Raises NotMigrated unless every migration of this version is applied."""
    if not is_current(connection):
        raise NotMigrated(
            "the orgstream schema is missing or older than this version. Run: orgstream migrate"
        )


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _without_values(error: Exception) -> str:
    """The driver's message without the part that may quote the URL and its password."""
    return str(error).split('"')[0].strip().rstrip(":") or "it cannot be parsed"
