"""What the database's catalogue says of the tables that rules name."""

from __future__ import annotations

from typing import Literal

import msgspec

from stages.rules.model import Column, Connector, Reference

#: Columns of a Heroku Connect table that it or Salesforce keeps: never written by a rule.
KEPT_BY_CONNECT = frozenset(
    {
        *("id", "sfid", "systemmodstamp", "createddate", "isdeleted", "lastmodifieddate"),
        *("_hc_lastop", "_hc_err"),
    }
)

Kind = Literal["table", "partitioned table", "view", "materialized view", "foreign table"]


class TableFacts(msgspec.Struct, frozen=True):
    """One table as it is now."""

    schema: str
    name: str
    kind: Kind
    connector: Connector
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[
        tuple[str, ...], ...
    ] = ()  # columns of each index that ON CONFLICT can use, the primary key's too
    references: tuple[Reference, ...] = ()  # its foreign keys
    read_only: bool = False  # a mapping that Heroku Connect never sends to Salesforce

    def column(self, name: str) -> Column | None:
        """The column called `name`, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def names(self) -> list[str]:
        """The names of its columns, in the table's order."""
        return [column.name for column in self.columns]


class Catalogue(msgspec.Struct, frozen=True):
    """The part of the database that a rules file names."""

    schemas: tuple[str, ...]  # every schema there is
    names: dict[str, tuple[str, ...]]  # schema -> every table in it
    tables: dict[tuple[str, str], TableFacts]  # (schema, table) of those that rules name
