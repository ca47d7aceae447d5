"""A mapped table: its columns, and the statements of `sql/connect` composed for it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, LiteralString

import msgspec
from psycopg import sql

from pipeline.postgres.queries import parse, sql_folder

if TYPE_CHECKING:
    from collections.abc import Mapping as Names

    import psycopg

    from pipeline.connect.field import Value
    from pipeline.connect.org import SalesforceOrg
    from pipeline.connect.sobject import Mapping

#: Where the parent's external id has no known length.
_UNKNOWN: Final = "character varying(255)"
#: Ids that differ only in case are different, and sort by their bytes.
_SFID: Final = 'character varying(18) COLLATE "ucs_basic"'


@functools.cache
def statements(file: str) -> Names[str, LiteralString]:
    """The named statements of `sql/connect/<file>.sql`."""
    return parse((sql_folder() / "connect" / f"{file}.sql").read_text(encoding="utf-8"))


class Table:
    """One mapping's table in one schema."""

    def __init__(self, schema: str, mapping: Mapping, org: SalesforceOrg) -> None:
        self.mapping = mapping
        self.name = mapping.table
        self.schema = schema
        #: What the reader brings, with the column types.
        self.columns: dict[str, str] = {field.column: field.column_type for field in mapping.mapped}
        for field in mapping.mapped:
            if field.relation_column:
                self.columns[field.relation_column] = _type_in(org, field.parent, field.by)
        self._writable = {
            field.column for field in mapping.mapped if field.is_writable
        } - mapping.sobject.kept | set(self.columns) & set(mapping.sobject.relations)
        self.columns["sfid"] = _SFID

    @property
    def qualified(self) -> sql.Identifier:
        """Its name with the schema's."""
        return sql.Identifier(self.schema, self.name)

    @property
    def all_columns(self) -> dict[str, str]:
        """Every column but the key, with its type."""
        kept = {"_hc_lastop": "character varying(32)", "_hc_err": "text"} if self.mapping.bookkeeping else {}
        return self.columns | kept

    def sendable(self, written: dict[str, str | None]) -> dict[str, str | None]:
        """Of a captured row, the columns that a client of Salesforce may write."""
        return {column: value for column, value in written.items() if column in self._writable}

    def whole_row(self, connection: psycopg.Connection, record_id: int) -> dict[str, str | None]:
        """A row as a capture would log it; empty when it is gone."""
        row = connection.execute(self.rows("whole_row"), {"id": record_id}).fetchone()
        return msgspec.json.decode(row[0], type=dict[str, str | None]) if row else {}

    def stored(self, connection: psycopg.Connection) -> list[dict[str, Value]]:
        """The rows that have an sfid, as JSON tells them."""
        row = connection.execute(self.rows("stored")).fetchone()
        return msgspec.json.decode(row[0], type=list[dict[str, Any]]) if row else []

    @functools.cache  # noqa: B019 - a table lives as long as its connection
    def rows(self, name: str) -> sql.Composed:
        """A statement of rows.sql for this table."""
        columns = [sql.Identifier(column) for column in self.columns]
        identifier = self.mapping.identifier
        parts: dict[str, Any] = {
            "table": self.qualified,
            "columns": sql.SQL(", ").join(columns),
            "incoming": sql.SQL(", ").join(sql.SQL("incoming.{}").format(column) for column in columns),
            "sets": sql.SQL(", ").join(sql.SQL("{0} = incoming.{0}").format(column) for column in columns),
            "identifier": sql.Identifier(identifier.column if identifier else "sfid"),
            "sequence": sql.Literal(sql.Identifier(self.schema, f"{self.name}_id_seq").as_string()),
        }
        return sql.SQL(statements("rows")[name]).format(**parts)


def _type_in(org: SalesforceOrg, parent: str, by: str) -> str:
    if not org.has(parent):
        return _UNKNOWN
    field = org.object(parent).by_column.get(by.lower())
    return field.column_type if field is not None else _UNKNOWN
