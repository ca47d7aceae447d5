"""Connections to Postgres: nothing waits for ever, and Heroku Connect sees an application."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pipeline.errors import ConfigurationError, NotMigrated, PostgresUnreachable, ServerTooOld
from pipeline.postgres.migrate import is_current
from pipeline.postgres.pooler import require_session
from pipeline.postgres.queries import load
from pipeline.postgres.session import Session, watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

OLDEST_SERVER: Final = 15


def connect(settings: Settings, purpose: str) -> psycopg.Connection:
    """An autocommit connection that Postgres lists as `orgstream-<purpose>`.

    Raises ConfigurationError for a missing or malformed URL, NoSession, PostgresUnreachable, ServerTooOld.
    """
    with told():
        session = _open(settings, purpose)
        try:
            _require_supported(session)
            # A pooler makes up the number that the client is told at the start; then look closer.
            if session.info.backend_pid != watch(session, **_watching(settings)):
                require_session(session, lambda: _open(settings, purpose))
            prepare(session, settings)
        except BaseException:
            session.close()
            raise
    return session


def check_session(settings: Settings) -> None:
    """Whether DATABASE_URL gives us sessions of our own, also where a pooler is hard to tell from a server.

    Raises what `connect` raises.
    """
    with told(), contextlib.closing(connect(settings, "check")) as session:
        require_session(session, lambda: _open(settings, "check"))


def prepare(connection: psycopg.Connection, settings: Settings) -> None:
    """Give the session its limits and its search path."""
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


def _open(settings: Settings, purpose: str) -> Session:
    options = _options(settings)
    name = f"orgstream-{purpose}"
    return Session.connect(str(settings.database_url), autocommit=True, application_name=name, **options)


def _options(settings: Settings) -> dict[str, Any]:
    """The parameters of every connection. A peer that vanished without a word is noticed within two leases,
    not after the system's two hours.
    """
    if not settings.database_url:
        raise ConfigurationError(
            "DATABASE_URL is not set. Set it to the Postgres that holds the orgs' tables, "
            "as in DATABASE_URL=postgresql://user@host/database"
        )
    options: dict[str, Any] = {"connect_timeout": max(2, round(settings.connect_timeout))}
    if str(conninfo_to_dict(settings.database_url).get("host", "")).startswith("/"):
        return options
    lease = max(1.0, settings.lease_seconds)
    keepalive = {"idle": lease / 2, "interval": lease / 5, "count": 3}
    options |= {f"keepalives_{name}": max(1, round(seconds)) for name, seconds in keepalive.items()}
    return options | {"keepalives": 1, "tcp_user_timeout": round(1500 * lease)}


def _watching(settings: Settings) -> dict[str, Any]:
    patience = max(1.0, settings.lease_seconds)
    return {"patience": patience, "url": str(settings.database_url), "options": _options(settings)}


def _require_supported(session: Session) -> None:
    version = session.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise ServerTooOld(
            f"the Postgres at DATABASE_URL is version {version}; Orgstream needs {OLDEST_SERVER} or newer."
        )


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Errors of the driver, in our words."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise PostgresUnreachable(
            f"cannot connect to Postgres at DATABASE_URL: {_first_line(error)}. "
            "Check the address, the credentials and that the server runs."
        ) from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is not None:
            raise
        raise ConfigurationError(f"DATABASE_URL is not a Postgres URL: {_without_values(error)}") from None


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
