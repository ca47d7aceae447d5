"""One org's trigger log and what we remember of it, by the statements of sql/queries/delivery.sql."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    import psycopg

_ARCHIVE: Final = "_trigger_log_archive"


class ConnectLog:
    """The log of the org in `schema`, on one connection."""

    def __init__(self, connection: psycopg.Connection, schema: str) -> None:
        self.schema = schema
        self._connection = connection
        self._queries = load("delivery")

    def is_readable(self) -> bool:
        """Whether the schema has the logs, and we may read them."""
        return self.rows("logs") == [(True,)]

    def execute(self, query: str, **parameters: Any) -> psycopg.Cursor[Any]:
        """Run a named statement; `table` in the parameters names {table} too. Raises psycopg.Error."""
        composed = sql.SQL(self._queries[query]).format(
            log=sql.Identifier(self.schema, "_trigger_log"),
            archive=sql.Identifier(self.schema, _ARCHIVE),
            table=sql.Identifier(self.schema, str(parameters.get("table", "")))
            if parameters
            else sql.SQL(""),
        )
        return self._connection.execute(composed, {"schema": self.schema, **parameters})

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """What a named statement returns. Raises psycopg.Error."""
        return self.execute(query, **parameters).fetchall()
